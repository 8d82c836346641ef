"""The 68 landmarks as parts with names, the contours between them, and which mirror each other. No bpy here.

"Right" is the person's right, on the left of a picture. The backend has its own list (`landmarks/ibug68.py`), which
Blender's side never imports; a test holds both together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Part:
    """A part of the face.

    Attributes:
        label: its name for the user. indices: its landmarks. closed: whether its contour is a closed line.
    """

    label: str
    indices: tuple[int, ...]
    closed: bool = False


PARTS = {
    "JAW": Part("Jaw", tuple(range(17))),
    "BROW_RIGHT": Part("Right Brow", tuple(range(17, 22))),
    "BROW_LEFT": Part("Left Brow", tuple(range(22, 27))),
    "NOSE": Part("Nose", tuple(range(27, 36))),
    "EYE_RIGHT": Part("Right Eye", tuple(range(36, 42)), True),
    "EYE_LEFT": Part("Left Eye", tuple(range(42, 48)), True),
    "LIP_OUTER": Part("Outer Lips", tuple(range(48, 60)), True),
    "LIP_INNER": Part("Inner Lips", tuple(range(60, 68)), True),
}
_NOSE_TIP, _WINGS = 30, 31  # the nose is two lines: the bridge down to its tip, and the wings

MIRROR = np.array(
    [
        *range(16, -1, -1),
        *range(26, 16, -1),
        *range(27, 31),
        *range(35, 30, -1),
        *(45, 44, 43, 42, 47, 46),
        *(39, 38, 37, 36, 41, 40),
        *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
        *(64, 63, 62, 61, 60, 67, 66, 65),
    ]
)
#: The landmarks in the middle of a face, from the top down, by whose line it is mirrored.
MIDDLE = np.flatnonzero(np.arange(68) == MIRROR)
#: The landmarks of the person's right half.
RIGHT = np.array(
    [*range(8), *range(17, 22), 31, 32, *range(36, 42), 48, 49, 50, 58, 59, 60, 61, 67],
)


def edges() -> np.ndarray:
    """The contours as pairs of landmarks, (E, 2) int32."""
    found: list[tuple[int, int]] = []
    for part in PARTS.values():
        found += zip(part.indices, part.indices[1:], strict=False)
        if part.closed:
            found.append((part.indices[-1], part.indices[0]))
    return np.array([pair for pair in found if pair != (_NOSE_TIP, _WINGS)], np.int32)


def mirrored(points: np.ndarray, from_right: bool) -> np.ndarray:
    """A face one half of which is the mirror image of the other, the middle put onto the line between them.

    The line goes through the middle points, as near to all of them as it can; depths are those of the kept half.

    Args:
        points: (68, 3) px. from_right: whether the person's right half is kept, else the left one.

    Returns:
        (68, 3), a copy.
    """
    result = np.array(points, np.float64)
    middle = result[MIDDLE, :2]
    centre = middle.mean(axis=0)
    line = np.linalg.svd(middle - centre)[2][0]
    kept = RIGHT if from_right else MIRROR[RIGHT]

    def along(some: np.ndarray) -> np.ndarray:
        return centre + ((some - centre) @ line)[:, None] * line

    result[MIDDLE, :2] = along(middle)
    result[MIRROR[kept], :2] = 2.0 * along(result[kept, :2]) - result[kept, :2]
    result[MIRROR[kept], 2] = result[kept, 2]
    return result
