"""Draws the warp with OpenGL, off screen: moderngl on EGL where there is no display."""

from __future__ import annotations

import sys
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exchange import formats
from ..exchange.errors import MissingError
from .shader_source import shader_sources
from .silhouette import Silhouette

if TYPE_CHECKING:
    import moderngl

_SAMPLES = 4  # a pixel, where there are edges
_TILE = 256  # px a side: what is drawn with several samples at once
_LAYERS = ("portrait", "mouth", "eyes")
_TRANSLUCENT = 3  # the material that lies over others


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

    A pixel takes one sample, and several only where the mesh has edges: in software, where most films are drawn,
    several cost as many times as much, and inside a surface they are all the same.

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
        self._size = (width, height)
        for unit, picture in enumerate(textures):
            flipped = np.ascontiguousarray(picture[::-1])
            texture = context.texture((picture.shape[1], picture.shape[0]), 4, flipped, alignment=1)
            texture.filter = (context.LINEAR, context.LINEAR)
            texture.repeat_x = texture.repeat_y = False
            texture.use(unit)
        self._build_parts(mesh)
        self._canvas = context.framebuffer(context.renderbuffer(self._size, 4), context.depth_renderbuffer(self._size))
        square = (_TILE, _TILE)
        self._fine = context.framebuffer(
            context.renderbuffer(square, 4, samples=_SAMPLES), context.depth_renderbuffer(square, samples=_SAMPLES)
        )
        self._resolved = context.framebuffer(context.renderbuffer(square, 4))
        self._silhouette = Silhouette(mesh, width, height)
        self._head_weights = np.asarray(mesh.head_weights, np.float32)[:, None]
        # Row 0 of what is read back is the bottom of clip space: y is not turned, so that it is the picture's top.
        reach = 4.0 * float(np.abs(mesh.vertices).max() + max(mesh.image_size))
        scale = 2.0 / np.asarray(mesh.image_size, np.float64)
        projection = np.diag([scale[0], scale[1], 1.0 / reach, 1.0])
        projection[:2, 3] = -1.0
        self._write("projection", projection)

    def _build_parts(self, mesh: formats.Mesh) -> None:
        """What is drawn, in order: stretches of triangles that show one texture, those that are translucent last."""
        context = self._context
        order = np.argsort(mesh.material == _TRANSLUCENT, kind="stable")  # over all that is opaque
        material = mesh.material[order]
        steady = context.buffer(np.column_stack([mesh.head_weights, mesh.uv]).astype(np.float32).tobytes())
        self._positions = context.buffer(reserve=12 * len(mesh.vertices), dynamic=True)
        corners = context.buffer(mesh.triangles[order].astype(np.uint32).tobytes())
        self._programs: dict[int, moderngl.Program] = {}
        arrays: dict[int, moderngl.VertexArray] = {}
        self._parts: list[tuple[moderngl.VertexArray, int, int, bool]] = []  # first corner, how many, translucent
        starts = np.flatnonzero(np.r_[True, np.diff(material) != 0])
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(material)], strict=True):
            layer = min(int(material[start]), len(_LAYERS) - 1)
            if layer not in arrays:
                # A program a texture: reading all three costs as much again as all the rest of the drawing.
                constants = {"layer": float(layer), "texture_layer": float(layer)}
                vertex, fragment = shader_sources(constants=constants)
                program = context.program(vertex_shader=vertex, fragment_shader=fragment)
                program[_LAYERS[layer]].value = layer
                self._programs[layer] = program
                moving, fixed = (self._positions, "3f", "position"), (steady, "1f 2f", "head_weight", "uv")
                arrays[layer] = context.vertex_array(program, [moving, fixed], corners)
            translucent = int(material[start]) == _TRANSLUCENT
            self._parts.append((arrays[layer], 3 * start, 3 * (end - start), translucent))

    def draw(self, positions: np.ndarray, head: np.ndarray) -> np.ndarray:
        """One picture.

        Args:
            positions: (V, 3) px, after the expression. head: (4, 4), the head bone's motion, px.

        Returns:
            (height, width, 4) uint8, premultiplied.
        """
        with self._context:  # another renderer's may be the current one
            return self._drawn(positions, head)

    def _drawn(self, positions: np.ndarray, head: np.ndarray) -> np.ndarray:
        """`draw`, the context being current."""
        self._write("head", head)
        self._positions.write(np.ascontiguousarray(positions, np.float32))
        self._paint(self._canvas)
        width, height = self._size
        pixels = np.empty((height, width, 4), np.uint8)
        self._canvas.read_into(pixels, components=4, alignment=1)
        turned = positions @ head[:3, :3].T.astype(np.float32) + head[:3, 3].astype(np.float32)
        for left, top, wide, high in self._silhouette.rectangles(positions + self._head_weights * (turned - positions)):
            for x, y in product(range(left, left + wide, _TILE), range(top, top + high, _TILE)):
                self._smooth(pixels, x, y, min(_TILE, left + wide - x), min(_TILE, top + high - y))
        return pixels

    def _smooth(self, pixels: np.ndarray, x: int, y: int, wide: int, high: int) -> None:
        """Draws a rectangle of the picture with several samples a pixel; no more than `_TILE` px a side."""
        self._fine.viewport = (-x, -y, *self._size)
        self._fine.scissor = None
        self._paint(self._fine, (0, 0, wide, high))
        self._context.copy_framebuffer(self._resolved, self._fine)
        part = self._resolved.read(viewport=(0, 0, wide, high), components=4, alignment=1)
        pixels[y : y + high, x : x + wide] = np.frombuffer(part, np.uint8).reshape(high, wide, 4)

    def _paint(self, target: moderngl.Framebuffer, scissor: tuple[int, int, int, int] | None = None) -> None:
        """Draws the mesh, all of it or what lies in a rectangle."""
        context = self._context
        target.use()
        context.enable_only(context.DEPTH_TEST)
        context.depth_func = "<="
        target.clear(0.0, 0.0, 0.0, 0.0, depth=1.0)  # whole: a part of it takes software longer
        if scissor is not None:
            target.scissor = scissor
        # What lies below keeps its alpha, to the last bit.
        context.blend_func = (context.ONE, context.ONE_MINUS_SRC_ALPHA, context.ZERO, context.ONE)
        for array, first, count, translucent in self._parts:
            if translucent:
                context.enable(context.BLEND)
            array.render(first=first, vertices=count)
        context.disable(context.BLEND)

    def release(self) -> None:
        """Frees the context and all it holds."""
        self._context.release()

    def _write(self, name: str, matrix: np.ndarray) -> None:
        data = np.ascontiguousarray(matrix.T, np.float32)
        for program in self._programs.values():
            program[name].write(data)
