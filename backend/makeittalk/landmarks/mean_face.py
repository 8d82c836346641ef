"""The mean face that a portrait's own head pose is measured against.

The average of two frontal faces in iBUG-68 points: MediaPipe's view of GRID's speaker s1 (Cooke et al. 2006, CC BY 4.0)
and the neutral head of ICT-FaceKit (USC ICT 2020, MIT), whose axes say what frontal is; made symmetric.
"""

from __future__ import annotations

import numpy as np

from .ibug68 import MIRROR

# The person's right half and the middle line, in the order of the indices: canonical frame, x right, y down, z away,
# jaw ends 1.6 apart. fmt: off keeps one facial part a block.
# fmt: off
_RIGHT_HALF = np.array(
    [
        # jaw: 0, 1, 2, 3, 4, 5, 6, 7, 8
        (-0.800, 0.0, 0.0), (-0.792, 0.214, 0.002), (-0.767, 0.414, -0.038), (-0.733, 0.615, -0.098),
        (-0.663, 0.832, -0.194), (-0.548, 1.002, -0.327), (-0.437, 1.092, -0.475), (-0.299, 1.154, -0.615),
        (0.0, 1.242, -0.749),
        # brow: 17, 18, 19, 20, 21
        (-0.643, -0.225, -0.502), (-0.562, -0.307, -0.606), (-0.447, -0.345, -0.689), (-0.301, -0.342, -0.758),
        (-0.151, -0.317, -0.790),
        # nose: 27, 28, 29, 30, 31, 32, 33
        (0.0, -0.087, -0.794), (0.0, 0.059, -0.897), (0.0, 0.196, -1.010), (0.0, 0.316, -1.071),
        (-0.145, 0.471, -0.833), (-0.078, 0.488, -0.878), (0.0, 0.493, -0.895),
        # eye: 36, 37, 38, 39, 40, 41
        (-0.495, -0.044, -0.552), (-0.427, -0.090, -0.630), (-0.309, -0.098, -0.649), (-0.197, -0.026, -0.615),
        (-0.299, -0.010, -0.639), (-0.418, -0.009, -0.619),
        # outer lip: 48, 49, 50, 51, 55, 56, 57
        (-0.284, 0.771, -0.721), (-0.180, 0.684, -0.859), (-0.084, 0.650, -0.907), (0.0, 0.661, -0.918),
        (0.186, 0.852, -0.831), (0.104, 0.880, -0.876), (0.0, 0.889, -0.888),
        # inner lip: 60, 61, 62, 65, 66
        (-0.252, 0.769, -0.728), (-0.091, 0.747, -0.841), (0.0, 0.750, -0.857), (0.095, 0.769, -0.841),
        (0.0, 0.773, -0.857),
    ]
)
# fmt: on
_HALF = np.flatnonzero(np.arange(68) <= MIRROR)


def _whole() -> np.ndarray:
    face = np.empty((68, 3))
    face[_HALF] = _RIGHT_HALF
    face[MIRROR[_HALF]] = _RIGHT_HALF * (-1.0, 1.0, 1.0)
    face[_HALF] = _RIGHT_HALF
    face.setflags(write=False)
    return face


#: (68, 3), canonical frame.
MEAN_FACE = _whole()
