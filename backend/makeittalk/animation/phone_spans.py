"""When each phone begins and ends, from how likely each one is in every frame."""

from __future__ import annotations

import numpy as np

from ..exchange.cues import SILENCE, Cue
from ..networks.phones import PHONES
from .held_path import held_path, spans_of

HOLD = 2  # frames of 16 ms that a phone lasts at least: a flapped T, the shortest there is, takes about 30 ms
CHANGE = 1.0  # nats that another phone must be likelier by, in all: below it is doubt, not a phone
_LEAST = 1e-4  # probability below which nothing is known


def phone_spans(probabilities: np.ndarray, rate: float, seconds: float) -> list[Cue]:
    """The likeliest sequence of phones in which none is shorter than `HOLD` frames.

    Args:
        probabilities: (T, len(PHONES)) of each phone in each frame, `networks.phones_inference.predict_phones`.
        rate: frames/s; the phone of frame i lasts from i / rate to (i + 1) / rate, as in what the network learned.
        seconds: length of the recording.

    Returns:
        cues without a gap from 0 to `seconds`, no two neighbours alike, silence included.
    """
    if not len(probabilities):
        return [Cue(0.0, seconds, SILENCE)]
    change = np.full((len(PHONES), len(PHONES)), CHANGE)
    path = held_path(np.log(np.maximum(probabilities, _LEAST)), HOLD, change)
    return spans_of(path, PHONES, rate, seconds)
