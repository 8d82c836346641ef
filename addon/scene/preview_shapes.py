"""What the preview draws beside its moving picture: boxes, the sign of a button, words, a texture."""

from __future__ import annotations

import math
from typing import Any

import blf
from gpu_extras.batch import batch_for_shader

from ..core.preview_layout import Box
from .untyped import gpu

Colour = tuple[float, float, float, float]
_ARC = 6  # corners of a round corner
_VERTEX = """
void main()
{
  place = uv;
  gl_Position = ModelViewProjectionMatrix * vec4(position, 0.0, 1.0);
}
"""
#: The picture is as a screen shows it. Blender says by `srgbTarget` that it will encode what is drawn, which it does
#: for a viewport's overlays by an exponent of 2.2, not by sRGB's own curve: dark colours would be 6 of 255 too light.
_FRAGMENT = """
void main()
{
  vec4 seen = texture(picture, place);
  if (srgbTarget) {
    vec3 straight = seen.rgb / max(seen.a, 1e-6);
    seen.rgb = pow(straight, vec3(2.2)) * seen.a;
  }
  colour = seen;
}
"""


def texture_shader() -> Any:
    """Shows a texture with premultiplied alpha as it is, whatever the framebuffer makes of colours."""
    info = gpu.types.GPUShaderCreateInfo()
    info.push_constant("MAT4", "ModelViewProjectionMatrix")
    info.push_constant("BOOL", "srgbTarget")
    info.sampler(0, "FLOAT_2D", "picture")
    info.vertex_in(0, "VEC2", "position")
    info.vertex_in(1, "VEC2", "uv")
    between = gpu.types.GPUStageInterfaceInfo("preview_texture")
    between.smooth("VEC2", "place")
    info.vertex_out(between)
    info.fragment_out(0, "VEC4", "colour")
    info.vertex_source(_VERTEX)
    info.fragment_source(_FRAGMENT)
    return gpu.shader.create_from_info(info)


def draw_texture(shader: Any, texture: Any, box: Box) -> None:
    """Fills a box with a texture."""
    x, y = (box.left, box.left + box.width), (box.bottom, box.bottom + box.height)
    corners = ((x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1]))
    content = {"position": corners, "uv": ((0, 0), (1, 0), (1, 1), (0, 1))}
    gpu.state.blend_set("ALPHA_PREMULT")
    shader.bind()
    shader.uniform_sampler("picture", texture)
    batch_for_shader(shader, "TRI_FAN", content).draw(shader)


def fill(points: list[tuple[float, float]], colour: Colour) -> None:
    """Fills a convex outline."""
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    gpu.state.blend_set("ALPHA")
    shader.uniform_float("color", colour)
    batch_for_shader(shader, "TRI_FAN", {"pos": [(x, y, 0.0) for x, y in points]}).draw(shader)


def fill_box(box: Box, colour: Colour, radius: float = 0.0) -> None:
    """Fills a box, its corners round."""
    radius = min(radius, box.width / 2.0, box.height / 2.0)
    if box.width <= 0.0 or box.height <= 0.0:
        return
    middles = (
        (box.left + box.width - radius, box.bottom + box.height - radius),
        (box.left + radius, box.bottom + box.height - radius),
        (box.left + radius, box.bottom + radius),
        (box.left + box.width - radius, box.bottom + radius),
    )
    angles = (math.pi / 2.0 * (corner + step / _ARC) for corner in range(4) for step in range(_ARC + 1))
    steps = (corner for corner in range(4) for _step in range(_ARC + 1))
    fill(
        [
            (middles[corner][0] + radius * math.cos(angle), middles[corner][1] + radius * math.sin(angle))
            for corner, angle in zip(steps, angles, strict=True)
        ],
        colour,
    )


def fill_disc(x: float, y: float, radius: float, colour: Colour) -> None:
    fill_box(Box(x - radius, y - radius, 2.0 * radius, 2.0 * radius), colour, radius)


def write(text: str, x: float, y: float, size: float, colour: Colour, right: bool = False) -> None:
    """Writes a line from a place on, or up to it."""
    blf.size(0, size)
    blf.color(0, *colour)
    blf.position(0, x - (text_width(text, size) if right else 0.0), y, 0)
    blf.draw(0, text)


def text_width(text: str, size: float) -> float:
    """How wide a line is, px."""
    blf.size(0, size)
    return float(blf.dimensions(0, text)[0])
