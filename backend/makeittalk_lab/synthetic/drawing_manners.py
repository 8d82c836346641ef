"""Manners of drawing: how one head of `drawn_head` looks flat, inked, shaded, hatched, painted or printed.

Every manner is a function of the head and a random generator that answers a picture (SIDE, SIDE, 3) of floats 0–255.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .drawn_head import DrawnHead
from .drawn_shapes import SIDE, blurred

Manner = Callable[[DrawnHead, np.random.Generator], np.ndarray]


def draw(head: DrawnHead, manner: str, rng: np.random.Generator) -> np.ndarray:
    """The head in a manner, (SIDE, SIDE, 3) uint8."""
    return np.clip(np.rint(MANNERS[manner](head, rng)), 0, 255).astype(np.uint8)


def _flat(head: DrawnHead, rng: np.random.Generator) -> np.ndarray:
    """Areas of one colour, as vector graphics have them."""
    return head.flat()


def _comic(head: DrawnHead, rng: np.random.Generator) -> np.ndarray:
    """Areas of one colour in ink outlines, at times with a hard shadow."""
    lit = np.where(_steps(head.light, [0.55], 1.0) > 0, 1.0, rng.uniform(0.72, 0.95))
    return _inked(head.flat(lit.astype(np.float32)), head.lines(rng.uniform(0.7, 1.6)), rng.uniform(0, 40))


def _cel(head: DrawnHead, rng: np.random.Generator) -> np.ndarray:
    """Two or three tones with hard borders, thin outlines."""
    marks = [0.55] if rng.random() < 0.5 else [0.45, 0.75]
    tones = _steps(head.light, marks, rng.uniform(0.5, 1.5)) / len(marks)
    tint = np.array([0.62, 0.55, 0.66]) if rng.random() < 0.5 else np.array([0.72, 0.72, 0.72])
    lit = tint + (1.04 - tint) * tones[..., None]
    picture = head.flat(lit.astype(np.float32)) + 70 * _steps(head.shine, [0.6], 1.0)[..., None] * head.skin[..., None]
    return _inked(picture, head.lines(rng.uniform(0.3, 0.8)), rng.uniform(20, 70))


def _airbrush(head: DrawnHead, rng: np.random.Generator) -> np.ndarray:
    """Smoothly shaded, without outlines, with soft shine."""
    return _shaded(head, rng, rng.uniform(1, 5))


def _gradient(head: DrawnHead, rng: np.random.Generator) -> np.ndarray:
    """Areas filled with straight or round gradients."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE
    way = rng.uniform(-1, 1, 2)
    ramp = x * way[0] + y * way[1]
    if rng.random() < 0.5:
        ramp = -np.hypot(x - rng.uniform(0.3, 0.6), y - rng.uniform(0.3, 0.5))
    ramp = (ramp - ramp.min()) / np.ptp(ramp)
    low = rng.uniform(0.45, 0.75)
    picture = head.flat((low + (1.12 - low) * ramp).astype(np.float32))
    return _inked(picture, head.lines(rng.uniform(0.4, 1.0)), 50) if rng.random() < 0.5 else picture


def _soft_anime(head: DrawnHead, rng: np.random.Generator) -> np.ndarray:
    """Tones whose borders are partly soft, coloured outlines, rosy shade."""
    tone = 0.5 * _steps(head.light, [0.55], 1.5) + 0.5 * blurred(_steps(head.light, [0.7], 1.0), 12)
    shade = np.array([0.8, 0.62, 0.66])
    picture = head.flat((shade + (1.05 - shade) * tone[..., None]).astype(np.float32))
    ink = picture * 0.35
    line = head.lines(rng.uniform(0.3, 0.7))[..., None]
    return picture * (1 - line) + ink * line


def _outlined_shading(head: DrawnHead, rng: np.random.Generator) -> np.ndarray:
    """Smooth shading in ink outlines."""
    return _inked(_shaded(head, rng, rng.uniform(1, 6)), head.lines(rng.uniform(0.4, 1.2)), rng.uniform(0, 60))


def _lines_only(head: DrawnHead, rng: np.random.Generator) -> np.ndarray:
    """Lines on paper."""
    paper = np.array([(250, 250, 248), (240, 228, 205), (205, 215, 225)][rng.integers(3)], float)
    picture = np.broadcast_to(paper, (SIDE, SIDE, 3)) + _grain(rng, 1.0, rng.uniform(0, 2))[..., None]
    dark = sum(
        (layer.mask for layer in head.layers if layer.name in ("pupil", "frame", "freckle")), np.zeros((SIDE, SIDE))
    )
    ink = np.clip(head.lines(rng.uniform(0.4, 1.3)) + dark, 0, 1)
    return _inked(picture, ink, rng.uniform(10, 70))


