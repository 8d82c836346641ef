"""A baked motion as tables other programs read: .json and .csv."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..exchange.amounts import Amounts
from ..exchange.formats import Bake, Motion, motion_table
from ..exchange.formats.motion_table import MotionTable


def table_of(motion: Motion, bake: Bake) -> MotionTable:
    """What a bake shows with the amounts that its motion was made with."""
    amounts = motion.parts.amounts if motion.parts is not None else Amounts()
    # The bone's axes back to the design's: x right, y down, z away.
    turn = amounts.head * bake.head_rotation * (1.0, -1.0, -1.0)
    shift = amounts.head * bake.head_location * (1.0, -1.0, -1.0)
    return MotionTable(float(bake.fps), [str(name) for name in bake.key_names], bake.key_values(amounts), turn, shift)


def write_csv(path: Path, motion: Motion, bake: Bake) -> None:
    """The table of Live Link Face: a row a frame, ARKit's blend shapes and the angles of the head.

    Raises:
        OutputError: it cannot be written.
    """
    motion_table.write_live_link(path, table_of(motion, bake))


def write_json(path: Path, motion: Motion, bake: Bake) -> None:
    """Every key and the head by name, and the landmarks of every network frame in pixels.

    Raises:
        OutputError: it cannot be written.
    """
    landmarks = {"fps": motion.fps, "points": np.round(motion.landmarks, 2).tolist()}
    motion_table.write_json(path, table_of(motion, bake), {"landmarks": landmarks})
