"""Random people: the colours of skin, lips, brows, eyes, hair and clothes, light and what is behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .backdrop import random_backdrop
from .head_model import SKIN, HeadModel
from .interpolation import interpolate_table
from .skin_painting import paint_skin

#: From very light to very dark skin, sRGB; undertones vary around these.
_SKINS = np.array(
    [
        [250, 222, 204],
        [241, 200, 172],
        [226, 176, 142],
        [205, 152, 114],
        [176, 122, 86],
        [142, 94, 64],
        [106, 68, 47],
        [72, 46, 34],
        [50, 33, 26],
    ],
    float,
)
_HAIRS = np.array(
    [[22, 18, 17], [38, 27, 22], [62, 42, 30], [96, 66, 42], [150, 108, 66], [206, 170, 118], [150, 74, 40],
     [150, 148, 145], [215, 212, 206]],
    float,
)  # fmt: skip
_IRISES = np.array([[60, 36, 20], [92, 58, 30], [120, 92, 50], [96, 110, 70], [100, 130, 150], [70, 110, 160]], float)


@dataclass
class Look:
    """What stays the same in one clip: colours (linear RGB), light (directions point to it) and what is behind.

    Attributes:
        front: (H, W, 3) uint8 sRGB painting of the front, top first, over `FRONT`.
        backdrop: (H, W, 3) uint8 sRGB, top first.
        hair: (V,) how far inside the hair a vertex lies, cm; below 0 none.
        thickness: (V,) of the hair, cm.
        uniforms: the shader's other values by name.
        long_hair: length of long hair, cm, 0 for none. collar: how wide it is, cm.
    """

    front: np.ndarray
    backdrop: np.ndarray
    hair: np.ndarray
    thickness: np.ndarray
    uniforms: dict[str, Any] = field(default_factory=dict)
    long_hair: float = 0.0
    collar: float = 1.0


def linear(colour: np.ndarray) -> np.ndarray:
    """Linear 0–1 of sRGB 0–255 (as a power of 2.2, which the shader turns back)."""
    return (np.clip(np.asarray(colour, float), 0, 255) / 255.0) ** 2.2


def random_look(model: HeadModel, rng: np.random.Generator, size: tuple[int, int]) -> Look:
    """A person's colours with light and a backdrop.

    Args:
        model: the head. rng: draws everything. size: (width, height) of the backdrop, px.
    """
    tone = rng.uniform(0.0, len(_SKINS) - 1.0)
    skin = interpolate_table(_SKINS, tone) * (1.0 + rng.normal(0.0, [0.025, 0.012, 0.04]))
    hair_position = rng.uniform(0, len(_HAIRS) - 1) if tone < 3.5 else rng.uniform(0.0, 2.2)
    if tone >= 3.5 and rng.random() < 0.1:
        hair_position = rng.uniform(6.6, 7.4)  # grey
    hair = interpolate_table(_HAIRS, hair_position) * rng.uniform(0.75, 1.15)
    iris = interpolate_table(_IRISES, rng.uniform(0, 5) if tone < 3.5 else rng.uniform(0, 1.3)) * rng.uniform(0.7, 1.2)
    grown, thickness, long_hair = _hair(model, rng)
    front = paint_skin(model, rng, skin, hair, tone / (len(_SKINS) - 1.0))
    tooth = linear(np.array([246, 238, 222]) * rng.uniform(0.84, 1.0) - np.array([0, 4, 24]) * rng.random() ** 2)
    gum = linear(np.array([196, 98, 92]) * rng.uniform(0.65, 1.05, 3).mean() * rng.normal(1.0, 0.05, 3))
    cloth = linear(rng.uniform(10, 245, 3) if rng.random() < 0.6 else np.repeat(rng.uniform(10, 245), 3))
    uniforms = {
        "hair_colour": tuple(linear(hair)),
        "iris_colour": tuple(linear(iris)),
        "rim_colour": tuple(linear(iris * 0.45)),
        "white": tuple(linear(np.array([236, 230, 224]) * rng.uniform(0.8, 0.97))),
        "pupil": float(rng.uniform(0.11, 0.2)),
        "gaze_right": _unit(-0.10, 0.02, 1.0),
        "gaze_left": _unit(0.10, 0.02, 1.0),
        "tooth": tuple(tooth),
        "gum": tuple(gum),
        "cloth_colour": tuple(cloth),
        "cloth_other": tuple(np.clip(cloth * rng.uniform(0.5, 1.5) + rng.normal(0.0, 0.05, 3), 0.0, 1.0)),
        "cloth_kind": float(rng.choice([0.0, 0.0, 0.0, 1.0, 2.0])),
        "lashes": float(rng.uniform(0.05, 0.7)),
        "gloss": float(rng.uniform(0.1, 0.8)),
    }
    uniforms |= _light(rng)
    # A camera exposes for the face, in part.
    bright = float(linear(skin) @ (0.2, 0.7, 0.1))
    uniforms["exposure"] = float(np.exp(rng.normal(0.0, 0.2)) * (0.42 / bright) ** 0.22)
    return Look(front, random_backdrop(rng, size), grown, thickness, uniforms, long_hair, rng.uniform(0.0, 2.5))


def _light(rng: np.random.Generator) -> dict[str, object]:
    """A key light from the front half above, a fill from the other side, sky and ground."""
    turn, height = rng.normal(0.0, 0.7), rng.uniform(-0.05, 0.9)
    key_direction = np.array([np.sin(turn) * np.cos(height), np.sin(height), max(0.25, np.cos(turn)) * np.cos(height)])
    across = -np.sign(turn) * rng.uniform(0.2, 1.2)
    fill_direction = np.array([np.sin(across), rng.uniform(-0.3, 0.5), np.cos(across)])
    share = rng.uniform(0.25, 0.7)  # of light that comes from everywhere
    warmth = rng.normal(0.0, 0.12)
    tint = np.array([1.0 + warmth, 1.0, 1.0 - warmth])
    return {
        "key_direction": tuple(key_direction / np.linalg.norm(key_direction)),
        "fill_direction": tuple(fill_direction / np.linalg.norm(fill_direction)),
        "key": tuple((1.0 - share) * 1.25 * tint),
        "fill": tuple(rng.uniform(0.0, 0.35) * (2.0 - tint) * rng.uniform(0.8, 1.2)),
        "sky": tuple(share * 1.3 * (1.0 + rng.normal(0.0, 0.06, 3))),
        "ground": tuple(share * rng.uniform(0.5, 1.1) * (1.0 + rng.normal(0.0, 0.08, 3))),
    }


def _hair(model: HeadModel, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """How far inside the hair each vertex lies, how thick it is there, cm, and the length of long hair."""
    x, y, z = model.neutral.T
    forehead = rng.uniform(8.9, 11.3)
    line = forehead - rng.uniform(0.0, 0.06) * x**2 + rng.uniform(-0.5, 0.5) * np.cos(x * rng.uniform(0.4, 1.2))
    line += sum(rng.normal(0.0, 0.15 / f) * np.sin(x * f + rng.uniform(0.0, 6.0)) for f in (0.5, 0.9, 1.7, 2.9))
    burns = rng.uniform(-1.5, 3.5)  # how far down hair grows before the ears
    before = 3.2 + 0.1 * (y - 4.0)
    side = np.where(y > burns, before - z, (-2.6 + 0.1 * (y - burns)) - z)
    side = np.where(y > -7.0, side, side + (y + 7.0))
    inside = np.maximum(np.where(z > 0, y - line, np.maximum(y - line, side)), np.minimum(side, y - burns + 1.0))
    inside = np.where((z < -2.6) & (y > -8.0), np.maximum(inside, -2.6 - z), inside)
    ear = (np.abs(x) > 6.9) & (y < 5.6) & (y > -4.0) & (z > -2.8) & (z < 3.2)
    inside = np.where(ear | (model.kinds != SKIN), -2.0, inside)
    if rng.random() < 0.1:
        return np.full(len(x), -2.0), np.zeros(len(x)), 0.0
    bulk = rng.uniform(0.1, 0.5) if rng.random() < 0.4 else rng.uniform(0.5, 1.8)
    top = 0.6 + 0.7 * np.clip((y - 6.0) / 8.0, 0.0, 1.0)
    wave = 1.0 + 0.25 * np.sin(x * rng.uniform(0.5, 1.5) + rng.uniform(0, 6)) * np.sin(z * rng.uniform(0.4, 1.0))
    thickness = bulk * top * wave * np.clip(inside / 1.5, 0.0, 1.0) ** 0.6
    long_hair = float(rng.uniform(3.0, 24.0)) if bulk > 0.5 and rng.random() < 0.5 else 0.0
    return inside, thickness, long_hair


def _unit(*way: float) -> tuple[float, ...]:
    vector = np.array(way)
    return tuple(vector / np.linalg.norm(vector))
