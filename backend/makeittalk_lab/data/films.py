"""Reads films of faces that are short enough to be kept in memory."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
from makeittalk.exchange.errors import InputError
from makeittalk.landmarks.film import film_frames

_LONGEST = 3000  # frames of a film that are kept in memory


def read_film(path: str | Path) -> np.ndarray:
    """Every picture of a short film, (T, H, W, 3) uint8 RGB.

    Raises:
        InputError: it is no film, or longer than 3000 frames.
    """
    pictures = []
    with closing(film_frames(path)) as frames:
        for frame in frames:
            pictures.append(frame.rgb)
            if len(pictures) > _LONGEST:
                raise InputError(f"{path} is longer than {_LONGEST} frames.", "Cut the film.")
    if not pictures:
        raise InputError(f"{path} holds no frames.", "Choose a film of a face.")
    return np.stack(pictures)


def films_in(source: Path) -> list[Path]:
    """The films of a folder, or of a GRID speaker's `video` in it.

    Raises:
        InputError: there are none.
    """
    films = sorted((source / "video" if (source / "video").is_dir() else source).glob("*.mp4"))
    if not films:
        raise InputError(f"{source} holds no films (*.mp4).", "Name a folder of films of faces.")
    return films
