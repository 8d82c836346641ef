"""Draws the head with OpenGL, off screen: painted skin, eyes, teeth, a dark mouth, hair, clothes and light."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import moderngl
import numpy as np
from makeittalk.rendering.gl import open_context
from scipy.spatial import cKDTree

from .head_model import CLOTH, EYE, FLESH, LASH, LOCKS, SKIN, TOOTH, HeadModel

#: What the painted picture of the front covers, cm: left, right, bottom, top.
FRONT = (-10.0, 10.0, -13.0, 15.0)
_FINER = 1.5  # pictures are drawn so much larger and averaged: cheaper on a processor than multisampling
_SHADOW = 512  # px, side of the shadow map
_REACH = 22.0  # cm around the head's middle that light is measured in
_MIDDLE = np.array([0.0, -1.0, 1.0])
_DIRECTIONS = 48
#: Attributes of a vertex and their sizes: those that move, those that stay.
_MOVING = {"position": 3, "normal": 3, "ambient": 1}
_STEADY = {"rest": 3, "uv": 2, "hair": 1, "inside": 1}
#: Openings of the jaw for which ambient light is measured beforehand.
_OPENINGS = (0.0, 0.3, 0.7)

_VERTEX = """
#version 330
uniform mat4 camera;
uniform mat4 light;
in vec3 position; in vec3 normal; in float ambient;
in vec3 rest; in vec2 uv; in float hair; in float inside;
out vec3 at; out vec3 facing; out vec3 still; out vec4 lit; out float open_sky; out vec2 place;
out float growth; out float wet;
void main() {
    gl_Position = camera * vec4(position, 1.0);
    at = position; facing = normal; still = rest; open_sky = ambient; place = uv; growth = hair; wet = inside;
    lit = light * vec4(position, 1.0);
}
"""

_FRAGMENT = """
#version 330
uniform sampler2D front; uniform sampler2D grain; uniform sampler2DShadow shadow;
uniform vec4 cover; uniform vec3 eye_point; uniform vec3 key_way; uniform vec3 key; uniform vec3 fill_way;
uniform vec3 fill; uniform vec3 sky; uniform vec3 ground; uniform float gloss; uniform float exposure;
uniform vec3 hair_colour; uniform vec3 iris_colour; uniform vec3 rim_colour; uniform vec3 white; uniform float pupil;
uniform vec3 tooth; uniform vec3 gum; uniform vec3 cloth_colour; uniform vec3 cloth_other; uniform float cloth_kind;
uniform vec3 gaze_right; uniform vec3 gaze_left; uniform vec3 ball; uniform float lashes;
in vec3 at; in vec3 facing; in vec3 still; in vec4 lit; in float open_sky; in vec2 place;
in float growth; in float wet;
out vec4 result;

vec3 linear(vec3 c) { return pow(c, vec3(2.2)); }

float sunlit(vec3 n) {
    vec3 p = lit.xyz / lit.w * 0.5 + 0.5;
    float slope = 1.0 - clamp(dot(n, key_way), 0.0, 1.0);
    float sum = 0.0;
    for (int i = 0; i < 4; i++)  // each the mean of four
        sum += texture(shadow, vec3(p.xy + (vec2(i & 1, i >> 1) * 2.4 - 1.2) / SHADOW, p.z - 0.006 - 0.012 * slope));
    return sum / 4.0;
}

