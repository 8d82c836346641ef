"""Draws the head with OpenGL, off screen: painted skin, eyes, teeth, a dark mouth, hair, clothes and light."""

from __future__ import annotations

from typing import Any

import cv2
import moderngl
import numpy as np
from makeittalk.rendering.gl import open_context

from .ambient_occlusion import light_matrix, mouth_lining, sky_visibility, visibility_at
from .clothes_and_hair import long_hair, torso
from .head_look import Look
from .head_model import CLOTH, EYE, LASH, LONG_HAIR, HeadModel
from .head_shaders import (
    BACKDROP_FRAGMENT,
    BACKDROP_VERTEX,
    DEPTH_FRAGMENT,
    DEPTH_VERTEX,
    HEAD_FRAGMENT,
    HEAD_VERTEX,
    SHADOW_SIZE,
)
from .noise_texture import noise_texture
from .skin_canvas import FRONT

_FINER = 1.5  # pictures are drawn so much larger and averaged: cheaper on a processor than multisampling
#: Attributes of a vertex and their sizes: those that move, those that stay.
_MOVING = {"position": 3, "normal": 3, "ambient": 1}
_STEADY = {"rest": 3, "uv": 2, "hair": 1, "inside": 1}


class HeadScene:
    """One head before a camera; a context manager.

    Args:
        model: the head. size: (width, height) of the pictures, px.

    Raises:
        MissingError: there is no OpenGL.
    """

    def __init__(self, model: HeadModel, size: tuple[int, int]) -> None:
        self.model, self.size = model, size
        self._context = open_context()
        try:
            self._build()
        except Exception:
            self._context.release()
            raise

    def _build(self) -> None:
        context, model = self._context, self.model
        # A program for each kind: processors that draw would walk through every branch at every pixel.
        self._programs = {
            kind: context.program(vertex_shader=HEAD_VERTEX, fragment_shader=HEAD_FRAGMENT.replace("PART", str(kind)))
            for kind in range(LONG_HAIR + 1)
        }
        self._depth_program = context.program(vertex_shader=DEPTH_VERTEX, fragment_shader=DEPTH_FRAGMENT)
        self._sheets = [torso(), long_hair()]
        counts = [len(model.neutral), *(len(sheet.rest) for sheet in self._sheets)]
        self._starts = np.concatenate([[0], np.cumsum(counts)])
        self._moving = context.buffer(reserve=28 * int(self._starts[-1]), dynamic=True)
        self._steady = context.buffer(reserve=28 * int(self._starts[-1]), dynamic=True)
        kinds = model.kinds[model.quads[:, 0]]
        self._parts = {kind: self._array(kind, model.quads[kinds == kind]) for kind in range(LASH + 1)}
        for index, sheet in enumerate(self._sheets):
            self._parts[sheet.kind] = self._array(sheet.kind, sheet.quads + self._starts[1 + index])
        self._casting = self._depth_array(model.quads[kinds < LASH])
        size = (round(_FINER * self.size[0]), round(_FINER * self.size[1]))
        self._canvas = context.framebuffer(context.renderbuffer(size, 4), context.depth_renderbuffer(size))
        self._shadow = context.depth_texture((SHADOW_SIZE, SHADOW_SIZE))
        self._shadow.repeat_x = self._shadow.repeat_y = False
        self._shadow_canvas = context.framebuffer(depth_attachment=self._shadow)
        grain = np.ascontiguousarray(noise_texture())
        self._grain = context.texture(grain.shape[1::-1], 3, grain, alignment=1)
        self._grain.build_mipmaps()
        self._grain.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
        blank = np.zeros((1, 1, 3), np.uint8)
        self._front, self._backdrop = self._texture(blank), self._texture(blank)
        program = context.program(vertex_shader=BACKDROP_VERTEX, fragment_shader=BACKDROP_FRAGMENT)
        corners = context.buffer(np.array([-1, -1, 1, -1, -1, 1, 1, 1], np.float32).tobytes())
        self._behind = context.vertex_array(program, [(corners, "2f", "corner")])
        eyes = model.neutral[model.kinds == EYE]
        left = eyes[eyes[:, 0] > 0]
        self._ball = (left.min(0) + left.max(0)) / 2
        self._visibility = sky_visibility(model, self._depth_map)
        self._lash_tips = model.lash_tips()
        self._lining = mouth_lining(model, self._visibility)

    def _array(self, kind: int, quads: np.ndarray) -> moderngl.VertexArray:
        program = self._programs[kind]
        content = []
        for buffer, values in ((self._moving, _MOVING), (self._steady, _STEADY)):
            # What a program does not use is not among its attributes.
            layout = " ".join(f"{size}f" if name in program else f"{4 * size}x" for name, size in values.items())
            content.append((buffer, layout, *(name for name in values if name in program)))
        return self._context.vertex_array(program, content, self._index(quads))

    def _depth_array(self, quads: np.ndarray) -> moderngl.VertexArray:
        layout = [(self._moving, "3f 16x", "position")]
        return self._context.vertex_array(self._depth_program, layout, self._index(quads))

    def _index(self, quads: np.ndarray) -> moderngl.Buffer:
        triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.uint32)
        return self._context.buffer(triangles.tobytes())

    def _depth_map(self, vertices: np.ndarray, light: np.ndarray) -> np.ndarray:
        """The shadow map of vertices (V, 3) under a light, (SHADOW_SIZE, SHADOW_SIZE) 0–1."""
        self._write_moving(vertices, np.zeros_like(vertices), np.ones(len(vertices), np.float32))
        self._shadow.compare_func = ""
        self._render_shadow(light)
        data = np.frombuffer(self._shadow.read(alignment=1), np.float32)
        return data.reshape(SHADOW_SIZE, SHADOW_SIZE)

    def _render_shadow(self, light: np.ndarray) -> None:
        self._shadow_canvas.use()
        self._context.enable_only(moderngl.DEPTH_TEST)
        self._shadow_canvas.clear(depth=1.0)
        self._depth_program["camera"].write(np.ascontiguousarray(light.T, np.float32))
        self._casting.render()

    def set_look(self, look: Look) -> None:
        """Takes what stays the same for the following pictures."""
        self._look = look
        model = self.model
        for texture in (self._front, self._backdrop):
            texture.release()
        self._front, self._backdrop = (self._texture(picture) for picture in (look.front, look.backdrop))
        steady = np.zeros((int(self._starts[-1]), 7), np.float32)
        head = steady[: len(model.neutral)]
        head[:, :3], head[:, 3:5] = model.neutral, model.uv
        lash = model.kinds == LASH
        head[:, 5], head[:, 6] = np.where(lash, self._lash_tips, look.hair), self._lining
        for index, sheet in enumerate(self._sheets):
            rows = steady[self._starts[index + 1] : self._starts[index + 2]]
            rows[:, :3], rows[:, 3:5] = sheet.rest, sheet.uv
        self._steady.write(steady)
        self._set("cover", FRONT)
        self._set("ball", tuple(self._ball))
        for name, value in look.uniforms.items():
            self._set(name, value)

    def draw(
        self,
        vertices: np.ndarray,
        opening: float,
        head_pose: np.ndarray,
        shoulder_pose: np.ndarray,
        camera: np.ndarray,
        eye: np.ndarray,
    ) -> np.ndarray:
        """One picture.

        Args:
            vertices: (V, 3) of the head, posed. opening: of the mouth, 0–1, which lets light in.
            head_pose, shoulder_pose: (4, 4), how head and shoulders are moved.
            camera: (4, 4) to clip space, y down. eye: (3,) where the camera stands.

        Returns:
            (height, width, 3) uint8 sRGB.
        """
        model, look = self.model, self._look
        sky = visibility_at(self._visibility, opening)
        normals = model.normals(vertices)
        if look.thickness.any():
            vertices = vertices + look.thickness[:, None] * normals
            normals = model.normals(vertices)
        self._write_moving(vertices, normals, sky, head_pose, shoulder_pose)
        light = light_matrix(np.asarray(look.uniforms["key_direction"]))
        self._shadow.compare_func = "<="
        self._render_shadow(light)
        self._canvas.use()
        self._context.front_face = "cw"  # y is turned
        self._context.enable_only(moderngl.NOTHING)
        self._canvas.clear(0.0, 0.0, 0.0, 1.0, depth=1.0)
        self._backdrop.use(0)
        self._behind.render(moderngl.TRIANGLE_STRIP)
        self._context.enable_only(moderngl.DEPTH_TEST)
        for unit, (name, texture) in enumerate(
            (("front", self._front), ("grain", self._grain), ("shadow", self._shadow))
        ):
            texture.use(unit)
            self._set(name, unit)
        for program in self._programs.values():
            program["camera"].write(np.ascontiguousarray(camera.T, np.float32))
            program["light"].write(np.ascontiguousarray(light.T, np.float32))
        self._set("eye_point", tuple(eye))
        self._context.enable(moderngl.CULL_FACE)
        for kind in range(LASH):
            self._parts[kind].render()
        self._context.disable(moderngl.CULL_FACE)
        self._parts[CLOTH].render()
        if look.long_hair > 0:
            self._parts[LONG_HAIR].render()
        self._context.enable(moderngl.BLEND)
        self._parts[LASH].render()
        width, height = self._canvas.size
        pixels = np.empty((height, width, 3), np.uint8)
        self._canvas.read_into(pixels, components=3, alignment=1)
        return np.asarray(cv2.resize(pixels, self.size, interpolation=cv2.INTER_AREA))

    def _write_moving(
        self,
        vertices: np.ndarray,
        normals: np.ndarray,
        sky: np.ndarray,
        head_pose: Any = None,
        shoulder_pose: Any = None,
    ) -> None:
        moving = np.zeros((int(self._starts[-1]), 7), np.float32)
        head = moving[: len(vertices)]
        head[:, :3], head[:, 3:6], head[:, 6] = vertices, normals, sky
        if head_pose is not None:
            lengths = (self._look.collar, self._look.long_hair)
            for index, (sheet, pose) in enumerate(zip(self._sheets, (shoulder_pose, head_pose), strict=True)):
                rows = moving[self._starts[index + 1] : self._starts[index + 2]]
                positions, directions = sheet.shape(lengths[index])
                rows[:, :3] = positions @ pose[:3, :3].T + pose[:3, 3]
                rows[:, 3:6], rows[:, 6] = directions @ pose[:3, :3].T, 0.8
        self._moving.write(moving)

    def _texture(self, picture: np.ndarray) -> moderngl.Texture:
        flipped = np.ascontiguousarray(picture[::-1])
        texture = self._context.texture((picture.shape[1], picture.shape[0]), 3, flipped, alignment=1)
        texture.build_mipmaps()
        texture.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
        texture.repeat_x = texture.repeat_y = False
        return texture

    def _set(self, name: str, value: Any) -> None:
        for program in self._programs.values():
            if name in program:
                program[name].value = value

    def release(self) -> None:
        """Frees the context and all it holds."""
        self._context.release()

    def __enter__(self) -> HeadScene:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
