"""Chooses so many speakers of a corpus that their voices cover the space of voices evenly (paper, section 4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from makeittalk.audio.embedding import speaker_embedding
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent

from ..data.poisson_disk import poisson_disk
from .campaign import Campaign, Job, left_out

FOLDER = "speakers"  # of a prepared folder: where the voices are noted


def choose_speakers(
    sounds: Mapping[str, tuple[Path, ...]], count: int, dest: Path, progress: Progress = silent, workers: int = 1
) -> list[str]:
    """Speakers by Poisson disk sampling, each known by the first of its recordings that can be heard.

    Args:
        sounds: recordings of each speaker. count: how many speakers. dest: prepared folder. workers: processes.

    Raises:
        InputError: nobody can be heard.
    """
    jobs = {speaker: Job(paths, paths[:1]) for speaker, paths in sorted(sounds.items())}
    found = Campaign(dest / FOLDER, {"kind": "speakers"}, "Recognising voices", workers).run(hear, jobs, progress)
    left_out(found, dest)
    names = [speaker for speaker, answer in found.items() if not answer.fault]
    return [names[index] for index in poisson_disk(np.array([found[name].value for name in names]), count)]


def hear(speaker: str, sounds: tuple[Path, ...]) -> list[float]:
    """The embedding (256,) of the first sound that holds a voice.

    Raises:
        InputError: none does.
    """
    for sound in sounds:
        try:
            embedding = speaker_embedding(normalise_loudness(load_audio(sound).samples))
        except InputError:
            continue
        if embedding.any():
            return [float(value) for value in embedding]
    raise InputError(f"None of the recordings of {speaker} holds a voice.")
