"""The moving portrait as a picture on the graphics card, drawn through `shaders/` with the mesh that would be built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ...backend.makeittalk.exchange.formats import Mesh
from ..core.errors import AddonError
from ..core.preview_motion import Pose
from .untyped import gpu
from .warp_shader import new_shader

_TRANSLUCENT = 3  # the material that lies over others
_EYES = 2  # the layer of materials 2 and 3
_SAMPLERS = ("portrait", "mouth", "eyes")
_FAR = 4.0  # times the mesh's extent: what lies within is drawn
_LARGER = 2.0  # times the size that it is shown in: so large may a texture be
_STRETCHED = 1.5  # by an open mouth: the card with its inside
_LARGEST = 2048  # px a side of a texture: no screen shows more of a face


class PreviewPicture:
    """Draws poses of one mesh; only while Blender draws, in its own thread.

    Of a frame only the positions of its vertices travel to the card. Nothing of it is a datablock.

    Args:
        mesh: what would be built. portrait: its picture, (H, W, 4) float32, see `read_portrait`.

    Raises:
        AddonError: this graphics card cannot draw it.
    """

    def __init__(self, mesh: Mesh, portrait: np.ndarray) -> None:
        self._mesh = mesh
        self._offscreen: Any = None
        self._shader = new_shader()
        eyes = np.zeros((1, 1, 4), np.uint8) if mesh.eye_image is None else mesh.eye_image
        self._pictures = (portrait, _bottom_up(mesh.mouth_image), _bottom_up(eyes))
        self._sizes: list[tuple[int, ...]] = [()] * len(_SAMPLERS)
        self._loaded_for: tuple[int, int] | None = None
        self._textures: list[Any] = [None] * len(_SAMPLERS)
        self._positions = gpu.types.GPUVertFormat()
        self._positions.attr_add(id="position", comp_type="F32", len=3, fetch_mode="FLOAT")
        self._vertices, layers, self._corners = _corners(mesh)
        self._steady = _steady(mesh, self._vertices, layers)
        self._projection = _projection(mesh)

    @property
    def texture(self) -> Any:
        """What was drawn last, premultiplied alpha, first row at the bottom."""
        assert self._offscreen is not None, "nothing was drawn yet"
        return self._offscreen.texture_color

    def draw(self, pose: Pose, width: int, height: int) -> None:
        """Draws a pose as a picture of a size, px.

        Raises:
            AddonError: the card cannot hold it.
        """
        offscreen = self._room(width, height)
        self._load_textures(width, height)
        # A buffer that was drawn from cannot be written again: that of each frame is new.
        positions = gpu.types.GPUVertBuf(format=self._positions, len=len(self._vertices))
        positions.attr_fill(id="position", data=np.ascontiguousarray(pose.positions[self._vertices], np.float32))
        with offscreen.bind():
            gpu.state.active_framebuffer_get().clear(color=(0.0, 0.0, 0.0, 0.0), depth=1.0)
            depth, mask, blend = gpu.state.depth_test_get(), gpu.state.depth_mask_get(), gpu.state.blend_get()
            gpu.state.depth_test_set("LESS_EQUAL")
            gpu.state.depth_mask_set(True)
            try:
                with gpu.matrix.push_pop(), gpu.matrix.push_pop_projection():
                    self._paint(positions, pose.head)
            finally:
                gpu.state.depth_test_set(depth)
                gpu.state.depth_mask_set(mask)
                gpu.state.blend_set(blend)

    def _load_textures(self, width: int, height: int) -> None:
        """Gives the card each picture in the size at which a drawing of `width` × `height` px shows it."""
        if self._loaded_for == (width, height):
            return
        self._loaded_for = width, height
        for place, (picture, most) in enumerate(
            zip(self._pictures, _shown_sizes(self._mesh, width, height), strict=True)
        ):
            shown = shrunk(picture, *most)
            if shown.shape != self._sizes[place]:
                self._textures[place], self._sizes[place] = _texture(shown), shown.shape

    def _paint(self, positions: Any, head: np.ndarray) -> None:
        shader = self._shader
        shader.bind()
        shader.uniform_float("head", np.ascontiguousarray(head.T, np.float32).reshape(-1).tolist())
        shader.uniform_float("projection", self._projection)
        for name, texture in zip(_SAMPLERS, self._textures, strict=True):
            shader.uniform_sampler(name, texture)
        for corners, blend in zip(self._corners, ("NONE", "ALPHA_PREMULT"), strict=True):
            if corners is not None:
                gpu.state.blend_set(blend)
                batch = gpu.types.GPUBatch(type="TRIS", buf=positions, elem=corners)
                batch.vertbuf_add(self._steady)
                batch.draw(shader)

    def read(self) -> np.ndarray:
        """What was drawn last, (H, W, 4) uint8, premultiplied alpha, first row on top."""
        assert self._offscreen is not None, "nothing was drawn yet"
        width, height = self._offscreen.width, self._offscreen.height
        with self._offscreen.bind():
            framebuffer = gpu.state.active_framebuffer_get()
            buffer = framebuffer.read_color(0, 0, width, height, 4, 0, "FLOAT")
        buffer.dimensions = width * height * 4
        pixels = np.array(buffer, np.float32).reshape(height, width, 4)
        return np.rint(np.clip(pixels[::-1], 0.0, 1.0) * 255.0).astype(np.uint8)

    def free(self) -> None:
        """Gives back what the card holds; nothing can be drawn any more."""
        if self._offscreen is not None:
            self._offscreen.free()
            self._offscreen = None
        self._textures.clear()
        del self._steady, self._corners, self._shader

    def _room(self, width: int, height: int) -> Any:
        offscreen = self._offscreen
        if offscreen is not None and (offscreen.width, offscreen.height) == (width, height):
            return offscreen
        if offscreen is not None:
            offscreen.free()
            self._offscreen = None
        try:
            self._offscreen = gpu.types.GPUOffScreen(width, height, format="RGBA8")
        except RuntimeError as error:
            raise AddonError("The graphics card cannot hold the preview.", "Make the viewport smaller.") from error
        return self._offscreen


def read_portrait(path: Path) -> np.ndarray:
    """The picture of a portrait, (H, W, 4) float32 as its file says it, premultiplied, first row at the bottom; shrunk
    where it is larger than any screen. Leaves no datablock.

    Raises:
        AddonError: Blender cannot read it.
    """
    try:
        image = bpy.data.images.load(str(path), check_existing=False)
    except RuntimeError as error:
        raise AddonError(f"Blender cannot read {path.name}.", "Start the preview again.") from error
    try:
        image.alpha_mode = "STRAIGHT"
        image.colorspace_settings.name = "sRGB"
        width, height = image.size
        if not width or not height:
            raise AddonError(f"Blender cannot read {path.name}.", "Start the preview again.")
        largest = max(width, height)
        if largest > _LARGEST:
            image.scale(max(1, width * _LARGEST // largest), max(1, height * _LARGEST // largest))
            width, height = image.size
        pixels = np.empty(width * height * image.channels, np.float32)
        image.pixels.foreach_get(pixels)
        pixels = pixels.reshape(height, width, image.channels)
    finally:
        bpy.data.images.remove(image)
    return _premultiplied(_with_alpha(pixels))


def shrunk(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """A premultiplied picture (H, W, 4) halved by area until it is no more than twice as large as it is shown, px: one
    that is shown much smaller than it is would flicker."""
    while picture.shape[1] > _LARGER * width and picture.shape[1] >= 2:
        even = picture[:, : picture.shape[1] // 2 * 2]
        picture = 0.5 * (even[:, ::2] + even[:, 1::2])
    while picture.shape[0] > _LARGER * height and picture.shape[0] >= 2:
        even = picture[: picture.shape[0] // 2 * 2]
        picture = 0.5 * (even[::2] + even[1::2])
    return picture


def _shown_sizes(mesh: Mesh, width: int, height: int) -> list[tuple[float, float]]:
    """Width and height, px, that portrait, mouth and eyes have in a drawing of `width` × `height` px."""
    scale = np.array([width, height]) / np.asarray(mesh.image_size, np.float64)
    card = np.unique(mesh.triangles[mesh.material == 1])
    mouth = np.ptp(mesh.vertices[card, :2], axis=0) * scale * _STRETCHED if len(card) else np.full(2, np.inf)
    eyes = np.full(2, np.inf) if mesh.eye_image is None else scale * mesh.eye_image.shape[1::-1]
    return [(float(width), float(height)), (float(mouth[0]), float(mouth[1])), (float(eyes[0]), float(eyes[1]))]


def _with_alpha(pixels: np.ndarray) -> np.ndarray:
    """Pictures of one, three or four channels as four."""
    if pixels.shape[2] == 4:
        return pixels
    colours = pixels[..., :3] if pixels.shape[2] == 3 else np.repeat(pixels[..., :1], 3, axis=2)
    return np.concatenate([colours, np.ones_like(pixels[..., :1])], axis=2)


def _bottom_up(pixels: np.ndarray) -> np.ndarray:
    """A texture (H, W, 4) uint8, straight alpha, first row on top, as the card takes it."""
    return _premultiplied(pixels[::-1].astype(np.float32) / np.float32(255.0))


def _premultiplied(pixels: np.ndarray) -> np.ndarray:
    pixels[..., :3] *= pixels[..., 3:]
    return np.ascontiguousarray(pixels)


def _texture(pixels: np.ndarray) -> Any:
    flat = np.ascontiguousarray(pixels, np.float32).reshape(-1)
    data = gpu.types.Buffer("FLOAT", flat.size, flat)
    try:
        return gpu.types.GPUTexture((pixels.shape[1], pixels.shape[0]), format="RGBA8", data=data)
    except (RuntimeError, ValueError) as error:
        raise AddonError("The graphics card cannot hold the portrait.", "Choose a smaller picture.") from error


def _corners(mesh: Mesh) -> tuple[np.ndarray, np.ndarray, list[Any]]:
    """What is drawn: the mesh's vertex and the layer of each of the card's vertices, and the triangles of them that are
    opaque and those that are translucent, which come last.

    A vertex that triangles of two textures share is two on the card.
    """
    layer = np.minimum(mesh.material, _EYES).astype(np.int64)
    count = len(_SAMPLERS)
    numbered = mesh.triangles.astype(np.int64) * count + layer[:, None]
    places, corners = np.unique(numbered.reshape(-1), return_inverse=True)
    corners = corners.reshape(-1, 3).astype(np.int32)
    over = mesh.material == _TRANSLUCENT
    buffers = [
        gpu.types.GPUIndexBuf(type="TRIS", seq=np.ascontiguousarray(corners[which])) if which.any() else None
        for which in (~over, over)
    ]
    return places // count, places % count, buffers


def _steady(mesh: Mesh, vertices: np.ndarray, layers: np.ndarray) -> Any:
    """What of the card's vertices never changes."""
    columns = {"head_weight": mesh.head_weights[vertices, None], "uv": mesh.uv[vertices], "layer": layers[:, None]}
    layout = gpu.types.GPUVertFormat()
    for name, values in columns.items():
        layout.attr_add(id=name, comp_type="F32", len=values.shape[1], fetch_mode="FLOAT")
    buffer = gpu.types.GPUVertBuf(format=layout, len=len(vertices))
    for name, values in columns.items():
        buffer.attr_fill(id=name, data=np.ascontiguousarray(values, np.float32))
    return buffer


def _projection(mesh: Mesh) -> list[float]:
    """From the portrait's pixels to clip space, column by column: what it shows fills the picture, upright."""
    reach = _FAR * float(np.abs(mesh.vertices).max() + max(mesh.image_size))
    width, height = (float(side) for side in mesh.image_size)
    matrix = np.diag([2.0 / width, -2.0 / height, 1.0 / reach, 1.0])
    matrix[:2, 3] = -1.0, 1.0
    return matrix.T.astype(np.float32).reshape(-1).tolist()
