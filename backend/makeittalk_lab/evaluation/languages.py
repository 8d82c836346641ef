"""Lips measured in languages that nobody was filmed in, on speech whose phones are known to the sample."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from makeittalk.animation.predict import PredictOptions
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent
from makeittalk.landmarks.measures import openness

from ..data.clips import Prepared
from ..data.ipa import BILABIAL, LABIODENTAL, OPEN, lip_classes
from ..data.phone_files import clip_phones
from ..data.phones import SILENCE, Phone
from ..prepare.languages import KIND, languages
from .articulation import bilabials_shut, false_closures, frames_within, opening_speeds, spans
from .articulation import speed_percentiles as percentiles
from .recordings import Spoken, mean_face
from .report import mean_metrics

OPENED = 0.1  # gap from which an open vowel is seen to be one
_LEAST_VOWEL = 0.06  # s: a shorter one goes by without the mouth opening for it


def evaluate_languages(
    folder: str | Path,
    weights: str | None = None,
    progress: Progress = silent,
    device: str = "cpu",
    seed: int = 0,
) -> dict[str, Any]:
    """What is predicted for sentences in many languages, on the mean face.

    Args:
        folder: made by `makeittalk prepare languages`. weights, progress, device, seed: as for `evaluate_set`.

    Returns:
        `set`, `weights`, `clips` (how many); `rows`: mean measures of the animation (`lips_on_classes`) by language,
        and "all"; `speeds`: percentiles of its opening speed by frame rate; `each`: the measures by recording.

    Raises:
        InputError: the folder was not prepared as languages.
    """
    prepared = Prepared.load(folder)
    if prepared.kind != KIND:
        raise InputError(f"{folder} holds no languages.", "Make it with `makeittalk prepare languages`.")
    face = mean_face()
    each: dict[str, dict[str, float]] = {}
    speeds: list[dict[float, float]] = []
    for number, name in enumerate(prepared.test):
        progress(number / len(prepared.test), "Comparing")
        samples = load_audio(prepared.folder / f"{name}.wav").samples
        said = Spoken.of(samples, face, PredictOptions(seed, device=device, weights=weights))
        gap = openness(said.answers["animation"].face)
        each[name] = lips_on_classes(gap, lip_classes(clip_phones(prepared, name)))
        speeds.append(opening_speeds(said.motion))
    rows: dict[str, dict[str, float | None]] = {}
    for language in languages():
        values = [value for name, value in each.items() if name.startswith(f"{language.voice}_")]
        if values:
            rows[language.name] = mean_metrics(values)
    rows["all"] = mean_metrics(list(each.values()))
    progress(1.0, "Comparing")
    return {
        "set": str(folder),
        "weights": weights or "default",
        "clips": len(each),
        "rows": rows,
        "speeds": percentiles(speeds),
        "each": {name: mean_metrics([value]) for name, value in each.items()},
    }


def lips_on_classes(gap: np.ndarray, phones: Sequence[Phone], rate: float = FRAME_RATE) -> dict[str, float]:
    """Whether lips shut and open where sounds of any language need it.

    Args:
        gap: (T,) opening ÷ mouth width. phones: start and end in seconds and the class (`ipa.lip_class`).
        rate: frames/s of the gaps.

    Returns:
        `bilabials shut`: share; `vowels opened`: share of the open vowels with a gap over `OPENED`; `gap closed`, `gap
        open`: mean gap on bilabials and on open vowels; `contrast`: their difference in standard deviations of the
        gap, as the closure score; `false closures` a second. NaN where there is no such sound.
    """
    vowels = [phone for phone in phones if phone[2] == OPEN and phone[1] - phone[0] >= _LEAST_VOWEL]
    shut, wide = (
        frames_within(spans(some, (name,)), len(gap), rate) for some, name in ((phones, BILABIAL), (vowels, OPEN))
    )
    parts = [gap[frames_within([(start, end)], len(gap), rate)] for start, end, _ in vowels]
    opened = [part.max() > OPENED for part in parts if len(part)]
    closed = float(gap[shut].mean()) if shut.any() else float("nan")
    opening = float(gap[wide].mean()) if wide.any() else float("nan")
    return {
        "bilabials shut": bilabials_shut(gap, phones, rate, (BILABIAL,)),
        "vowels opened": float(np.mean(opened)) if opened else float("nan"),
        "gap closed": closed,
        "gap open": opening,
        "contrast": (opening - closed) / max(float(gap.std()), 1e-9),
        "false closures": false_closures(gap, phones, rate, (BILABIAL, LABIODENTAL, SILENCE)),
    }
