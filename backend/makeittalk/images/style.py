"""Tells photographs from drawings by what the skin and the parts of a face are made of.

Skin that was filmed changes a little everywhere, in all sizes of detail at once, and so does a painter's; its eyes,
lips and nose have edges of all strengths. A drawing keeps its changes for its outlines, with flat or evenly shaded
areas between them, or covers all with strokes and dots of one size. `skin_measures` says how much of which there is,
and a logistic rule weighs it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .skin_measures import skin_measures

_FARTHEST = 3.0  # spreads from the middle: beyond, a measure says no more


@dataclass(frozen=True)
class StyleRule:
    """Weighs measures: by how far each lies from its middle, and by the square of that.

    Attributes:
        middle, spread: (M,) of the measures. linear, square: (M,) weights. constant: added.
    """

    middle: np.ndarray
    spread: np.ndarray
    linear: np.ndarray
    square: np.ndarray
    constant: float

    def terms(self, measures: np.ndarray) -> np.ndarray:
        """What is weighed, (…, 2 M), for measures (…, M)."""
        away = np.clip((measures - self.middle) / self.spread, -_FARTHEST, _FARTHEST)
        return np.concatenate([away, away * away], axis=-1)

    def odds(self, measures: np.ndarray) -> np.ndarray:
        """The logarithm of the odds of a photograph, (…), for measures (…, M)."""
        return np.asarray(self.terms(measures) @ np.concatenate([self.linear, self.square]) + self.constant)


# Middle, spread, weight and weight of the square of each measure, as `makeittalk_lab.evaluation.style_set --constants`
# prints them; docs/style.md says of which pictures.
_FITTED = np.array(
    [
        (-4.686, 1.108, 2.056, -0.008),  # slope of ordinary skin
        (-1.189, 0.634, 1.304, -0.891),  # flattest skin, to ordinary
        (-0.406, 0.316, 1.393, -0.739),  # fine detail of skin, to middle
        (-0.553, 0.327, -0.504, -1.256),  # middle detail of skin, to coarse
        (-2.049, 0.314, -1.207, -0.025),  # edges of eyes, brows and lips
        (-2.605, 0.660, 1.446, -0.442),  # edges of the nose
        (0.335, 0.280, -1.999, -0.606),  # sharpness of the nose
        (-3.112, 0.680, 1.386, -0.763),  # slope within the lips
        (-1.930, 1.073, 1.474, -0.057),  # evenness of the lips
    ]
)
#: The rule of `photograph_odds`.
SHIPPED = StyleRule(_FITTED[:, 0], _FITTED[:, 1], _FITTED[:, 2], _FITTED[:, 3], constant=0.765)


def resolve_style(style: str, rgba: np.ndarray, landmarks: np.ndarray) -> tuple[str, str]:
    """The way to draw a portrait, chosen by the picture where it is left open.

    Args:
        style: one of `STYLES`. rgba: (H, W, 3 or 4) uint8. landmarks: (68, ≥2) px.

    Returns:
        "photo" or "cartoon", and a sentence that says why, empty where `style` said it.
    """
    return choose_style(rgba, landmarks) if style == "auto" else (style, "")


def choose_style(rgba: np.ndarray, landmarks: np.ndarray) -> tuple[str, str]:
    """How a portrait is best moved.

    Args:
        rgba: (H, W, 3 or 4) uint8. landmarks: (68, ≥2) px.

    Returns:
        "photo" or "cartoon", and a sentence that says why.
    """
    if is_photograph(rgba, landmarks):
        return "photo", "The portrait looks like a photograph, with skin that changes all over the face: style photo."
    return "cartoon", "The portrait looks like a drawing, by the edges and areas of its face: style cartoon."


def is_photograph(rgba: np.ndarray, landmarks: np.ndarray) -> bool:
    """Whether a portrait is rather a photograph, or painted like one, than a drawing.

    Args:
        rgba: (H, W, 3 or 4) uint8. landmarks: (68, ≥2) px.
    """
    return photograph_odds(rgba, landmarks) > 0


def photograph_odds(rgba: np.ndarray, landmarks: np.ndarray) -> float:
    """The logarithm of the odds that a portrait is a photograph, above 0 where it rather is.

    Args:
        rgba: (H, W, 3 or 4) uint8. landmarks: (68, ≥2) px.
    """
    return float(SHIPPED.odds(skin_measures(rgba, landmarks)))
