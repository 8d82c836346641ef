"""Reads films of faces that are short enough to be kept in memory."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from makeittalk.exchange import storage
from makeittalk.exchange.errors import InputError

_LONGEST = 3000  # frames of a film that are kept in memory


def read_film(path: str | Path) -> np.ndarray:
    """Every picture of a short film, (T, H, W, 3) uint8 RGB.

    Raises:
        InputError: it is no film, or longer than 3000 frames.
    """
    storage.check_file(path)
    try:
        with open(path, "rb") as stream, av.open(stream, "r", options={"protocol_whitelist": "none"}) as container:
            pictures = []
            for frame in container.decode(video=0):
                pictures.append(frame.to_ndarray(format="rgb24"))
                if len(pictures) > _LONGEST:
                    raise InputError(f"{path} is longer than {_LONGEST} frames.", "Cut the film.")
    except (FFmpegError, OSError, IndexError) as error:
        raise InputError(f"{path} is not a film that can be read.", "Convert it to MP4.") from error
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