def _hatched(head: DrawnHead, rng: np.random.Generator) -> np.ndarray:
    """Ink outlines, shade by crossing lines."""
    tone = _grey_tone(head)
    ink = head.lines(rng.uniform(0.6, 1.1))
    y, x = np.mgrid[:SIDE, :SIDE]
    for level, angle in zip((0.75, 0.55, 0.35, 0.2), rng.uniform(0, np.pi, 4), strict=True):
        wobble = blurred(rng.normal(size=(SIDE, SIDE)), 12) * 40
        phase = (x * np.cos(angle) + y * np.sin(angle) + wobble) / rng.uniform(5.0, 9.0)
        stripe = np.clip(3 * (np.abs(phase % 1 - 0.5) * 2 - 0.68), 0, 1)
        ink = np.maximum(ink, stripe * np.clip((level - tone) * 12, 0, 1))
    paper = np.array([(250, 248, 240), (235, 220, 190)][rng.integers(2)], float)
    return _inked(np.broadcast_to(paper, (SIDE, SIDE, 3)), ink, 30)


def _pencil(head: DrawnHead, rng: np.random.Generator) -> np.ndarray:
    """Graphite or coloured pencil on paper with a grain."""
    coloured = rng.random() < 0.4
    grain = _grain(rng, 0.8, 1.0) * 0.6 + _grain(rng, 2.0, 1.0) * 0.5
    tone = blurred(_grey_tone(head), rng.uniform(1, 4))
    laid = np.clip((1 - tone) * 1.1 + 0.22 * grain * (0.4 + (1 - tone)), 0, 1)
    line = np.clip(head.lines(rng.uniform(0.5, 0.9)) * (0.8 + 0.4 * grain), 0, 1)
    laid = np.clip(0.8 * laid + line, 0, 1)[..., None]
    colour = head.flat() * 0.75 if coloured else np.full((SIDE, SIDE, 3), 45.0)
    return 246 * (1 - laid) + colour * laid


def _manga(head: DrawnHead, rng: np.random.Generator) -> np.ndarray:
    """Black ink, white skin, dots for shade."""
    tone = _grey_tone(head) * 0.5 + 0.5 * (_steps(head.light, [0.5], 1.0))
    y, x = np.mgrid[:SIDE, :SIDE]
    pitch = rng.uniform(4.5, 8.0)
    u, v = (x + y) / (np.sqrt(2) * pitch), (x - y) / (np.sqrt(2) * pitch)
    dots = 0.5 + 0.25 * (np.cos(2 * np.pi * u) + np.cos(2 * np.pi * v))
    level = np.where(tone < 0.25, 1.0, np.where(tone < 0.6, 0.45, 0.0))
    ink = np.clip((dots - (1 - level)) * 6 + 0.2, 0, 1) * (level > 0)
    ink = np.maximum(ink, head.lines(rng.uniform(0.5, 1.0)))
    return _inked(np.full((SIDE, SIDE, 3), 252.0), ink, 12)


def _watercolour(head: DrawnHead, rng: np.random.Generator) -> np.ndarray:
    """Blots of pigment that are darker at their edges, on rough paper."""
    base = cv2.GaussianBlur(head.flat((0.7 + 0.35 * blurred(head.light, 5)).astype(np.float32)), (0, 0), 2.5)
    blots = _grain(rng, 14.0, 1.0) * 0.07 + _grain(rng, 40.0, 1.0) * 0.06
    edges = sum((np.abs(layer.mask - blurred(layer.mask, 3)) for layer in head.layers[:8]), np.zeros((SIDE, SIDE)))
    paper = _grain(rng, 1.2, 1.0) * rng.uniform(0.01, 0.03)
    picture = 252 - (252 - base) * np.clip(1 + blots * 2 + 0.35 * edges + paper, 0, 2)[..., None]
    picture = _inked(picture, head.lines(0.4), 60) if rng.random() < 0.5 else picture
    return _displaced(picture, rng, 3.0)


def _pixel_art(head: DrawnHead, rng: np.random.Generator) -> np.ndarray:
    """Few large pixels of few colours."""
    picture = _cel(head, rng) if rng.random() < 0.5 else _inked(_shaded(head, rng, 2), head.lines(1.2), 30)
    count = int(rng.choice([48, 64, 80, 96]))
    small = cv2.resize(np.clip(picture, 0, 255), (count, count), interpolation=cv2.INTER_AREA)
    steps = rng.integers(5, 12)
    small = np.rint(small / 255 * steps) / steps * 255
    return cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)


def _textured(head: DrawnHead, rng: np.random.Generator) -> np.ndarray:
    """A digital painting: shading with the marks of a brush and grain over it."""
    picture = _shaded(head, rng, 2)
    angle = rng.uniform(0, np.pi)
    kernel = np.zeros((21, 21), np.float32)
    way = np.array([np.cos(angle), np.sin(angle)]) * 10
    cv2.line(kernel, tuple(int(v) for v in np.rint(10 - way)), tuple(int(v) for v in np.rint(10 + way)), 1.0)
    strokes = cv2.filter2D(rng.normal(size=(SIDE, SIDE)).astype(np.float32), -1, kernel)
    strokes /= strokes.std()
    grain = _grain(rng, rng.uniform(0.6, 2.0), 1.0)
    return picture * (1 + rng.uniform(0.01, 0.045) * strokes + rng.uniform(0.0, 0.04) * grain)[..., None]


