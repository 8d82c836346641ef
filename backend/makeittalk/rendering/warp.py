"""The moving portrait as pictures, without Blender: the mesh moved as Blender moves it, drawn off screen."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol

import numpy as np
from scipy.spatial.transform import Rotation

from ..animation.resample import resample
from ..exchange import formats
from ..exchange.errors import InputError, MissingError
from ..images.textures import shown_textures, straight
from ..mesh.deform import displacements, gaze_displacements
from .raster import CpuRenderer

_BATCH = 64  # frames whose vertices are moved together


class _Renderer(Protocol):
    def draw(self, positions: np.ndarray, head: np.ndarray) -> np.ndarray: ...

    def release(self) -> None: ...


class Warper:
    """Draws frames of one character; use it in a `with` block, in one thread.

    An orthographic camera frames the portrait: at rest, and at the portrait's own size, a frame is the portrait.

    Attributes:
        width, height: size of the frames, px. backend: "gl" or "cpu", who draws.
    """

    def __init__(
        self, mesh: formats.Mesh, rgba: np.ndarray, size: tuple[int, int] | None = None, backend: str = "auto"
    ) -> None:
        """
        Args:
            mesh: the character's mesh. rgba: (H, W, 4) uint8, its portrait.
            size: width, height of the frames, those of the portrait by default.
            backend: "gl", "cpu", or "auto": OpenGL where there is one.

        Raises:
            InputError: the mesh belongs to a portrait of another size.
            MissingError: `backend` is "gl" and there is no OpenGL.
        """
        if (rgba.shape[1], rgba.shape[0]) != tuple(int(side) for side in mesh.image_size):
            raise InputError("The mesh belongs to a portrait of another size.", "Build the mesh from this portrait.")
        if backend not in ("auto", "gl", "cpu"):
            raise ValueError(f"no backend {backend!r}")
        self.mesh = mesh
        self.width, self.height = size if size is not None else (rgba.shape[1], rgba.shape[0])
        self._vertices = mesh.vertices.astype(np.float32)
        self._pivot = mesh.neck_pivot.astype(np.float64)
        textures = shown_textures(mesh, rgba, self.width, self.height)
        self._opaque = all(int(texture[..., 3].min()) == 255 for texture in textures[:2])
        self.backend, self._renderer = self._open(backend, textures)

    def _open(self, backend: str, textures: tuple[np.ndarray, ...]) -> tuple[str, _Renderer]:
        if backend != "cpu":
            try:
                from .gl import GlRenderer

                return "gl", GlRenderer(self.mesh, textures, self.width, self.height)
            except MissingError:
                if backend == "gl":
                    raise
        return "cpu", CpuRenderer(self.mesh, textures, self.width, self.height)

    def frames(self, motion: formats.Motion, fps: float | None = None) -> Iterator[np.ndarray]:
        """The pictures of a motion, one at a time.

        Args:
            motion: of this portrait.
            fps: frames/s wanted, the motion's own by default; closures of the lips are kept.

        Yields:
            (height, width, 4) uint8, straight alpha.
        """
        if fps is not None and abs(float(fps) - motion.fps) > 1e-6:
            motion = resample(motion, float(fps))
        self._pivot = motion.neck_pivot.astype(np.float64)
        for first in range(0, motion.frames, _BATCH):
            batch = slice(first, first + _BATCH)
            moved = self._vertices + displacements(self.mesh, motion.expression[batch])
            if motion.gaze is not None:
                moved += gaze_displacements(self.mesh, motion.gaze[batch])
            matrices = Rotation.from_euler("xyz", motion.head_rotation[batch].astype(np.float64)).as_matrix()
            for positions, matrix, step in zip(moved, matrices, motion.head_translation[batch], strict=True):
                yield self._draw(positions, matrix, step)

    def draw(self, vertices: np.ndarray) -> np.ndarray:
        """The picture of vertices that are already where they shall be seen.

        Args:
            vertices: (V, 3) px, expression and head in them.

        Returns:
            (height, width, 4) uint8, straight alpha.
        """
        return self._draw(vertices, np.eye(3), np.zeros(3))

    def _draw(self, positions: np.ndarray, matrix: np.ndarray, translation: np.ndarray) -> np.ndarray:
        head = np.eye(4)
        head[:3, :3] = matrix
        head[:3, 3] = self._pivot - matrix @ self._pivot + translation
        pixels = self._renderer.draw(positions, head)
        return pixels if self._opaque else straight(pixels)

    def close(self) -> None:
        """Frees what the drawing holds."""
        self._renderer.release()

    def __enter__(self) -> Warper:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
