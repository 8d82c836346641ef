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
    """Weighs measures: by how far each lies from its middle, and by the products of each two of these.

    Attributes:
        middle, spread: (M,) of the measures. linear: (M,) weights. products: (M, M) weights, below the diagonal and on
            it. constant: added.
    """

    middle: np.ndarray
    spread: np.ndarray
    linear: np.ndarray
    products: np.ndarray
    constant: float

    def terms(self, measures: np.ndarray) -> np.ndarray:
        """What is weighed, (…, M + M (M + 1) / 2), for measures (…, M)."""
        away = np.clip((measures - self.middle) / self.spread, -_FARTHEST, _FARTHEST)
        one, other = np.tril_indices(away.shape[-1])
        return np.concatenate([away, away[..., one] * away[..., other]], axis=-1)

    def odds(self, measures: np.ndarray) -> np.ndarray:
        """The logarithm of the odds of a photograph, (…), for measures (…, M)."""
        weights = np.concatenate([self.linear, self.products[np.tril_indices(len(self.linear))]])
        return np.asarray(self.terms(measures) @ weights + self.constant)


# As `makeittalk_lab.evaluation.style_set --constants` prints them; docs/style.md says of which pictures. Middle, spread
# and weight of each measure, then the weights of the products of each with those before it and with itself.
# fmt: off
_FITTED = np.array([
    # slope of ordinary skin
    (-4.709, 1.078, 1.052, -0.433, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000),
    # flattest skin, to ordinary
    (-1.179, 0.655, 1.089, 0.100, -0.617, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000),
    # fine detail of skin, to middle
    (-0.439, 0.342, 1.068, 0.624, 0.059, -0.813, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000),
    # middle detail of skin, to coarse
    (-0.584, 0.319, 0.008, 0.132, 0.058, -0.229, -1.133, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000),
    # edges of eyes, brows and lips
    (-2.064, 0.337, -1.082, -0.276, 0.036, 0.709, 0.125, -0.268, 0.000, 0.000, 0.000, 0.000, 0.000),
    # edges of the nose
    (-2.647, 0.667, 0.643, 0.500, 0.191, 0.422, 0.175, -0.195, -0.600, 0.000, 0.000, 0.000, 0.000),
    # sharpness of the nose
    (0.314, 0.280, -1.125, -0.122, -0.191, -0.156, -0.133, 0.397, -0.254, -0.377, 0.000, 0.000, 0.000),
    # slope within the lips
    (-3.091, 0.598, 0.865, 0.462, 0.236, 0.194, -0.080, -0.431, -0.299, 0.020, -0.632, 0.000, 0.000),
    # evenness of the lips
    (-1.922, 1.079, 0.889, 0.024, 0.331, 0.144, -0.406, -0.261, 0.123, -0.345, -0.149, -0.294, 0.000),
    # broad shading of skin
    (-2.913, 0.293, 0.252, 0.341, 0.374, -0.346, -0.377, 0.095, -0.207, 0.086, 0.349, -0.095, 0.068),
])
# fmt: on
#: The rule of `photograph_odds`.
SHIPPED = StyleRule(_FITTED[:, 0], _FITTED[:, 1], _FITTED[:, 2], _FITTED[:, 3:], constant=1.461)


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
