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
    (-4.709, 1.079, 1.096, -0.352, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000),
    # flattest skin, to ordinary
    (-1.171, 0.634, 1.143, 0.186, -0.631, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000),
    # fine detail of skin, to middle
    (-0.425, 0.343, 0.946, 0.534, -0.001, -0.775, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000),
    # middle detail of skin, to coarse
    (-0.567, 0.327, -0.119, -0.012, 0.085, -0.081, -1.168, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000),
    # edges of eyes, brows and lips
    (-2.069, 0.335, -1.019, -0.172, -0.089, 0.605, 0.232, -0.232, 0.000, 0.000, 0.000, 0.000, 0.000),
    # edges of the nose
    (-2.645, 0.642, 0.678, 0.515, 0.152, 0.273, 0.179, -0.224, -0.384, 0.000, 0.000, 0.000, 0.000),
    # sharpness of the nose
    (0.324, 0.284, -1.251, -0.223, -0.226, -0.150, -0.028, 0.334, -0.275, -0.401, 0.000, 0.000, 0.000),
    # slope within the lips
    (-3.136, 0.709, 0.971, 0.578, 0.197, 0.132, -0.019, -0.316, -0.193, -0.174, -0.656, 0.000, 0.000),
    # evenness of the lips
    (-1.911, 1.079, 0.896, 0.049, 0.292, 0.125, -0.470, -0.179, 0.141, -0.363, -0.026, -0.314, 0.000),
    # broad shading of skin
    (-2.925, 0.291, 0.271, 0.215, 0.393, -0.249, -0.390, 0.152, -0.219, 0.154, 0.346, -0.113, 0.112),
])
# fmt: on
#: The rule of `photograph_odds`.
SHIPPED = StyleRule(_FITTED[:, 0], _FITTED[:, 1], _FITTED[:, 2], _FITTED[:, 3:], constant=1.188)


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
