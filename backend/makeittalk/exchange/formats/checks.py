"""What every reader of the project's files asks of what it found: format, rate, shapes, numbers, names.

Whatever passes can be handed to Blender and to the networks as it is: these bounds are the only ones.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ..constants import MAX_AUDIO_SECONDS, MAX_PORTRAIT_SIDE
from ..errors import InputError
from ..rates import HIGHEST, LOWEST

FORMAT = 1
MAX_COORDINATE = 1e6  # px: beyond it a coordinate is damage, not a face
_MAX_FRAMES = int(MAX_AUDIO_SECONDS * HIGHEST)
#: The most that a letter of a shape may stand for.
_LARGEST = {
    "T": _MAX_FRAMES,  # of a motion
    "N": _MAX_FRAMES,  # of a scene
    "V": 2**16,  # vertices: eighty times those of a portrait today
    "F": 2**17,  # triangles: a plane has twice as many as vertices
    "K": 256,  # shape keys; the released basis has 53
    "H": 4096,  # px of the mouth's texture
    "I": 4096,
    "J": 4096,  # px of the eyes' texture
    "L": 4096,
    "P": 2**20,  # phones of a recording: those of four hours are a fifth of it
    "S": 2**20,  # mouth shapes of it
    "W": 2**18,  # words of it
}
_LONGEST_TEXT = 2**14  # bytes of one entry of an array of words
_LONGEST_NAME = 63  # bytes of UTF-8: Blender cuts off what is longer
_BLENDERS_OWN = "Basis"  # the name of the key that all others start from
_SMALLEST = 1.0  # px of a face's width and height


def check_format(path: str | os.PathLike[str], value: Any) -> None:
    if isinstance(value, np.ndarray) and value.shape == ():
        value = value.item()
    if type(value) is not int:
        raise InputError(f"{path} does not say which format it has.", "Make the file again.")
    if value != FORMAT:
        raise InputError(f"{path} has format {value}, this version reads {FORMAT}.", "Make the file again.")


def check_rate(path: str | os.PathLike[str], value: np.ndarray, highest: float = HIGHEST) -> float:
    fps = float(value)
    if not LOWEST <= fps <= highest:
        raise InputError(f"{path} runs at {fps:g} frames a second.", f"Between {LOWEST} and {highest} is possible.")
    return fps


def check_shape(
    path: str | os.PathLike[str],
    name: str,
    shape: tuple[int, ...],
    pattern: tuple[int | str, ...],
    sizes: dict[str, int] | None = None,
) -> None:
    """Compares a shape with its pattern; a letter stands for one size throughout the file, within its bounds."""
    sizes = {} if sizes is None else sizes
    fits = len(shape) == len(pattern)
    if fits:
        for have, want in zip(shape, pattern, strict=True):
            if isinstance(want, str):
                fits &= 0 < have <= _LARGEST[want] and sizes.setdefault(want, have) == have
            else:
                fits &= have == want
    if not fits:
        raise InputError(f"{path}: the array {name!r} has the shape {shape}.", f"It must be {pattern}.")


def check_kind(path: str | os.PathLike[str], name: str, kind: np.dtype) -> None:
    """Sees to it that an array holds numbers, or words where it is for words."""
    words = name.endswith("names") or name == "post"
    if kind.kind not in ("U" if words else "iuf") or (words and kind.itemsize > _LONGEST_TEXT):
        raise InputError(f"{path}: the array {name!r} has the type {kind}.", "Make the file again.")


def check_numbers(path: str | os.PathLike[str], name: str, array: np.ndarray) -> None:
    """Sees to it that an array of numbers holds those that a face can have."""
    # Whole numbers too: int64 holds what no coordinate is and no integer of Blender's.
    if array.dtype.kind != "U" and not (array.min() > -MAX_COORDINATE and array.max() < MAX_COORDINATE):
        raise InputError(f"{path}: the array {name!r} holds impossible numbers.", "Make the file again.")


def check_size(path: str | os.PathLike[str], size: np.ndarray, largest: int = MAX_PORTRAIT_SIDE) -> np.ndarray:
    """The width and height of a picture, (2,) int32 px, of what a file says they are."""
    whole = size.dtype.kind in "iuf" and bool((size == np.floor(size)).all())
    if not (whole and size.min() >= 1 and size.max() <= largest):
        raise InputError(f"{path} names an impossible picture size.", "Make the file again.")
    return size.astype(np.int32)


def check_face(path: str | os.PathLike[str], landmarks: np.ndarray) -> None:
    """Sees to it that landmarks (68, 3) px have the extent and the distance of the jaw's ends that others divide by."""
    extent = np.ptp(landmarks[:, :2], axis=0).min()
    if not min(float(extent), float(np.linalg.norm(landmarks[16] - landmarks[0]))) >= _SMALLEST:
        raise InputError(f"{path} holds landmarks that do not form a face.", "Correct the landmarks.")


def check_keys(path: str | os.PathLike[str], names: np.ndarray, ranges: np.ndarray) -> None:
    """Sees to it that (K,) names can be those of shape keys, and that (K, 2) ranges have a lower and an upper end."""
    known = [str(name) for name in names]
    usable = [name for name in known if name.isprintable() and 0 < len(name.encode()) <= _LONGEST_NAME]
    if len(usable) < len(known) or len(set(known)) < len(known) or _BLENDERS_OWN in known:
        raise InputError(f"{path} has shape keys with impossible names.", "Make the file again.")
    if not (ranges[:, 0] < ranges[:, 1]).all():
        raise InputError(f"{path} has shape keys without a range.", "Make the file again.")
