"""Which phone is spoken when, by PocketSphinx (Carnegie Mellon University, BSD), whose models are in its wheel.

For training and measuring only: a prediction never needs it. It is installed with the development requirements.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from makeittalk.exchange.constants import SAMPLE_RATE
from makeittalk.exchange.errors import MissingError
from makeittalk.networks.phones import BILABIALS, PHONES

#: Start and end in seconds and the ARPAbet symbol, SIL for silence.
Phone = tuple[float, float, str]

VOWELS = frozenset("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split())
BILABIAL_INDICES = tuple(PHONES.index(name) for name in BILABIALS)
_FRAME = 0.01  # s, PocketSphinx's frame
_FILLERS = frozenset(("SIL", "+NSN+", "+SPN+"))


class Aligner:
    """A recogniser with the American English models of the wheel.

    Raises:
        MissingError: PocketSphinx is not installed.
    """

    def __init__(self) -> None:
        try:
            from pocketsphinx import Decoder
        except ImportError as error:
            raise MissingError("Phones need PocketSphinx.", "Install it with `pip install pocketsphinx`.") from error
        # The alignment of known words must not fail for a narrow beam.
        self._decoder: Any = Decoder(loglevel="FATAL", beam=1e-40, wbeam=1e-25, maxhmmpf=3000)

    def recognise(self, samples: np.ndarray) -> list[Phone]:
        """Phones of what it understands of a recording, (n,) at 16 kHz; empty where it understands nothing."""
        self._decoder.activate_search()
        self._run(samples)
        heard = self._decoder.hyp()
        return self.align(samples, heard.hypstr) if heard is not None and heard.hypstr.strip() else []

    def align(self, samples: np.ndarray, words: str) -> list[Phone]:
        """Phones of known words, lower case; empty where a word is not in the dictionary or nothing fits."""
        with contextlib.suppress(RuntimeError):
            self._decoder.set_align_text(words)
            self._run(samples)
            self._decoder.set_alignment()
            self._run(samples)
            found: list[Phone] = []
            for word in self._decoder.get_alignment() or ():
                for phone in word:
                    end = (phone.start + phone.duration) * _FRAME
                    found.append((phone.start * _FRAME, end, "SIL" if phone.name in _FILLERS else phone.name))
            return found
        return []

    def _run(self, samples: np.ndarray) -> None:
        raw = (np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes()
        self._decoder.start_utt()
        self._decoder.process_raw(raw, full_utt=True)
        self._decoder.end_utt()


def phone_track(phones: list[Phone], frames: int, rate: float) -> np.ndarray:
    """Index into PHONES of the phone at each frame, (frames,) int64; silence where there is none."""
    track = np.zeros(frames, np.int64)
    for start, end, name in phones:
        track[max(0, round(start * rate)) : max(0, round(end * rate))] = PHONES.index(name)
    return track


assert SAMPLE_RATE == 16_000  # what the models were made for
