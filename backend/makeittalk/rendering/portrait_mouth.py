"""A mouth that a portrait shows open: how far its own teeth and its own dark are kept as the mouth moves."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..images.landmark_image import fill_mouth
from ..landmarks.measures import openness
from ..landmarks.smoothstep import smoothstep

_CHEEKS = [1, 3, 5, 11, 13, 15, 35, 31]
#: From where something begins and where it is complete: an open mouth, its opening ÷ its width; teeth, their
#: brightness ÷ that of the skin; a mouth that is open otherwise than the portrait's, the difference ÷ its width.
_OPEN, _BRIGHT, _OTHER = (0.06, 0.12), (0.70, 0.95), (0.0, 0.2)
_TEETH = 0.8  # of a portrait's own teeth that stays however the mouth moves: the rest is light and shade


@dataclass(frozen=True)
class PortraitMouth:
    """What a portrait shows between its lips.

    Attributes:
        open, teeth: how far it is open, and shows its teeth, 0–1. opening: in widths of the mouth.
    """

    open: float
    teeth: float
    opening: float

    @classmethod
    def of(cls, portrait: np.ndarray, points: np.ndarray) -> PortraitMouth:
        """Looks between the lips of a portrait (256, 256, 3) uint8 with landmarks (68, 2) px."""
        gap = float(openness(points))
        inside = cv2.erode(fill_mouth(points), np.ones((3, 3), np.uint8)) > 127
        if not inside.any():
            return cls(0.0, 0.0, gap)
        cheeks = np.zeros(inside.shape, np.uint8)
        cv2.fillConvexPoly(cheeks, cv2.convexHull(np.rint(points[_CHEEKS]).astype(np.int32)), 255)
        grey = cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY).astype(np.float64)
        skin = float(np.median(grey[cheeks > 0])) if cheeks.any() else 255.0
        bright = float(np.percentile(grey[inside], 75)) / max(skin, 1.0)
        return cls(_share(gap, _OPEN), _share(bright, _BRIGHT), gap)

    def kept(self, points: np.ndarray) -> float:
        """How far the portrait's own mouth is kept at landmarks (68, 2), 0–1.

        Teeth that show are the person's own and stay. A dark mouth is kept where it is open as in the portrait, and
        gives way little by little: there is more to see in it than the portrait knows.
        """
        other = float(smoothstep(np.array(_share(abs(float(openness(points)) - self.opening), _OTHER))))
        return self.open * max(_TEETH * self.teeth, 1.0 - other)


def _share(value: float, bounds: tuple[float, float]) -> float:
    return float(np.interp(value, bounds, (0.0, 1.0)))
