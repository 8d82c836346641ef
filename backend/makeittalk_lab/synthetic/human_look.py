"""What a rendered person looks like besides the shape: skin, lips, eyes, teeth, hair, as numbers of the materials."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

#: Painted skins by origin; those with stubble are left to our own stubble, which is sharper.
_SKINS = {
    "african": ("dark", "dark", "brown"),
    "asian": ("east_asian", "east_asian", "brown", "olive"),
    "caucasian": ("pale", "light", "light", "olive"),
}
_EYES_OF = {
    "african": ("brown", "brown", "brownlight"),
    "asian": ("brown", "brown", "brownlight"),
    "caucasian": ("blue", "bluegreen", "brown", "brownlight", "deepblue", "green", "grey", "ice", "lightblue"),
}
_HAIR_COLOURS = {
    "black": (0.12, 0.11, 0.11),
    "dark": (0.3, 0.24, 0.2),
    "brown": (0.75, 0.55, 0.4),
    "fair": (1.5, 1.2, 0.85),
    "red": (1.3, 0.6, 0.35),
    "grey": (1.25, 1.25, 1.25),
}
#: The kit's sets but `teeth_shape05`, whose canines are fangs.
TEETH = ("teeth_base", "teeth_shape01", "teeth_shape02", "teeth_shape03", "teeth_shape04")
_SKIN_RADIUS = (1.0, 0.35, 0.18)  # of red, green and blue light under the skin, relative


@dataclass(frozen=True)
class Look:
    """A look.

    Attributes:
        teeth, hair, brow, lash: names of assets, hair "" for none. materials: by part, as the job holds them, textures
            by their names in the kit. beard: 0–1, how far up the cheeks stubble grows; 0 for none. make_up: whether
            lips are painted.
    """

    teeth: str
    hair: str
    brow: str
    lash: str
    materials: dict[str, dict[str, Any]]
    beard: float
    make_up: bool


def random_look(rng: np.random.Generator, origin: str, male: float, old: float) -> Look:
    """A look that goes with an origin, sex and age, drawn at random."""
    man = rng.random() < male
    tone = str(rng.choice(_SKINS[origin]))
    dark = {"dark": 1.0, "brown": 0.7, "olive": 0.3, "east_asian": 0.2}.get(tone, 0.0)
    skin_file = f"skin_{'light_old' if old > 0.5 and tone in ('light', 'pale') else tone}.jpg"
    grey = old > 0.5 and rng.random() < 0.75
    colours = ["black", "dark"] if origin != "caucasian" else ["dark", "brown", "brown", "fair", "red", "black"]
    hair_colour = np.array(_HAIR_COLOURS["grey" if grey else str(rng.choice(colours))]) * rng.uniform(0.8, 1.2)
    beard = float(rng.uniform(0.3, 1.0)) if man and rng.random() < 0.55 else 0.0
    make_up = bool(not man and rng.random() < 0.35)
    skin = _skin(rng, dark, old, beard, make_up, hair_colour) | {"texture": skin_file}
    teeth_tint = _teeth_tint(rng, old)
    hairs = ["short01", "short02", "short03", "short04"] if man else ["bob02", "long01", "short02", "bob02", "long01"]
    hair = "" if man and rng.random() < 0.15 + 0.15 * old else f"hair_{rng.choice(hairs)}"
    brow, lash = f"brow{rng.integers(1, 13):02d}", f"lash{1 if man else rng.integers(1, 5):02d}"
    brow_tint = np.clip(0.8 * hair_colour, 0.1, 1.0)
    materials = {
        "skin": skin,
        "teeth": _wet("teeth.png", teeth_tint, rng.uniform(0.16, 0.3), 0.25, 0.0008, 700.0,
                      0.00004, rng.uniform(0.5, 1.0)),
        "tongue": _wet("tongue.jpg", rng.uniform([0.72, 0.6, 0.6], [0.95, 0.85, 0.85]), 0.42, 0.3, 0.002, 1100.0,
                       0.0003, rng.uniform(0.25, 0.6)),
        "eyes": {"kind": "eye", "texture": f"eye_{rng.choice(_EYES_OF[origin])}.webp",
                 "tint": _colour(np.array([0.86, 0.83, 0.8]) * rng.uniform(0.85, 1.05))},
        "brow": _hair(f"{brow}.webp", brow_tint, 0.6, 0.1, 1.0),
        "lash": _hair(f"{lash}.webp", (0.3, 0.25, 0.22), 0.5, 0.1, 0.8 if man else 1.0),
    }  # fmt: skip
    if hair:
        # The pictures of long hair are lighter than those of short hair.
        lighter = 0.55 if hair in ("hair_bob02", "hair_long01") else 1.0
        materials["hair"] = _hair(f"{hair}.webp", lighter * hair_colour, 0.45, 0.3, 1.1)
    return Look(str(rng.choice(TEETH)), hair, brow, lash, materials, beard, make_up)


def _skin(
    rng: np.random.Generator, dark: float, old: float, beard: float, make_up: bool, hair: np.ndarray
) -> dict[str, Any]:
    """The skin's numbers. dark: 0–1."""
    if make_up:
        lip = np.array([[0.36, 0.02, 0.04], [0.42, 0.09, 0.12], [0.25, 0.02, 0.05], [0.5, 0.18, 0.17]])[rng.integers(4)]
    else:
        pale, deep = np.array([0.5, 0.19, 0.16]), np.array([0.12, 0.05, 0.045])
        lip = pale + (deep - pale) * min(1.0, dark * rng.uniform(0.8, 1.1))
    lip = lip * rng.uniform(0.85, 1.2)
    stubble = np.clip(hair * 0.05 * (1.0 + 6.0 * (hair.min() > 1.0)), 0.006, 0.4)
    return {
        "kind": "skin",
        "saturation": float(rng.uniform(0.85, 1.12)),
        "value": float(rng.uniform(0.8, 1.1) * (1.0 + 0.35 * (dark > 0.9) * rng.random())),
        "mottle": float(rng.uniform(0.15, 0.5)),
        "red": _colour(np.array([0.95, 0.72, 0.68]) + 0.15 * dark),
        "brown": _colour(np.array([0.8, 0.68, 0.58]) + 0.1 * dark),
        "freckles": float(rng.uniform(0.3, 0.8)) if rng.random() < 0.3 + 0.2 * old else 0.0,
        "freckle": _colour(np.array([0.55, 0.38, 0.27])),
        "lip": _colour(lip),
        "lip_dark": _colour(lip * rng.uniform([0.7, 0.6, 0.6], [0.92, 0.85, 0.87])),
        "lip_blotch": _colour(np.array([0.8, 0.68, 0.68])),
        "lip_share": 0.95 if make_up else float(rng.uniform(0.35, 0.75)),
        "lip_rough": float(rng.uniform(0.22, 0.45)),
        "lip_gloss": float(rng.uniform(0.3, 0.9) if make_up else rng.uniform(0.0, 0.4)),
        "creases": float(rng.uniform(600.0, 1100.0)),
        "crease_depth": float(rng.uniform(0.00006, 0.0002) * (1.0 + old)),
        "pores": float(rng.uniform(900.0, 1500.0)),
        "pore_shade": float(rng.uniform(0.2, 0.6)),
        "pore_depth": float(rng.uniform(0.8, 2.4)),
        "wrinkle": float(rng.uniform(0.0001, 0.0004) * (1.0 + 1.2 * old)),
        "stubble": float(rng.uniform(0.5, 0.95)) if beard else 0.0,
        "stubble_scale": float(rng.uniform(1100.0, 1500.0)),
        "stubble_size": float(rng.uniform(0.22, 0.34)),
        "stubble_shadow": float(rng.uniform(0.1, 0.5) * (beard > 0)),
        "stubble_tint": _colour(np.array([0.62, 0.6, 0.62])),
        "stubble_colour": _colour(stubble),
        "cavity": _colour(np.array([0.26, 0.05, 0.045]) * rng.uniform(0.7, 1.3)),
        "rough": float(rng.uniform(0.42, 0.6)),
        "specular": float(rng.uniform(0.35, 0.5)),
        "oil": float(max(0.0, rng.normal(0.0, 0.04))),
        "subsurface": float(rng.uniform(0.35, 0.6)),
        "radius": list(_SKIN_RADIUS),
        "depth": float(rng.uniform(0.0025, 0.005)),
    }


