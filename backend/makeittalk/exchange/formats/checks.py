"""What every reader of the project's files asks of what it found: format, rate, shapes, numbers."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ..errors import InputError

FORMAT = 1
MAX_COORDINATE = 1e6  # px: beyond it a coordinate is damage, not a face


def check_format(path: str | os.PathLike[str], value: Any) -> None:
    try:
        number = int(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path} does not say which format it has.", "Make the file again.") from error
    if number != FORMAT:
        raise InputError(f"{path} has format {number}, this version reads {FORMAT}.", "Make the file again.")


def check_rate(path: str | os.PathLike[str], value: np.ndarray) -> float:
    fps = float(value)
    if not 1.0 <= fps <= 1000.0:
        raise InputError(f"{path} runs at {fps:g} frames a second.", "Between 1 and 1000 is possible.")
    return fps


def check_array(
    path: str | os.PathLike[str],
    name: str,
    array: np.ndarray,
    shape: tuple[int | str, ...],
    sizes: dict[str, int] | None = None,
) -> None:
    """Compares a shape with its pattern; a letter stands for one size throughout the file."""
    sizes = {} if sizes is None else sizes
    fits = array.ndim == len(shape)
    if fits:
        for have, want in zip(array.shape, shape, strict=True):
            if isinstance(want, str):
                fits &= have > 0 and sizes.setdefault(want, have) == have
            else:
                fits &= have == want
    if not fits:
        raise InputError(f"{path}: the array {name!r} has the shape {array.shape}.", f"It must be {shape}.")
    if array.dtype.kind == "f" and not (np.isfinite(array).all() and np.abs(array).max(initial=0) < MAX_COORDINATE):
        raise InputError(f"{path}: the array {name!r} holds impossible numbers.", "Make the file again.")
    text = name.endswith("names") or name == "post"
    if array.dtype.kind not in ("U" if text else "iuf"):
        raise InputError(f"{path}: the array {name!r} has the type {array.dtype}.", "Make the file again.")
