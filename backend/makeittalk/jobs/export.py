"""A baked motion as tables other programs read: .json and .csv."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from ..exchange import storage
from ..exchange.amounts import Amounts
from ..exchange.formats import Bake, Motion

_HEAD = ("headPitch", "headYaw", "headRoll", "headX", "headY", "headZ")


def _rows(motion: Motion, bake: Bake) -> np.ndarray:
    """(N, 1 + 6 + K): seconds, the head in degrees and shares of the picture's height, the keys' values."""
    assert motion.image_size is not None
    amounts = motion.parts.amounts if motion.parts is not None else Amounts()
    # The bone's axes back to the design's: x right, y down, z away.
    turn = amounts.head * np.degrees(bake.head_rotation) * (1.0, -1.0, -1.0)
    shift = amounts.head * bake.head_location * (1.0, -1.0, -1.0)
    times = np.arange(bake.frames)[:, None] / bake.fps
    return np.concatenate([times, turn, shift, bake.key_values(amounts)], axis=1)


def write_csv(path: Path, motion: Motion, bake: Bake) -> None:
    """One row a frame: time (s), head pitch, yaw, roll (degrees), head shift (picture heights), shape-key values.

    Raises:
        OutputError: it cannot be written.
    """
    with storage.replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["seconds", *_HEAD, *map(str, bake.key_names)])
        table.writerows([[f"{value:.5g}" for value in row] for row in _rows(motion, bake)])


def write_json(path: Path, motion: Motion, bake: Bake) -> None:
    """The same columns by name, and the landmarks of every network frame in pixels.

    Raises:
        OutputError: it cannot be written.
    """
    rows = _rows(motion, bake)
    names = ["seconds", *_HEAD, *map(str, bake.key_names)]
    value = {
        "format": 1,
        "fps": float(bake.fps),
        "frames": {name: np.round(column, 5).tolist() for name, column in zip(names, rows.T, strict=True)},
        "landmarks": {"fps": motion.fps, "points": np.round(motion.landmarks, 2).tolist()},
    }
    with storage.replacing(path) as temporary:
        temporary.write_text(json.dumps(value, separators=(",", ":")) + "\n", encoding="utf-8")
