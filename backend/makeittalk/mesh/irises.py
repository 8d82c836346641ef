"""Where a portrait shows its irises: circles along whose sides the picture turns from dark to white.

The derivative across the circle is Daugman's ("How iris recognition works", 2004), on the sides alone: lids cover
what is above and below.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..landmarks.polygon import inside_polygon

_WIDTH = 96  # px of an eye while it is looked at
_REACH = 0.62  # of the eye's width, from its middle to the sides of what is looked at
_SIDES = np.deg2rad(np.linspace(-50, 50, 15))  # from the level: where an iris borders on white
_STEP = 0.14  # of the radius, from the edge to where inside and outside are compared
_RADII = (0.12, 0.34)  # of the eye's width; an iris has 0.2, drawings more
_NEAR = (0.75, 1.5)  # of the radius that a detector found
_SPAN = (0.34, 0.14)  # of the eye's width: how far an iris lies beside and above the eye's middle
_STRAY = (0.16, 0.12)  # the same from where a detector found it
_USUAL = 0.21  # of the eye's width: the radius of an iris where no detector tells
_RISE, _GROWTH = 0.05, 0.32  # spread of height (in widths of the eye) and of the radius (logarithm)
_DULL = 0.7  # grey levels that each one lacking to white outside the circle costs
_FEW = 3  # samples of a side that are in the open eye: fewer say nothing
_EDGE = 9.0  # grey levels between inside and outside, at least
_CONTRAST = 14.0  # grey levels from the iris to the white, at least
_WHITE = 0.12  # of the open eye that is white, at least
_SHUT = 0.13  # of the eye's width: an eye that is less open shows nothing to turn
_OUTSIDE = 0.05  # of the eye's width, beyond the lids' landmarks that may still be eye


@dataclass(frozen=True)
class Iris:
    """One iris: middle (2,) and radius, px of the portrait."""

    centre: np.ndarray
    radius: float


def find_iris(rgba: np.ndarray, outline: np.ndarray, seen: np.ndarray | None = None) -> Iris | None:
    """The iris in one eye, or None where it shows none: shut, a dot, too little white beside it.

    Args:
        rgba: (H, W, 4) uint8. outline: (n, 2) px, the lids from corner to corner and back, the first and the one
            halfway being the corners. seen: (3,) px, middle and radius that a detector found.
    """
    corners = outline[[0, len(outline) // 2]]
    width = float(np.linalg.norm(corners[1] - corners[0]))
    along = (corners[1] - corners[0]) / max(width, 1e-9)
    turn = np.array([along, [-along[1], along[0]]])  # rows: along the eye, down
    middle = corners.mean(axis=0)
    flat = (outline - middle) @ turn.T / max(width, 1e-9)  # in widths of the eye
    if width < 8.0 or np.ptp(flat[:, 1]) < _SHUT:
        return None
    grey = _grey(rgba, middle, turn, width)
    open_eye = flat * (1 + 2 * _OUTSIDE)
    near = None if seen is None else np.concatenate([(seen[:2] - middle) @ turn.T, seen[2:]]) / width
    circles = _candidates(flat, near)
    score = _edges(grey, circles, open_eye) * _likely(circles, flat, seen is not None)
    best = circles[int(score.argmax())]
    if score.max() < _EDGE or not _is_seen(grey, best, flat):
        return None
    return Iris(middle + width * (best[:2] @ turn), float(width * best[2]))


def _grey(rgba: np.ndarray, middle: np.ndarray, turn: np.ndarray, width: float) -> np.ndarray:
    """The eye, level and `_WIDTH` px wide, mostly its red: that tells white best from irises of every colour."""
    side = round(2 * _REACH * _WIDTH)
    scale = width / _WIDTH
    matrix = np.column_stack([scale * turn.T, middle - 0.5 - scale * turn.T @ np.full(2, side / 2 - 0.5)])
    size = np.array(rgba.shape[1::-1])
    low = np.clip(np.floor(middle - width).astype(int), 0, size - 1)
    high = np.clip(np.ceil(middle + width).astype(int), low + 1, size)
    part = rgba[low[1] : high[1], low[0] : high[0], :3].astype(np.float32) @ np.array([0.6, 0.3, 0.1], np.float32)
    if scale > 1.0:
        part = cv2.GaussianBlur(part, (0, 0), 0.4 * scale)
    matrix[:, 2] -= low
    found = cv2.warpAffine(
        part, matrix, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cv2.GaussianBlur(found, (0, 0), 1.5))


def _candidates(flat: np.ndarray, seen: np.ndarray | None) -> np.ndarray:
    """Circles (n, 3) to try, in widths of the eye from its middle."""
    if seen is None:
        centre, span, radii = np.array([0.0, float(flat[:, 1].mean())]), _SPAN, _RADII
    else:
        centre, span = seen[:2], _STRAY
        radii = (max(_RADII[0], _NEAR[0] * seen[2]), min(_RADII[1], _NEAR[1] * seen[2]))
        radii = (radii[0], max(radii[0], radii[1]))
    x = centre[0] + np.linspace(-span[0], span[0], 2 * round(span[0] / 0.0125) + 1)
    y = centre[1] + np.linspace(-span[1], span[1], 2 * round(span[1] / 0.02) + 1)
    r = np.linspace(*radii, 14)
    return np.stack(np.meshgrid(x, y, r, indexing="ij"), axis=-1).reshape(-1, 3)


def _edges(grey: np.ndarray, circles: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """How much brighter it is outside each circle than inside, by its sides, (n,) grey levels."""
    white = _brightest(grey, outline)
    total = np.zeros(len(circles))
    count = np.zeros(len(circles))
    for side in (0.0, np.pi):
        ray = np.stack([np.cos(_SIDES + side), np.sin(_SIDES + side)], axis=1)
        radius = circles[:, None, 2:]
        outer = circles[:, None, :2] + (1 + _STEP) * radius * ray
        inner = circles[:, None, :2] + (1 - _STEP) * radius * ray
        seen = inside_polygon(outer.reshape(-1, 2), outline).reshape(outer.shape[:2])
        step = _read(grey, outer) - _read(grey, inner)
        # A highlight on the edge or a lash beside it says little, and beside a pupil it is not white.
        step = np.clip(step, -60.0, 60.0) - _DULL * np.maximum(white - _read(grey, outer), 0.0)
        shown = seen.sum(axis=1)
        enough = shown >= _FEW
        total += np.where(enough, (step * seen).sum(axis=1) / np.maximum(shown, 1), 0.0)
        count += enough
    # One side alone may be any edge: two count for more than their mean.
    return total / np.maximum(count, 1) * np.where(count == 2, 1.0, 0.6)


def _likely(circles: np.ndarray, flat: np.ndarray, seen: bool) -> np.ndarray:
    """How likely the height and the size of each circle are, (n,) 0–1: the sides of the picture say little of them."""
    height = circles[:, 1].mean() if seen else flat[:, 1].mean()
    size = np.median(circles[:, 2]) if seen else _USUAL
    return np.asarray(
        np.exp(-0.5 * ((circles[:, 1] - height) / _RISE) ** 2 - 0.5 * (np.log(circles[:, 2] / size) / _GROWTH) ** 2)
    )


def _brightest(grey: np.ndarray, outline: np.ndarray) -> float:
    """The grey level of the white of an eye."""
    places, values = _places(grey), grey.ravel()
    within = inside_polygon(places, outline)
    return float(np.percentile(values[within], 80)) if within.any() else 0.0


def _places(grey: np.ndarray) -> np.ndarray:
    """Where each pixel (n, 2) is, in widths of the eye from its middle."""
    y, x = np.mgrid[0 : len(grey), 0 : len(grey)]
    return np.asarray((np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5 - len(grey) / 2) / _WIDTH)


def _is_seen(grey: np.ndarray, circle: np.ndarray, outline: np.ndarray) -> bool:
    """Whether the open eye shows white beside a circle, and the circle is darker."""
    places = _places(grey)
    within = inside_polygon(places, outline)
    distance = np.linalg.norm(places - circle[:2], axis=1) / circle[2]
    iris, white = within & (distance < 0.9), within & (distance > 1.1)
    if not iris.any() or white.sum() < _WHITE * within.sum():
        return False
    values = grey.ravel()
    return bool(np.percentile(values[white], 75) - np.median(values[iris]) > _CONTRAST)


def _read(grey: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Grey levels at places (…, 2), widths of the eye from its middle."""
    pixels = np.rint(places * _WIDTH + len(grey) / 2 - 0.5).astype(int)
    pixels = np.clip(pixels, 0, len(grey) - 1)
    return np.asarray(grey[pixels[..., 1], pixels[..., 0]], np.float64)
