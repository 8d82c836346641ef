"""What is heard in a recording and how a mouth shows it: `cues.npz`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..constants import MAX_AUDIO_SECONDS
from ..cues import Cue
from ..errors import InputError
from .arrays import ArraysFile

_LATE = 0.01  # s that a cue may end behind its recording


@dataclass
class Cues(ArraysFile):
    """Phones, words and mouth shapes of a recording (`cues.npz`), each in the order of their times.

    Attributes:
        seconds: length of the recording.
        phone_times: (P, 2) start and end, s. phone_names: (P,) ARPAbet, silence included.
        shape_times: (S, 2) start and end, s. shape_names: (S,) letters of `exchange.cues.SHAPES`.
        word_times: (W, 2) start and end, s. word_names: (W,) as they were given; both None where none were.
    """

    seconds: float
    phone_times: np.ndarray
    phone_names: np.ndarray
    shape_times: np.ndarray
    shape_names: np.ndarray
    word_times: np.ndarray | None = None
    word_names: np.ndarray | None = None

    @classmethod
    def of(cls, seconds: float, phones: Sequence[Cue], shapes: Sequence[Cue], words: Sequence[Cue] = ()) -> Cues:
        """The file of these cues; there is at least one phone and one shape."""
        return cls(seconds, *_split(phones), *_split(shapes), *(_split(words) if words else (None, None)))

    def phones(self) -> list[Cue]:
        return _joined(self.phone_times, self.phone_names)

    def shapes_shown(self) -> list[Cue]:
        return _joined(self.shape_times, self.shape_names)

    def words(self) -> list[Cue]:
        return [] if self.word_times is None or self.word_names is None else _joined(self.word_times, self.word_names)

    @classmethod
    def shapes(cls) -> dict[str, tuple[int | str, ...]]:
        return {
            "seconds": (),
            "phone_times": ("P", 2),
            "phone_names": ("P",),
            "shape_times": ("S", 2),
            "shape_names": ("S",),
            "word_times": ("W", 2),
            "word_names": ("W",),
        }

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Cues:
        """Reads cues.

        Raises:
            InputError: the file is damaged.
        """
        values: dict[str, Any] = cls.read(path, frozenset(cls.shapes()) - {"word_times", "word_names"})
        seconds = values["seconds"] = float(values["seconds"])
        if not 0.0 < seconds <= MAX_AUDIO_SECONDS or ("word_times" in values) != ("word_names" in values):
            raise InputError(f"{path} is of no recording.", "Make the file again.")
        for name in [name for name in values if name.endswith("_times")]:
            times = values[name] = values[name].astype(np.float64)
            flat = times.ravel()
            if flat[0] < 0.0 or flat[-1] > seconds + _LATE or (np.diff(flat) < 0.0).any():
                raise InputError(f"{path}: the times in {name!r} are out of order.", "Make the file again.")
        return cls(**values)


def _split(cues: Sequence[Cue]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([cue[:2] for cue in cues], np.float64), np.array([cue.name for cue in cues])


def _joined(times: np.ndarray, names: np.ndarray) -> list[Cue]:
    return [Cue(start, end, str(name)) for (start, end), name in zip(times.tolist(), names, strict=True)]
