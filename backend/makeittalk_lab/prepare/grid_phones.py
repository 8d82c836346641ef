"""The mouth that a filmed speaker of GRID makes for a sequence of phones, for voices that nobody filmed."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, part, silent

from ..data.clips import Clip, Prepared
from ..data.phone_files import cached_phones
from ..data.phones import Aligner, Phone, phone_track
from ..data.transcripts import aligned_words, grid_words
from ..synthetic.phone_motion import TRAINING_STEPS, PhoneMotion, learn_phone_motion, to_visemes


def learn_grid_motion(
    prepared: Prepared,
    films: Path,
    phones: Path,
    progress: Progress = silent,
    steps: int = TRAINING_STEPS,
    aligner: Callable[[], Aligner] = Aligner,
) -> PhoneMotion:
    """The mouth that a filmed speaker's clips teach; what phones they hold is kept in the folder `phones`."""
    clips, tracks = read_grid_phones(prepared, films, phones, lru_cache(aligner), part(progress, 0.0, 0.5))
    return learn_phone_motion(clips, tracks, part(progress, 0.5, 1.0), steps)


def read_grid_phones(
    prepared: Prepared, films: Path, kept: Path, aligner: Callable[[], Aligner], progress: Progress = silent
) -> tuple[list[Clip], list[np.ndarray]]:
    """GRID's clips to train on and the phone at each of their frames.

    Raises:
        InputError: `films` is not the folder that the clips were made from.
    """
    clips: list[Clip] = []
    tracks: list[np.ndarray] = []
    for number, name in enumerate(prepared.train):
        progress(number / len(prepared.train), "Aligning words")
        found = cached_phones(kept / f"{name}.json", partial(_align, films, name, aligner))
        if found:
            clip = prepared.clip(name)
            clips.append(clip)
            tracks.append(phone_track(to_visemes(found), len(clip.mel), FRAME_RATE))
    if not clips:
        raise InputError(f"The phones of no clip in {prepared.folder} are known.", "Name a prepared GRID folder.")
    return clips, tracks


def _align(films: Path, name: str, aligner: Callable[[], Aligner]) -> list[Phone]:
    """Phones of a GRID sentence, whose words are known."""
    path = films / "align" / f"{name}.align"
    words = aligned_words(path) or grid_words(name)
    if not words:
        raise InputError(f"{path} holds no words.", "Name the GRID folder that the clips were made from.")
    folder = films / "audio" if (films / "audio").is_dir() else films
    return aligner().align(load_audio(folder / f"{name}.flac").samples, words)
