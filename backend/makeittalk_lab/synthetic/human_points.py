"""Where the iBUG-68 points and the inner lips lie on MakeHuman's base mesh, as vertices of `human_kit`."""

from __future__ import annotations

import numpy as np

#: Found with MediaPipe's points on a render, made symmetric, checked by eye; the inner lips' by the mesh's rings.
LANDMARK_VERTICES = np.array(
    [
        *(2254, 2136, 1607, 1747, 996, 894, 741, 1448, 1805, 3656, 2985, 3120, 3214, 3945, 3811, 4322, 4440),
        *(212, 207, 206, 1259, 181, 2481, 3475, 2505, 2506, 2511),
        *(132, 131, 201, 1643, 347, 332, 312, 2618, 2632),
        *(2283, 6, 1073, 1530, 2296, 1068, 3737, 3289, 2314, 4469, 3284, 4482),
        *(1488, 1873, 355, 362, 2640, 4064, 3696, 2759, 2765, 492, 486, 480),
        *(432, 472, 474, 2752, 2716, 2766, 493, 487),
    ]
)
#: The edge of the upper lip where it meets the lower one, left half from the middle to the corner, and of the lower.
UPPER_RING = (474, 2753, 2752, 2751, 2750, 4062, 2749, 2703, 2702, 2717, 3692, 2715, 2716)
LOWER_RING = (493, 2766, 2760, 2754, 2721, 2728, 3667, 2716)


def lip_rings(rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower edge of the mouth from the right corner to the left (n,), (m,): vertices of the skin.

    Args:
        rest: (V, 3) the symmetric base mesh, which tells what mirrors what.
    """

    def mirrored(vertex: int) -> int:
        return int(np.linalg.norm(rest - rest[vertex] * [-1.0, 1.0, 1.0], axis=1).argmin())

    upper, lower = ([*map(mirrored, ring[:0:-1]), *ring] for ring in (UPPER_RING, LOWER_RING))
    return np.array(upper), np.array(lower)


def limit_positions(vertices: np.ndarray, faces: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where Catmull and Clark's subdivision takes vertices of a quad mesh: the limit, (…, n, 3).

    Args:
        vertices: (…, V, 3). faces: (n, 4). wanted: (n,) vertices inside the mesh.
    """
    result = np.empty((*vertices.shape[:-2], len(wanted), 3))
    for index, vertex in enumerate(wanted):
        around = faces[(faces == vertex).any(1)]
        place = (around == vertex).argmax(1)
        corners = np.take_along_axis(around, (place[:, None] + np.arange(4)) % 4, 1)
        count = len(around)
        edges = np.unique(corners[:, [1, 3]])
        total = count**2 * vertices[..., vertex, :] + 4 * vertices[..., edges, :].sum(-2)
        total = total + vertices[..., corners[:, 2], :].sum(-2)
        result[..., index, :] = total / (count**2 + 4 * len(edges) + count)
    return result
