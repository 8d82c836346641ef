"""Which voices of a corpus learn, validate and test: every network keeps to the same split."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .clips import Prepared

_SHARES = (0.6, 0.2)  # to learn from, to validate; the rest tests (paper, section 4: 60/20/20 by speaker)


def split_voices(names: Iterable[str], seed: int = 0) -> tuple[list[str], list[str], list[str]]:
    """Splits recordings by speaker.

    Args:
        names: of recordings; what stands before the first "-" is the speaker (LibriSpeech's own naming).
        seed: what the split is drawn from.

    Returns:
        names to learn from, to validate and to test, each sorted; no speaker is in two of them.
    """
    names = sorted(names)
    speakers = sorted({speaker_of(name) for name in names})
    order = np.random.default_rng(seed).permutation(len(speakers))
    first, second = (round(share * len(speakers)) for share in np.cumsum(_SHARES))
    part = {speakers[index]: (rank >= first) + (rank >= second) for rank, index in enumerate(order)}
    train, validation, test = ([name for name in names if part[speaker_of(name)] == which] for which in range(3))
    return train, validation, test


def speaker_of(name: str) -> str:
    """The speaker of a recording: what stands before the first "-" of its name."""
    return name.partition("-")[0]


def filmed_speaker(folder: Prepared, name: str) -> str:
    """Whose mouth a prepared clip shows: `s4` of `s4_bbaf2a`, the folder's own speaker where names do not say."""
    speaker, separator, _ = name.partition("_")
    if folder.kind == "grid" and separator:
        return speaker
    return f"{folder.kind} {folder.folder.name}"


def speakers_of(names: Iterable[str]) -> list[str]:
    """The speaker of each clip of a prepared folder; names without one are of a corpus with one speaker."""
    return [speaker_of(name) if "-" in name else "" for name in names]