def _chalk(head: DrawnHead, rng: np.random.Generator) -> np.ndarray:
    """Chalk or pastel on dark paper: light lies on the paper's tooth."""
    paper = np.array([(40, 44, 52), (70, 60, 50), (35, 60, 50)][rng.integers(3)], float)
    tooth = 0.5 + 0.5 * np.tanh(_grain(rng, 1.0, 1.5) + 0.6)
    colour = head.flat((0.5 + 0.6 * head.light).astype(np.float32))
    laid = (np.clip(0.25 + 0.8 * _grey_tone(head), 0, 1) * (0.45 + 0.55 * tooth))[..., None]
    picture = paper * (1 - laid) + colour * laid
    line = (head.lines(0.9) * tooth)[..., None]
    return picture * (1 - line) + 235 * line


def _stippled(head: DrawnHead, rng: np.random.Generator) -> np.ndarray:
    """Dots of ink, the denser the darker, and thin outlines."""
    tone = _grey_tone(head)
    seeds = (rng.random((SIDE, SIDE)) < 0.10 * np.clip(1 - tone, 0, 1) ** 1.6).astype(np.float32)
    dots = np.clip(blurred(seeds, 0.9) * 5.5, 0, 1)
    ink = np.maximum(dots, head.lines(0.5))
    return _inked(np.full((SIDE, SIDE, 3), 250.0), ink, 25)


def _poster(head: DrawnHead, rng: np.random.Generator) -> np.ndarray:
    """Shading cut into a few levels of two or three inks, as prints have them."""
    tone = _grey_tone(head)
    count = int(rng.integers(3, 6))
    levels = np.clip(np.floor(blurred(tone, 1.5) * count), 0, count - 1).astype(int)
    first, last = rng.uniform(0, 90, 3), rng.uniform(170, 255, 3)
    inks = first + (last - first) * np.linspace(0, 1, count)[:, None] + rng.normal(0, 18, (count, 3))
    return blurred_colours(inks[levels], 0.7)


def blurred_colours(picture: np.ndarray, sigma: float) -> np.ndarray:
    """A picture smoothed by a Gaussian of `sigma` px."""
    return np.asarray(cv2.GaussianBlur(picture.astype(np.float32), (0, 0), sigma))


def _shaded(head: DrawnHead, rng: np.random.Generator, softness: float) -> np.ndarray:
    """Smooth shading of every part, a tinted shade, shine on skin."""
    low = rng.uniform(0.35, 0.75)
    tint = np.array([1.0, rng.uniform(0.82, 1.0), rng.uniform(0.8, 1.05)])
    light = blurred(head.light, softness)[..., None]
    lit = (low * tint) * (1 - light) + 1.08 * light
    picture = head.flat(lit.astype(np.float32))
    shine = rng.uniform(0, 110) * blurred(head.shine, softness) * np.clip(head.skin + 0.2, 0, 1)
    return picture + shine[..., None]


def _grey_tone(head: DrawnHead) -> np.ndarray:
    """How light each place is to be drawn, 0–1: its own colour and its light."""
    colour = head.flat((0.35 + 0.75 * head.light).astype(np.float32)) @ np.array([0.299, 0.587, 0.114])
    return np.asarray(np.clip(colour / 235.0, 0, 1))


def _steps(values: np.ndarray, marks: list[float], soft: float) -> np.ndarray:
    """How many of `marks` a field exceeds, with borders `soft` px wide."""
    return sum(
        (blurred((values > mark).astype(np.float32), soft) for mark in marks), np.zeros((SIDE, SIDE), np.float32)
    )


def _inked(picture: np.ndarray, ink: np.ndarray, level: float) -> np.ndarray:
    line = ink[..., None]
    return np.asarray(picture * (1 - line) + level * line)


def _grain(rng: np.random.Generator, size: float, strength: float) -> np.ndarray:
    """Noise of unit deviation times `strength`, its grains about `size` px."""
    noise = blurred(rng.normal(size=(SIDE, SIDE)), size)
    return np.asarray(noise * (strength / noise.std()))


def _displaced(picture: np.ndarray, rng: np.random.Generator, reach: float) -> np.ndarray:
    """A picture whose edges waver by about `reach` px."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    move = [(_grain(rng, 9.0, reach)).astype(np.float32) for _ in range(2)]
    return np.asarray(
        cv2.remap(picture.astype(np.float32), x + move[0], y + move[1], cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE)
    )


MANNERS: dict[str, Manner] = {
    "flat": _flat, "comic": _comic, "cel": _cel, "airbrush": _airbrush, "gradient": _gradient,
    "soft anime": _soft_anime, "outlined shading": _outlined_shading, "lines": _lines_only, "hatched": _hatched,
    "pencil": _pencil, "manga": _manga, "watercolour": _watercolour, "pixel art": _pixel_art,
    "textured": _textured, "chalk": _chalk, "stippled": _stippled, "poster": _poster,
}  # fmt: skip
#: Those whose areas are shaded.
SHADED = ("cel", "airbrush", "gradient", "soft anime", "outlined shading", "pencil", "watercolour", "textured", "chalk")
