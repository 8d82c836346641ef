"""Which phone is spoken when, by PocketSphinx (Carnegie Mellon University, BSD), whose models are in its wheel.

For training and measuring only: a prediction never needs it. It is installed with the development requirements.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count, takewhile
from typing import Any

import numpy as np
from makeittalk.exchange.constants import SAMPLE_RATE
from makeittalk.exchange.errors import MissingError
from makeittalk.networks.phones import BILABIALS, PHONES

from .pronunciation import pronounce

#: Start and end in seconds and the ARPAbet symbol, SIL for silence.
Phone = tuple[float, float, str]

SILENCE = PHONES[0]
VOWELS = frozenset("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split())
BILABIAL_INDICES = tuple(PHONES.index(name) for name in BILABIALS)
_FRAME = 0.01  # s, PocketSphinx's frame …
_WINDOW = 0.025625  # … and the window that it looks at from there on
#: Where a window's middle lies on average between two frames: the edge of a phone, as against its frame's number.
_EDGE = (_WINDOW - _FRAME) / 2
_STOPS = frozenset("P B T D K G".split())
_LONGEST_STOP = 0.15  # s; a stop that seems longer has swallowed the pause before it, as silent as itself
_FILLERS = frozenset((SILENCE, "+NSN+", "+SPN+"))
_FILLER_WORDS = ("<", "[")  # what the names of pauses and noises begin with
_VARIANT = re.compile(r"\(\d+\)$")  # how PocketSphinx tells a word's pronunciations apart


@dataclass(frozen=True)
class AlignedWord:
    """A word and where it lies.

    Attributes:
        text: as it was given, empty for a pause or a noise. phones: of the pronunciation that fits best.
        score: logarithm of how well they fit, PocketSphinx's own unit, summed over the frames.
    """

    text: str
    phones: list[Phone]
    score: float


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
        # "batch" takes a recording's own mean off its cepstra, where the default begins with a mean of its own.
        self._new: Any = partial(Decoder, loglevel="FATAL", cmn="batch")
        # Known words must not be lost to a narrow beam, and pauses between them cost next to nothing. The best path
        # through the lattice, unlike the search's own, begins with a word of no length that no phones fit into.
        self._decoder: Any = self._new(bestpath=False, beam=1e-60, pbeam=1e-60, wbeam=1e-40, silprob=0.5)

    def recognise(self, samples: np.ndarray) -> list[Phone]:
        """Phones of what it understands of a recording, (n,) at 16 kHz; empty where it understands nothing."""
        listener = self._new()
        _run(listener, samples)
        heard = listener.hyp()
        words = heard.hypstr.split() if heard is not None else []
        return self.align(samples, words) if words else []

    def align(self, samples: np.ndarray, words: Sequence[str]) -> list[Phone]:
        """Phones of known words, as `pronunciation.pronounce` takes them; empty where they do not fit the sound.

        Raises:
            InputError: a word cannot be said. MissingError: a word is not in the dictionary, and eSpeak NG is missing.
        """
        return [phone for word in self.align_words(samples, words) for phone in word.phones]

    def align_words(self, samples: np.ndarray, words: Sequence[str]) -> list[AlignedWord]:
        """Known words with their phones, pauses between them included; empty where they do not fit the sound.

        Raises:
            InputError: a word cannot be said. MissingError: a word is not in the dictionary, and eSpeak NG is missing.
        """
        for word in words:
            self._learn(word)
        # Nothing may be left of the recording before: phones would depend on the order.
        self._decoder.reinit_feat()
        with contextlib.suppress(RuntimeError):
            self._decoder.set_align_text(" ".join(words))
            _run(self._decoder, samples)
            self._decoder.set_alignment()
            _run(self._decoder, samples)
            found = [_aligned(word) for word in self._decoder.get_alignment() or ()]
            # A search that ends before the last word leaves a shorter alignment, not an error.
            if [word.text for word in found if word.text] == list(words):
                return found
        return []

    def _known(self, word: str) -> tuple[str, ...]:
        """The pronunciations that the dictionary has of a word."""
        names = (word if number == 1 else f"{word}({number})" for number in count(1))
        return tuple(takewhile(bool, map(self._decoder.lookup_word, names)))

    def _learn(self, word: str) -> None:
        """Adds a word's pronunciations to the dictionary, where it is not there."""
        if not self._decoder.lookup_word(word):
            for number, phones in enumerate(pronounce(word, self._known), 1):
                self._decoder.add_word(word if number == 1 else f"{word}({number})", phones)


def _run(decoder: Any, samples: np.ndarray) -> None:
    raw = (np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes()
    decoder.start_utt()
    decoder.process_raw(raw, full_utt=True)
    decoder.end_utt()


def _aligned(word: Any) -> AlignedWord:
    """A word of PocketSphinx's alignment, whose frames become seconds."""
    phones: list[Phone] = []
    for phone in word:
        start = phone.start * _FRAME + _EDGE if phone.start else 0.0
        end = (phone.start + phone.duration) * _FRAME + _EDGE
        name = SILENCE if phone.name in _FILLERS else phone.name
        if name in _STOPS and end - start > _LONGEST_STOP:
            phones.append((start, end - _LONGEST_STOP, SILENCE))
            start = end - _LONGEST_STOP
        phones.append((start, end, name))
    text = "" if word.name.startswith(_FILLER_WORDS) else _VARIANT.sub("", word.name)
    return AlignedWord(text, phones, word.score)


def phone_track(phones: list[Phone], frames: int, rate: float) -> np.ndarray:
    """Index into PHONES of the phone at each frame, (frames,) int64; silence where there is none."""
    track = np.zeros(frames, np.int64)
    for start, end, name in phones:
        track[max(0, round(start * rate)) : max(0, round(end * rate))] = PHONES.index(name)
    return track


assert SAMPLE_RATE == 16_000  # what the models were made for
