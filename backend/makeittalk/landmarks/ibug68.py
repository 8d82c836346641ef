"""The iBUG-68 face points: which index is which part, which mirror each other, where MediaPipe's mesh has them.

"Right" is the person's right, on the left of a picture. NumPy only.
"""

from __future__ import annotations

import numpy as np

JAW = np.arange(0, 17)
BROW_RIGHT = np.arange(17, 22)
BROW_LEFT = np.arange(22, 27)
NOSE = np.arange(27, 36)
EYE_RIGHT = np.arange(36, 42)
EYE_LEFT = np.arange(42, 48)
LIP_OUTER = np.arange(48, 60)
LIP_INNER = np.arange(60, 68)
LIPS = np.arange(48, 68)
BROWS_AND_EYES = np.concatenate([BROW_RIGHT, BROW_LEFT, EYE_RIGHT, EYE_LEFT])

#: The eight facial parts of the paper's Laplacian loss.
PARTS = {
    "jaw": JAW,
    "brow_right": BROW_RIGHT,
    "brow_left": BROW_LEFT,
    "nose": NOSE,
    "eye_right": EYE_RIGHT,
    "eye_left": EYE_LEFT,
    "lip_outer": LIP_OUTER,
    "lip_inner": LIP_INNER,
}
#: Parts drawn as closed outlines.
CLOSED_PARTS = frozenset(("eye_right", "eye_left", "lip_outer", "lip_inner"))

#: Points that speech hardly moves: nose and eyes. The head pose is fitted on them.
STABLE = np.arange(27, 48)
#: Nose bridge, nostrils and eye corners: not even blinks move these.
REGISTRATION = np.array([27, 28, 29, 30, 33, 36, 39, 42, 45])

#: Inner lips from corner 60 to corner 64, above and below; each pair meets when the mouth shuts.
UPPER_INNER = (60, 61, 62, 63, 64)
LOWER_INNER = (60, 67, 66, 65, 64)
INNER_PAIRS = ((61, 67), (62, 66), (63, 65))
#: Upper and lower lid, the inner two points of each.
LID_PAIRS = ((37, 41), (38, 40), (43, 47), (44, 46))
OUTER_PAIRS = ((49, 59), (50, 58), (51, 57), (52, 56), (53, 55))

#: MIRROR[i] is the point on the other side of the face.
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

#: Vertex of MediaPipe's face mesh for each point.
MEDIAPIPE = np.array(
    [
        *(127, 234, 93, 132, 58, 172, 136, 150, 152, 379, 365, 397, 288, 361, 323, 454, 356),
        *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),
        *(168, 197, 5, 4, 75, 97, 2, 326, 305),
        *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
        *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
        *(78, 82, 13, 312, 308, 317, 14, 87),
    ]
)
#: Its vertices of each iris, right and left: the middle, then four points on the edge.
MEDIAPIPE_IRISES = np.array([[468, 469, 470, 471, 472], [473, 474, 475, 476, 477]])