void main() {
    vec3 n = normalize(facing);
    vec3 to_eye = normalize(eye_point - at);
#if PART >= 4
    if (dot(n, to_eye) < 0.0) n = -n;
#endif
    float rough = texture(grain, still.xy * 0.11 + still.z * 0.017).r;
    float fine = texture(grain, still.xy * 0.43 + still.z * 0.06).g;
    vec3 albedo; vec3 soft = vec3(0.0); float shine = 0.0; float power = 20.0; float alpha = 1.0;
    float sky_light = open_sky;
#if PART == 0
    vec2 where = (still.xy - cover.xz) / (cover.yw - cover.xz);
    albedo = linear(texture(front, where).rgb) * (0.90 + 0.2 * fine);
    soft = vec3(0.32, 0.13, 0.08);
    shine = gloss * (0.5 + rough) * 0.35; power = 14.0;
    vec3 flesh = gum * 0.75;
    albedo = mix(albedo, flesh, wet);
    shine = mix(shine, 0.25, wet); power = mix(power, 40.0, wet);
    // Strands run down and away from the crown.
    float around = atan(still.x, still.z + 1.0);
    float strand = texture(grain, vec2(around * 2.3, still.y * 0.035 + length(still.xz) * 0.02)).b;
    float lock_ = texture(grain, vec2(around * 0.35, still.y * 0.02)).r;
    float grown = smoothstep(0.0, 0.5, growth + 1.1 * (strand - 0.5) + 0.6 * (lock_ - 0.5));
    vec3 hair = hair_colour * (0.35 + 0.9 * strand) * (0.6 + 0.8 * lock_);
    albedo = mix(albedo, hair, grown);
    soft *= 1.0 - grown; shine = mix(shine, 0.12 * strand, grown); power = mix(power, 10.0, grown);
#elif PART == 1
    albedo = gum * (0.85 + 0.3 * fine); soft = vec3(0.2, 0.05, 0.05); shine = 0.35; power = 45.0;
#elif PART == 2
    float root = max(smoothstep(-2.45, -2.0, still.y), smoothstep(-4.3, -4.8, still.y));
    albedo = mix(tooth * 1.1 * (0.93 + 0.1 * rough), gum, root);
    soft = vec3(0.25, 0.22, 0.18); shine = 0.35; power = 60.0;
#elif PART == 3
    vec3 centre = vec3(still.x < 0.0 ? -ball.x : ball.x, ball.yz);
    vec3 way = normalize(still - centre);
    vec3 axis = still.x < 0.0 ? gaze_right : gaze_left;
    float angle = acos(clamp(dot(way, axis), -1.0, 1.0));
    float turn = atan(way.y - axis.y, way.x - axis.x);
    float rays = texture(grain, vec2(turn * 1.6, angle * 0.4)).b;
    vec3 iris = mix(iris_colour, rim_colour, smoothstep(0.22, 0.40, angle)) * (0.55 + 0.9 * rays);
    vec3 veins = mix(vec3(1.0), vec3(1.0, 0.75, 0.7), smoothstep(0.6, 1.1, angle) * rough);
    albedo = mix(iris, white * veins, smoothstep(0.395, 0.455, angle));
    albedo *= smoothstep(pupil - 0.03, pupil + 0.03, angle) * 0.98 + 0.02;
    // Lids shade the ball that they lie on.
    sky_light = open_sky * 0.35 + 0.5 * (0.35 + 0.65 * smoothstep(0.75, 0.1, abs(way.y + 0.05)));
    shine = 1.6; power = 260.0; soft = vec3(0.15);
#elif PART == 4
    // `growth` is how far from the lid a lash has come.
    albedo = hair_colour * 0.12; alpha = lashes * (1.0 - 0.85 * growth) * (still.y < ball.y - 0.15 ? 0.25 : 0.8);
#elif PART == 5
    float stripe = cloth_kind < 1.0 ? rough : cloth_kind < 2.0 ? step(0.5, fract(still.y * 0.4))
        : step(0.5, fract(still.x * 0.3)) * 0.6 + 0.4 * step(0.5, fract(still.y * 0.3));
    albedo = mix(cloth_colour, cloth_other, stripe) * (0.8 + 0.4 * fine);
    soft = vec3(0.1);
#else
    float strand = texture(grain, vec2(place.x * 5.0, place.y * 0.25)).b;
    float lock_ = texture(grain, vec2(place.x * 0.8, place.y * 0.1)).r;
    albedo = hair_colour * (0.3 + 0.9 * strand) * (0.6 + 0.8 * lock_); shine = 0.1 * strand; power = 10.0;
#endif
    // Little light comes back from the depth of the mouth; it is scattered among teeth and lips.
    float depth = mix(0.12, 1.0, smoothstep(5.0, 10.0, still.z));
    float shade = sunlit(n);
#if PART == 1 || PART == 2
    sky_light *= depth;
    shade = mix(shade, 1.0, 0.25) * depth;
#elif PART == 0
    sky_light *= mix(1.0, depth, wet);
#endif
    float straight = dot(n, key_way);
    vec3 wrapped = clamp((vec3(straight) + soft) / (1.0 + soft), 0.0, 1.0);
    // Light that enters skin leaves it past the edge of a shadow, reddened.
    vec3 through = mix(vec3(shade), vec3(sqrt(shade)), soft * 2.0);
    vec3 light_in = key * wrapped * wrapped * through * (0.35 + 0.65 * smoothstep(0.0, 0.35, sky_light));
    float other = dot(n, fill_way);
    light_in += fill * clamp((other + 0.3) / 1.3, 0.0, 1.0) * sky_light;
    light_in += mix(ground, sky, n.y * 0.5 + 0.5) * sky_light;
    vec3 colour = albedo * light_in;
    vec3 half_way = normalize(key_way + to_eye);
    float glint = pow(max(dot(n, half_way), 0.0), power) * shade * smoothstep(-0.1, 0.2, straight);
    vec3 half_fill = normalize(fill_way + to_eye);
    float glint_fill = pow(max(dot(n, half_fill), 0.0), power);
    float edge = 0.35 + 0.65 * pow(1.0 - max(dot(n, to_eye), 0.0), 4.0);
    float seen = smoothstep(0.05, 0.5, sky_light);
    colour += shine * edge * seen * (key * glint + fill * glint_fill);
    colour *= exposure;
    colour = colour * (1.0 + colour * 0.15) / (1.0 + colour * 0.45);
    result = vec4(pow(max(colour, 0.0), vec3(1.0 / 2.2)), alpha);
}
""".replace("SHADOW", f"{_SHADOW}.0")

_DEPTH_VERTEX = """
#version 330
uniform mat4 camera;
in vec3 position;
void main() { gl_Position = camera * vec4(position, 1.0); }
"""
_DEPTH_FRAGMENT = """
#version 330
void main() {}
"""
_BACKDROP_VERTEX = """
#version 330
in vec2 corner;
out vec2 place;
void main() { place = corner * 0.5 + 0.5; gl_Position = vec4(corner, 0.0, 1.0); }
"""
_BACKDROP_FRAGMENT = """
#version 330
uniform sampler2D backdrop;
in vec2 place;
out vec4 result;
void main() { result = texture(backdrop, place); }
"""


@dataclass
class Look:
    """All that stays the same in one take. Colours are linear RGB, directions point to the light.

    Attributes:
        front: (H, W, 3) uint8 sRGB painting of the front, top first, over `FRONT`.
        backdrop: (H, W, 3) uint8 sRGB, top first.
        hair: (V,) how far inside the hair a vertex lies, cm; below 0 none.
        thickness: (V,) of the hair, cm.
        uniforms: the shader's other values by name.
        locks: length of long hair, cm, 0 for none. collar: how wide it is, cm.
    """

    front: np.ndarray
    backdrop: np.ndarray
    hair: np.ndarray
    thickness: np.ndarray
    uniforms: dict[str, Any] = field(default_factory=dict)
    locks: float = 0.0
    collar: float = 1.0


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
            kind: context.program(vertex_shader=_VERTEX, fragment_shader=_FRAGMENT.replace("PART", str(kind)))
            for kind in range(LOCKS + 1)
        }
        self._depth_program = context.program(vertex_shader=_DEPTH_VERTEX, fragment_shader=_DEPTH_FRAGMENT)
        self._extra = [_torso(), _locks()]
        counts = [len(model.neutral), *(len(part.rest) for part in self._extra)]
        self._starts = np.concatenate([[0], np.cumsum(counts)])
        self._moving = context.buffer(reserve=28 * int(self._starts[-1]), dynamic=True)
        self._steady = context.buffer(reserve=28 * int(self._starts[-1]), dynamic=True)
        kinds = model.kinds[model.quads[:, 0]]
        self._parts = {kind: self._array(kind, model.quads[kinds == kind]) for kind in range(LASH + 1)}
        for index, part in enumerate(self._extra):
            self._parts[part.kind] = self._array(part.kind, part.quads + self._starts[1 + index])
        self._casting = self._depth_array(model.quads[kinds < LASH])
        size = (round(_FINER * self.size[0]), round(_FINER * self.size[1]))
        self._canvas = context.framebuffer(context.renderbuffer(size, 4), context.depth_renderbuffer(size))
        self._shadow = context.depth_texture((_SHADOW, _SHADOW))
        self._shadow.repeat_x = self._shadow.repeat_y = False
        self._shadow_canvas = context.framebuffer(depth_attachment=self._shadow)
        grain = np.ascontiguousarray(_grain())
        self._grain = context.texture(grain.shape[1::-1], 3, grain, alignment=1)
        self._grain.build_mipmaps()
        self._grain.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
        blank = np.zeros((1, 1, 3), np.uint8)
        self._front, self._backdrop = self._texture(blank), self._texture(blank)
        program = context.program(vertex_shader=_BACKDROP_VERTEX, fragment_shader=_BACKDROP_FRAGMENT)
        corners = context.buffer(np.array([-1, -1, 1, -1, -1, 1, 1, 1], np.float32).tobytes())
        self._behind = context.vertex_array(program, [(corners, "2f", "corner")])
        eyes = model.neutral[model.kinds == EYE]
        left = eyes[eyes[:, 0] > 0]
        self._ball = (left.min(0) + left.max(0)) / 2
        self._skies = np.stack([self._measure_sky(model, opening) for opening in _OPENINGS])
        self._soften_mouth()
        self._lash_tips = _tips(model)
        self.inside = self._find_inside()

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

    def _measure_sky(self, model: HeadModel, opening: float) -> np.ndarray:
        """How much of the sky each vertex sees with so open a jaw, (V,) 0–1: ambient occlusion, once for all heads."""
        vertices = model.express(model.neutral, {"jawOpen": opening})
        normals = model.normals(vertices)
        self._write_moving(vertices, normals, np.ones(len(vertices), np.float32))
        seen = np.zeros(len(vertices))
        total = np.full(len(vertices), 1e-6)
        for way in _sphere(_DIRECTIONS):
            facing = np.maximum(normals @ way, 0.0)
            light = _light_matrix(way)
            depth = self._cast(light)
            place = ((vertices + 0.08 * normals) @ light[:3, :3].T + light[:3, 3]) * 0.5 + 0.5
            column, row = (np.clip((place[:, :2] * _SHADOW).astype(int), 0, _SHADOW - 1)).T
            seen += facing * (place[:, 2] <= depth[row, column] + 0.004)
            total += facing
        return (seen / total).astype(np.float32)

    def _soften_mouth(self) -> None:
        """Teeth shade each other in gaps finer than the measurement: what they see is averaged over a centimetre."""
        model = self.model
        mouth = np.flatnonzero((model.kinds == FLESH) | (model.kinds == TOOTH))
        places = model.neutral[mouth]
        near = cKDTree(places).query(places, 60)[1]
        for sky in self._skies:
            around = np.sort(sky[mouth][near], axis=1)
            sky[mouth] = np.minimum(1.0, 1.25 * around[:, 30:].mean(1))

    def _cast(self, light: np.ndarray) -> np.ndarray:
        self._shadow.compare_func = ""
        self._render_shadow(light)
        data = np.frombuffer(self._shadow.read(alignment=1), np.float32)
        return data.reshape(_SHADOW, _SHADOW)

    def _render_shadow(self, light: np.ndarray) -> None:
        self._shadow_canvas.use()
        self._context.enable_only(moderngl.DEPTH_TEST)
        self._shadow_canvas.clear(depth=1.0)
        self._depth_program["camera"].write(np.ascontiguousarray(light.T, np.float32))
        self._casting.render()

    def _find_inside(self) -> np.ndarray:
        """Which skin is the lining of the mouth, (V,) 0–1: what no light reaches while the lips are shut."""
        rest, dark = self.model.neutral, 1.0 - self._skies[0]
        x, y, z = rest.T
        near = (np.abs(x) < 4.5) & (y > -9.0) & (y < -0.5) & (z < 11.3) & (self.model.kinds == SKIN)
        # The outer skin of chin and neck lies in that box too, but it is lit.
        return np.where(near, np.clip((dark - 0.80) / 0.12, 0.0, 1.0), 0.0).astype(np.float32)

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
        head[:, 5], head[:, 6] = np.where(lash, self._lash_tips, look.hair), self.inside
        for index, part in enumerate(self._extra):
            rows = steady[self._starts[index + 1] : self._starts[index + 2]]
            rows[:, :3], rows[:, 3:5] = part.rest, part.uv
        self._steady.write(steady)
        self._set("cover", FRONT)
        self._set("ball", tuple(self._ball))
        for name, value in look.uniforms.items():
            self._set(name, value)

    def draw(
        self,
        vertices: np.ndarray,
        opening: float,
        turned: np.ndarray,
        still: np.ndarray,
        camera: np.ndarray,
        eye: np.ndarray,
    ) -> np.ndarray:
        """One picture.

        Args:
            vertices: (V, 3) of the head, posed. opening: of the mouth, 0–1, which lets light in.
            turned: (4, 4) motion of the head. still: (4, 4) motion of the shoulders.
            camera: (4, 4) to clip space, y down. eye: (3,) where the camera stands.

        Returns:
            (height, width, 3) uint8 sRGB.
        """
        model, look = self.model, self._look
        sky = _between(self._skies, opening)
        normals = model.normals(vertices)
        if look.thickness.any():
            vertices = vertices + look.thickness[:, None] * normals
            normals = model.normals(vertices)
        self._write_moving(vertices, normals, sky, turned, still)
        light = _light_matrix(np.asarray(look.uniforms["key_way"]))
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
        if look.locks > 0:
            self._parts[LOCKS].render()
        self._context.enable(moderngl.BLEND)
        self._parts[LASH].render()
        width, height = self._canvas.size
        pixels = np.empty((height, width, 3), np.uint8)
        self._canvas.read_into(pixels, components=3, alignment=1)
        return np.asarray(cv2.resize(pixels, self.size, interpolation=cv2.INTER_AREA))

    def _write_moving(
        self, vertices: np.ndarray, normals: np.ndarray, sky: np.ndarray, turned: Any = None, still: Any = None
    ) -> None:
        moving = np.zeros((int(self._starts[-1]), 7), np.float32)
        head = moving[: len(vertices)]
        head[:, :3], head[:, 3:6], head[:, 6] = vertices, normals, sky
        if turned is not None:
            lengths = (self._look.collar, self._look.locks)
            for index, (part, motion) in enumerate(zip(self._extra, (still, turned), strict=True)):
                rows = moving[self._starts[index + 1] : self._starts[index + 2]]
                places, ways = part.shape(lengths[index])
                rows[:, :3] = places @ motion[:3, :3].T + motion[:3, 3]
                rows[:, 3:6], rows[:, 6] = ways @ motion[:3, :3].T, 0.8
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


class _Sheet:
    """A bent rectangle of quads: clothes, or long hair."""

    def __init__(self, kind: int, across: np.ndarray, down: np.ndarray, bend: Any) -> None:
        self.kind, self._bend = kind, bend
        u, v = np.meshgrid(across, down)
        self._u, self._v, self._grid = u, v, u.shape
        self.uv = np.stack([u, v], -1).reshape(-1, 2)
        index = np.arange(u.size).reshape(u.shape)
        self.quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], -1).reshape(-1, 4)
        self.rest = self.shape(1.0)[0]

    def shape(self, length: float) -> tuple[np.ndarray, np.ndarray]:
        """Places (N, 3) and normals (N, 3)."""
        places = np.stack(self._bend(self._u, self._v, length), -1)
        down, across = np.gradient(places, axis=(0, 1))
        ways = np.cross(across, down).reshape(-1, 3)
        return places.reshape(-1, 3), ways / np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-9)


def _torso() -> _Sheet:
    def bend(u: np.ndarray, v: np.ndarray, collar: float) -> tuple[np.ndarray, ...]:
        # From the collar over the shoulders down, all around the neck.
        wide = 6.6 + 0.5 * collar + (13.0 + 0.5 * collar) * np.minimum(1.0, 1.6 * v) ** 0.8
        deep = 6.3 + 0.4 * collar + 4.0 * v
        front = np.maximum(0.0, np.cos(u))
        y = -9.2 - 0.35 * collar - 4.0 * v - 22.0 * np.maximum(0.0, v - 0.35) ** 1.4 - (2.2 + 1.3 * collar) * front
        return wide * np.sin(u), y, -1.6 + deep * np.cos(u) + 1.0 * front

    return _Sheet(CLOTH, np.linspace(-np.pi, np.pi, 60), np.linspace(0.0, 1.0, 24), bend)


def _locks() -> _Sheet:
    def bend(u: np.ndarray, v: np.ndarray, length: float) -> tuple[np.ndarray, ...]:
        # Behind the head from ear to ear; u = 0 is the back.
        y = 9.0 - v * (9.0 + length)
        round_ = np.sqrt(np.clip(1.0 - ((y - 3.0) / 12.5) ** 2, 0.25, 1.0)) * (1 - v) + v
        wave = 1.0 + 0.025 * np.sin(7.0 * u + 2.0 * v) + 0.015 * np.sin(23.0 * u)
        return 9.6 * np.sin(u) * round_ * wave, y, -1.2 - 9.5 * np.cos(u) * round_ * wave

    return _Sheet(LOCKS, np.linspace(-1.95, 1.95, 80), np.linspace(0.0, 1.0, 24), bend)


def _tips(model: HeadModel) -> np.ndarray:
    """How far from the lid each vertex of a lash lies, (V,) 0–1."""
    lash = model.kinds == LASH
    away = cKDTree(model.neutral[model.kinds == SKIN]).query(model.neutral[lash])[0]
    tips = np.zeros(len(model.neutral), np.float32)
    tips[lash] = np.clip(away / 0.55, 0.0, 1.0)
    return tips


def _sphere(count: int) -> np.ndarray:
    """Directions (count, 3) spread evenly (Fibonacci)."""
    i = np.arange(count) + 0.5
    z = 1.0 - 2.0 * i / count
    turn = np.pi * (1.0 + 5.0**0.5) * i
    flat = np.sqrt(1.0 - z**2)
    return np.column_stack([flat * np.cos(turn), flat * np.sin(turn), z])


def _light_matrix(way: np.ndarray) -> np.ndarray:
    """Parallel projection (4, 4) along a direction that points to the light; near is less."""
    way = way / np.linalg.norm(way)
    side = np.cross([0.0, 1.0, 0.0] if abs(way[1]) < 0.9 else [1.0, 0.0, 0.0], way)
    side /= np.linalg.norm(side)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([side, np.cross(way, side), -way]) / _REACH
    matrix[:3, 3] = -matrix[:3, :3] @ _MIDDLE
    return matrix


def _between(steps: np.ndarray, opening: float) -> np.ndarray:
    place = float(np.interp(opening, _OPENINGS, range(len(_OPENINGS))))
    low = min(int(place), len(steps) - 2)
    return np.asarray(steps[low] + (place - low) * (steps[low + 1] - steps[low]))


def _grain(side: int = 512) -> np.ndarray:
    """Tiling noise (side, side, 3) uint8: clouds, pores, strands along the rows."""
    rng = np.random.default_rng(0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side))) * side
    stretched = np.hypot(*np.meshgrid(np.fft.fftfreq(side) * 0.12, np.fft.fftfreq(side) * 6.0)) * side
    layers = []
    for weight in (
        1.0 / np.maximum(frequency, 2.0) ** 1.3 * (frequency < 40),
        1.0 / np.maximum(frequency, 8.0) ** 0.6 * (frequency < 120),
        1.0 / np.maximum(stretched, 3.0) ** 1.0 * (stretched < 40),
    ):
        noise = np.fft.ifft2(np.fft.fft2(rng.normal(size=(side, side))) * weight).real
        layers.append(np.clip(127.5 + 50.0 * (noise - noise.mean()) / noise.std(), 0, 255))
    return np.stack(layers, -1).astype(np.uint8)
