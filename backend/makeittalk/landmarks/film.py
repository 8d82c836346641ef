"""Reads the pictures of a film, upright and on the film's own clock."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any, NamedTuple

import av
import numpy as np

from ..audio.container import open_media
from ..exchange import storage
from ..exchange.errors import InputError

_LONGEST_STILL = 10.0  # s: a timestamp that is further away from the last one is damaged


class Frame(NamedTuple):
    """A picture of a film.

    Attributes:
        rgb: (H, W, 3) uint8. time: seconds from the film's beginning.
        fps: the mean rate that the film states, 25 without one. stated: whether it does.
        expected: how many frames there will be, 0 if unknown.
    """

    rgb: np.ndarray
    time: float
    fps: float
    stated: bool
    expected: float


def film_frames(path: str | os.PathLike[str]) -> Generator[Frame]:
    """The frames of a film, one after the other.

    Raises:
        InputError: the file is no film, is damaged, or its timestamps leap.
    """
    storage.check_file(path)
    try:
        with open(path, "rb") as stream, open_media(path, stream, "film") as container:
            if not container.streams.video:
                raise InputError(f"{path} holds no picture.", "Choose a film of a speaking face.")
            yield from _frames(path, container)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the file.") from error


def _frames(path: str | os.PathLike[str], container: Any) -> Generator[Frame]:
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    rate = stream.average_rate or stream.guessed_rate or stream.base_rate
    fps = float(rate) if rate else 25.0
    expected = stream.frames or float((container.duration or 0) / av.time_base) * fps
    start = float(container.start_time / av.time_base) if container.start_time is not None else None
    last = 0.0
    for index, frame in enumerate(container.decode(stream)):
        time = last + 1 / fps if index else 0.0
        if frame.time is not None:
            start = frame.time if start is None else start
            time = frame.time - start
        if abs(time - last) > _LONGEST_STILL:
            raise InputError(f"{path} shows no picture between {last:.2f} s and {time:.2f} s.", "Cut that part out.")
        last = time
        yield Frame(_upright(frame), time, fps, bool(rate), expected)


def _upright(frame: Any) -> np.ndarray:
    """The frame's RGB pixels the way a player shows them: telephones film sideways and note the turn."""
    rgb = frame.to_ndarray(format="rgb24")
    turns = round(getattr(frame, "rotation", 0) / 90) % 4  # counter-clockwise
    return np.ascontiguousarray(np.rot90(rgb, turns)) if turns else rgb
