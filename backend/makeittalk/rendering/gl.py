"""Draws the warp with OpenGL, off screen: moderngl on EGL where there is no display."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exchange import formats
from ..exchange.errors import MissingError
from .shader_source import shader_sources

if TYPE_CHECKING:
    import moderngl

_SAMPLES = 4
_FEW_SAMPLES = 20_000_000  # px of a picture above which multisampling would take gigabytes


def open_context() -> moderngl.Context:
    """An OpenGL context without a window.

    Raises:
        MissingError: this machine has no OpenGL 3.3, or no moderngl.
    """
    try:
        import moderngl
    except ImportError as error:  # Linux on ARM has no wheel for newer Pythons
        raise MissingError("OpenGL cannot be used from this Python.", f"Install moderngl: {error}.") from error
    backends = ("egl",) if sys.platform.startswith("linux") else (None,)
    reasons = []
    for backend in backends:
        try:
            options: dict[str, Any] = {"backend": backend} if backend else {}
            return moderngl.create_context(standalone=True, require=330, **options)
        except Exception as error:  # glcontext raises plain Exception for a missing library, display or version
            reasons.append(str(error))
    raise MissingError("OpenGL is not available.", f"Install Mesa (libegl1, libgl1-mesa-dri): {'; '.join(reasons)}.")


def describe_gl() -> str:
    """Which OpenGL draws the frames, or that the processor does.

    Raises:
        MissingError: never; without OpenGL the fallback is named.
    """
    try:
        context = open_context()
    except MissingError as error:
        return f"none, frames are drawn by the slower built-in renderer ({error.hint})"
    try:
        return f"{context.info['GL_RENDERER']}, OpenGL {context.version_code // 100}.{context.version_code // 10 % 10}"
    finally:
        context.release()


class GlRenderer:
    """Draws moved vertices of one mesh into one size of picture.

    Args:
        mesh: the mesh. textures: of each material, (H, W, 4) uint8, premultiplied. width, height: of the result, px.

    Raises:
        MissingError: there is no OpenGL, or it cannot hold the pictures.
    """

    def __init__(self, mesh: formats.Mesh, textures: tuple[np.ndarray, ...], width: int, height: int) -> None:
        self._context = open_context()
        try:
            self._build(mesh, textures, width, height)
        except Exception as error:
            self._context.release()
            if isinstance(error, MissingError):
                raise
            raise MissingError("OpenGL cannot draw this portrait.", str(error)) from error

    def _build(self, mesh: formats.Mesh, textures: tuple[np.ndarray, ...], width: int, height: int) -> None:
        context = self._context
        largest = int(context.info["GL_MAX_TEXTURE_SIZE"])
        if max(*(side for texture in textures for side in texture.shape[:2]), width, height) > largest:
            raise MissingError("The portrait is too large for OpenGL here.", f"It holds {largest} pixels a side.")
        vertex, fragment = shader_sources()
        self._program = context.program(vertex_shader=vertex, fragment_shader=fragment)
        for unit, (name, picture) in enumerate(zip(("portrait", "mouth", "eyes"), textures, strict=True)):
            flipped = np.ascontiguousarray(picture[::-1])
            texture = context.texture((picture.shape[1], picture.shape[0]), 4, flipped, alignment=1)
            texture.filter = (context.LINEAR, context.LINEAR)
            texture.repeat_x = texture.repeat_y = False
            texture.use(unit)
            self._program[name].value = unit
        layer = np.zeros(len(mesh.vertices), np.float32)
        for material in (1, 2, 3):
            layer[np.unique(mesh.triangles[mesh.material == material])] = min(material, 2)
        translucent = mesh.material == 3
        self._opaque_corners = 3 * int((~translucent).sum())
        triangles = mesh.triangles[np.argsort(translucent, kind="stable")]  # over all that is opaque
        steady = np.column_stack([mesh.head_weights, mesh.uv, layer]).astype(np.float32)
        self._positions = context.buffer(reserve=12 * len(layer), dynamic=True)
        self._array = context.vertex_array(
            self._program,
            [
                (self._positions, "3f", "position"),
                (context.buffer(steady.tobytes()), "1f 2f 1f", "head_weight", "uv", "layer"),
            ],
            context.buffer(triangles.astype(np.uint32).tobytes()),
        )
        samples = _SAMPLES if width * height <= _FEW_SAMPLES else 0
        self._size = (width, height)
        self._canvas = context.framebuffer(
            context.renderbuffer(self._size, 4, samples=samples),
            context.depth_renderbuffer(self._size, samples=samples),
        )
        self._resolved = context.framebuffer(context.renderbuffer(self._size, 4)) if samples else self._canvas
        # Row 0 of what is read back is the bottom of clip space: y is not turned, so that it is the picture's top.
        reach = 4.0 * float(np.abs(mesh.vertices).max() + max(mesh.image_size))
        scale = 2.0 / np.asarray(mesh.image_size, np.float64)
        projection = np.diag([scale[0], scale[1], 1.0 / reach, 1.0])
        projection[:2, 3] = -1.0
        self._write("projection", projection)

    def draw(self, positions: np.ndarray, head: np.ndarray) -> np.ndarray:
        """One picture.

        Args:
            positions: (V, 3) px, after the expression. head: (4, 4), the head bone's motion, px.

        Returns:
            (height, width, 4) uint8, premultiplied.
        """
        self._write("head", head)
        self._positions.write(np.ascontiguousarray(positions, np.float32))
        self._canvas.use()
        self._context.enable_only(self._context.DEPTH_TEST)
        self._context.depth_func = "<="
        self._canvas.clear(0.0, 0.0, 0.0, 0.0, depth=1.0)
        self._array.render(vertices=self._opaque_corners)
        if self._opaque_corners < self._array.vertices:
            self._context.enable(self._context.BLEND)
            context = self._context  # what lies below keeps its alpha, to the last bit
            context.blend_func = (context.ONE, context.ONE_MINUS_SRC_ALPHA, context.ZERO, context.ONE)
            self._array.render(first=self._opaque_corners, vertices=self._array.vertices - self._opaque_corners)
            self._context.disable(self._context.BLEND)
        if self._resolved is not self._canvas:
            self._context.copy_framebuffer(self._resolved, self._canvas)
        width, height = self._size
        pixels = np.empty((height, width, 4), np.uint8)
        self._resolved.read_into(pixels, components=4, alignment=1)
        return pixels

    def release(self) -> None:
        """Frees the context and all it holds."""
        self._context.release()

    def _write(self, name: str, matrix: np.ndarray) -> None:
        self._program[name].write(np.ascontiguousarray(matrix.T, np.float32))
