"""A camera in front of the head."""

from __future__ import annotations

import numpy as np


class Camera:
    """A camera on the z axis that sees `height` cm of the plane z = 0 around a point in it."""

    def __init__(self, distance: float, height: float, middle: np.ndarray, size: tuple[int, int]) -> None:
        self._size = size
        self.eye = np.array([middle[0], middle[1], distance])
        focal = 2.0 * distance / height  # what lies in the plane z = 0 fills the picture with `height` cm
        near, far = distance - 25.0, distance + 40.0
        matrix = np.zeros((4, 4))
        matrix[0, :] = [focal * size[1] / size[0], 0, 0, -focal * size[1] / size[0] * middle[0]]
        matrix[1, :] = [0, -focal, 0, focal * middle[1]]  # y down: what is read back starts at the top
        matrix[2, :] = [0, 0, -(far + near) / (far - near), (far + near) / (far - near) * distance]
        matrix[2, 3] -= 2 * far * near / (far - near)
        matrix[3, :] = [0, 0, -1, distance]
        self.matrix = matrix

    @classmethod
    def random(cls, rng: np.random.Generator, size: tuple[int, int], centre: np.ndarray) -> Camera:
        """A camera that has the face's centre (3,) about in the middle of its pictures."""
        height = rng.uniform(23.5, 34.0)
        middle = centre[:2] + rng.uniform(-0.06, 0.06, 2) * height + [0.0, 0.03 * height]
        return cls(float(np.exp(rng.uniform(np.log(50.0), np.log(250.0)))), height, middle, size)

    def landmarks(self, points: np.ndarray) -> np.ndarray:
        """Points (68, 3) cm in the picture, px."""
        clip = points @ self.matrix[:, :3].T + self.matrix[:, 3]
        pixels = (clip[:, :2] / clip[:, 3:] * 0.5 + 0.5) * self._size
        middle = (points[0, 2] + points[16, 2]) / 2
        scale = -0.5 * self._size[1] * self.matrix[1, 1] / (self.eye[2] - middle)
        return np.column_stack([pixels, (middle - points[:, 2]) * scale]).astype(np.float32)
