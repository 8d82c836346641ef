"""Where there is room: boxes along the world's axes, and how far one has to slide to touch no other. No bpy here."""

from __future__ import annotations

import numpy as np

_TOUCH = 1e-6  # Blender units: boxes that share a face do not meet


def box_of(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The box of points after a transformation.

    Args:
        points: (N, 3), Blender units. matrix: (4, 4) to the world.

    Returns:
        (2, 3): its lowest and its highest corner.
    """
    placed = np.asarray(points, np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    return np.stack([placed.min(axis=0), placed.max(axis=0)])


def meets(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Which of the boxes (N, 2, 3) share room with a box (2, 3): (N,) bool."""
    return ((boxes[:, 0] < box[1] - _TOUCH) & (box[0] + _TOUCH < boxes[:, 1])).all(axis=1)


def encloses(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Which of the boxes (N, 2, 3) hold a whole box (2, 3) inside: (N,) bool."""
    return ((boxes[:, 0] < box[0]) & (box[1] < boxes[:, 1])).all(axis=1)


def slide(box: np.ndarray, boxes: np.ndarray, axis: int, gap: float) -> float:
    """The shortest way along an axis after which a box meets none of the others.

    Args:
        box: (2, 3). boxes: (N, 2, 3). axis: 0, 1 or 2.
        gap: what is left between them where it has to move.

    Returns:
        The signed way, 0 where it meets none; of two that are as long, the positive one.
    """
    if not meets(box, boxes).any():
        return 0.0
    across = [other for other in range(3) if other != axis]
    beside = ((boxes[:, 0] < box[1] - _TOUCH) & (box[0] + _TOUCH < boxes[:, 1]))[:, across].all(axis=1)
    taken = boxes[beside][:, :, axis]
    starts, ends = taken[:, 0] - box[1, axis] - gap, taken[:, 1] - box[0, axis] + gap
    ways = np.concatenate([ends, starts])
    free = [way for way in ways if not ((starts < way - _TOUCH) & (way + _TOUCH < ends)).any()]
    return float(min(free, key=lambda way: (round(abs(way), 6), way < 0)))