def _teeth_tint(rng: np.random.Generator, old: float) -> np.ndarray:
    """White to yellow, darker with age."""
    yellow = rng.uniform(0.0, 0.6) + 0.4 * old * rng.random()
    white, stained = np.array([1.0, 0.97, 0.92]), np.array([0.9, 0.75, 0.52])
    return (white + (stained - white) * yellow) * rng.uniform(0.9, 1.08)


def _wet(
    texture: str, tint: Any, rough: float, subsurface: float, depth: float, scale: float, bump: float, wet: float
) -> dict[str, Any]:
    scatter = {"subsurface": subsurface, "radius": [1.0, 0.6, 0.4], "depth": depth}
    surface = {"rough": float(rough), "bump_scale": scale, "bump": bump, "wet": float(wet)}
    return {"kind": "wet", "texture": texture, "tint": _colour(tint)} | scatter | surface


def _hair(texture: str, tint: Any, rough: float, specular: float, alpha: float) -> dict[str, Any]:
    return {"kind": "hair", "texture": texture, "tint": _colour(tint), "rough": rough, "specular": specular,
            "alpha": alpha}  # fmt: skip


def _colour(values: Any) -> list[float]:
    return [float(v) for v in values]


def texture_path(kit_folder: Path, name: str) -> Path:
    """Where a texture lies in the kit."""
    return kit_folder / "textures" / name
