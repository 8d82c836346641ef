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
    (-4.704, 1.072, 1.125, -0.314, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000),
    # flattest skin, to ordinary
    (-1.190, 0.657, 1.157, 0.208, -0.603, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000),
    # fine detail of skin, to middle
    (-0.422, 0.339, 0.873, 0.494, 0.026, -0.791, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000),
    # middle detail of skin, to coarse
    (-0.557, 0.323, -0.201, -0.017, 0.074, -0.149, -1.169, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000),
    # edges of eyes, brows and lips
    (-2.083, 0.336, -0.891, -0.147, -0.067, 0.722, 0.306, -0.349, 0.000, 0.000, 0.000, 0.000, 0.000),
    # edges of the nose
    (-2.619, 0.625, 0.509, 0.485, 0.123, 0.227, 0.116, -0.076, -0.488, 0.000, 0.000, 0.000, 0.000),
    # sharpness of the nose
    (0.322, 0.280, -1.170, -0.175, -0.229, -0.092, 0.050, 0.286, -0.163, -0.448, 0.000, 0.000, 0.000),
    # slope within the lips
    (-3.147, 0.720, 1.006, 0.600, 0.220, 0.140, 0.007, -0.299, -0.131, -0.179, -0.672, 0.000, 0.000),
    # evenness of the lips
    (-1.933, 1.110, 1.014, 0.098, 0.327, 0.097, -0.428, -0.247, 0.222, -0.390, -0.037, -0.307, 0.000),
    # broad shading of skin
    (-2.921, 0.292, 0.250, 0.208, 0.345, -0.284, -0.383, 0.249, -0.205, 0.161, 0.323, -0.117, 0.101),
])
# fmt: on
#: The rule of `photograph_odds`.
SHIPPED = StyleRule(_FITTED[:, 0], _FITTED[:, 1], _FITTED[:, 2], _FITTED[:, 3:], constant=1.271)


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
