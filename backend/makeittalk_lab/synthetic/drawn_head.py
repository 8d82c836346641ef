"""A head of chance to be drawn: where its parts lie, how they are lit, what it wears; `drawing_manners` draws it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from makeittalk.landmarks import ibug68
from makeittalk.landmarks.mean_face import MEAN_FACE

from .drawn_light import lighting
from .drawn_parts import HeadParts, Layer
from .drawn_shapes import SIDE, stroke
from .drawn_wear import ACCESSORIES, HAIRS, put_on

_SKINS = (
    (250, 214, 186), (240, 190, 155), (205, 150, 110), (150, 100, 70), (96, 62, 44), (255, 228, 210),
    (120, 175, 225), (140, 200, 130), (190, 150, 215), (250, 205, 60), (215, 215, 220), (225, 110, 95),
)  # fmt: skip
_GROUNDS = ((245, 245, 240), (200, 220, 235), (120, 140, 160), (235, 205, 170), (60, 65, 80), (170, 200, 170))
_COVERING = ("face", "hair", "cloth", "glass")  # what hides the strokes behind it


@dataclass
class DrawnHead:
    """A head ready to be drawn.

    Attributes:
        points: (68, 2) px, its landmarks. layers: back to front. strokes: outlines (n, 2) px with a width in px.
        light: (SIDE, SIDE) float32 0–1, how much light each place gets. shine: the same, where it glints.
        skin: (SIDE, SIDE) 0–1. worn: which `ACCESSORIES`.
    """

    points: np.ndarray
    layers: list[Layer]
    strokes: list[tuple[np.ndarray, float]]
    light: np.ndarray
    shine: np.ndarray
    skin: np.ndarray
    worn: frozenset[str]
    ground: np.ndarray = field(default_factory=lambda: np.array((245.0, 245.0, 240.0)))

    def flat(self, lit: np.ndarray | None = None) -> np.ndarray:
        """The parts in their colours, (SIDE, SIDE, 3) float32 0–255; times `lit` (SIDE, SIDE) or (SIDE, SIDE, 3)."""
        picture = np.broadcast_to(self.ground.astype(np.float32), (SIDE, SIDE, 3)).copy()
        for layer in self.layers:
            colour = layer.colour.astype(np.float32)
            shown = (
                colour if lit is None or layer.name == "glint" else colour * (lit if lit.ndim == 3 else lit[..., None])
            )
            picture += layer.mask[..., None] * (shown - picture)
        return picture

    def lines(self, width: float = 1.0) -> np.ndarray:
        """Its outlines, (SIDE, SIDE) float32 0–1, in multiples of their own widths."""
        covers = [layer for layer in self.layers if layer.name in _COVERING]
        canvas = np.zeros((SIDE, SIDE), np.uint8)
        for index, (line, own) in enumerate([*self.strokes, (np.zeros((0, 2)), 0.0)]):
            while covers and covers[0].strokes == index:
                canvas = np.rint(canvas * (1 - covers.pop(0).mask)).astype(np.uint8)
            if len(line):
                stroke(canvas, line, max(1, round(own * width)))
        return canvas.astype(np.float32) / 255.0


def random_head(rng: np.random.Generator, worn: frozenset[str] | None = None) -> DrawnHead:
    """A head of chance: proportions, colours, hair, expression, light, and what it wears unless `worn` says it."""
    points = _proportions(rng)
    if worn is None:
        worn = frozenset(name for name in ACCESSORIES if rng.random() < 0.25)
    skin = np.array(_SKINS[rng.integers(len(_SKINS))], float) * rng.uniform(0.92, 1.04)
    hair = np.array(HAIRS[rng.integers(len(HAIRS))], float)
    parts = HeadParts(points, rng, np.clip(skin, 0, 255), hair)
    parts.behind()
    parts.face()
    parts.eyes()
    parts.mouth()
    parts.nose()
    parts.brows()
    put_on(parts, worn)
    light, shine = lighting(parts, rng)
    ground = np.array(_GROUNDS[rng.integers(len(_GROUNDS))], float)
    return DrawnHead(points, parts.layers, parts.strokes, light, shine, parts.skin, worn, ground)


def _proportions(rng: np.random.Generator) -> np.ndarray:
    """(68, 2) px: the mean face as a cartoonist might change it."""
    points = np.array(MEAN_FACE, float)[:, :2].copy()
    amount = rng.uniform(0, 1)  # from natural to strongly stylised

    def about(which: np.ndarray, wide: float, high: float, down: float = 0.0) -> None:
        centre = points[which].mean(0)
        points[which] = centre + (points[which] - centre) * [wide, high] + [0, down]

    eyes = 1.0 + amount * rng.uniform(0.1, 0.9)
    about(ibug68.EYE_RIGHT, eyes, eyes * (1.0 + 0.5 * amount * rng.random()))
    about(ibug68.EYE_LEFT, eyes, 1.0)
    points[ibug68.EYE_LEFT, 1] = points[ibug68.EYE_RIGHT][[3, 2, 1, 0, 5, 4], 1]
    lift = 0.12 * (eyes - 1.0)
    points[np.r_[ibug68.BROW_RIGHT, ibug68.BROW_LEFT], 1] -= lift + rng.uniform(0, 0.06)
    about(ibug68.NOSE, 1.0 - amount * rng.uniform(0, 0.4), 1.0 - amount * rng.uniform(0, 0.3))
    about(ibug68.LIPS, rng.uniform(0.85, 1.2), rng.uniform(0.8, 1.2))
    gape = max(0.0, rng.normal(-0.03, 0.09))
    smile = rng.normal(0.0, 0.04)
    points[[48, 54, 60, 64], 1] -= smile
    points[[61, 62, 63], 1] = points[[61, 62, 63, 65, 66, 67], 1].mean() - 0.3 * gape
    points[[65, 66, 67], 1] = points[62, 1] + gape
    points[[56, 57, 58], 1] += gape
    low = slice(4, 13)
    points[low, 0] *= 1.0 + amount * rng.uniform(-0.25, 0.15) * np.sin(np.linspace(0.3, np.pi - 0.3, 9))
    points[:, 1] *= rng.uniform(0.9, 1.08)
    turn = rng.normal(0, 0.06)
    points = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points[17:, 0] += rng.normal(0, 0.05) * (1.0 - 0.3 * np.abs(points[17:, 0]))  # a little to a side
    scale = rng.uniform(0.42, 0.56) * SIDE / (points[16, 0] - points[0, 0])
    return points * scale + [SIDE * rng.uniform(0.46, 0.54), SIDE * 0.52 - points[27:31, 1].mean() * scale]
