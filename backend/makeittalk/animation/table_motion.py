"""The motion of a portrait from a table of ARKit's shapes, such as a take that was filmed with Live Link Face."""

from __future__ import annotations

import numpy as np

from ..audio.windows import in_blocks
from ..exchange.formats import Face, Motion
from ..exchange.formats.motion_table import MotionTable
from ..landmarks.pose import compose_pose, neck_pivot
from .basis import MOUTH_SHUT, character_keys


def motion_of_table(table: MotionTable, face: Face) -> Motion:
    """How a face moves that has the shapes and the head of a table on each of its frames.

    Its mouth is shut where the table opens nothing, whatever the portrait shows. What no landmark says, where the eyes
    look and where the head is, stays as in the portrait.

    Args:
        table: at any rate. face: the portrait's landmarks.
    """
    neutral = face.landmarks.astype(np.float32)
    names, moves, _ = character_keys(neutral)
    known = {name: column for column, name in enumerate(table.names)}
    values = np.zeros((table.frames, len(names)), np.float32)
    for column, name in enumerate(map(str, names)):
        if name in known:
            values[:, column] = table.values[:, known[name]]
    values[:, list(names).index(MOUTH_SHUT)] = 1.0
    keys = moves.reshape(len(names), -1)
    expression = np.empty((table.frames, *neutral.shape), np.float32)
    in_blocks(lambda some: (some @ keys).reshape(-1, *neutral.shape), [values], expression)
    rotation = table.head_rotation.astype(np.float32)
    shift, pivot = np.zeros_like(rotation), neck_pivot(neutral)
    landmarks = in_blocks(
        lambda some, turned, moved: compose_pose(neutral, some, turned, moved, pivot),
        [expression, rotation, shift],
        np.empty_like(expression),
    )
    return Motion(table.fps, landmarks, neutral, expression, rotation, shift, pivot)
