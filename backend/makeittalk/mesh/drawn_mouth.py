"""Mouths that are drawn open, as an area of colour without lips: the drawn edge is where the lips part and meet.

Between the landmarks such an edge lies elsewhere than a curve through them, at the corners above all, and what lies
beyond the curve would stay open when the lips are shut.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.ndimage import binary_fill_holes, label, median_filter, uniform_filter1d

from ..images.colour_distance import nearest_distance
from ..images.picture import on_grey
from ..images.style import is_photograph
from ..landmarks import ibug68
from ..landmarks.measures import UPPER_LIP_SHARE
from ..landmarks.polygon import inside_polygon, outline_distance
from .contours import Contours
from .deform import signed_areas

_THIN = 0.05  # of the mouth's width: lips that are no thicker, for the most part, are none
_OPEN = 0.06  # of the mouth's width: what is open no further is a line
_AROUND = 0.3  # of the mouth's width: how far around the outer lips is looked
_LEAK = 0.24  # of the mouth's width: an area that reaches further beyond the landmarks is no mouth
_NEAR, _FAR = 0.06, 0.2  # of the mouth's width, beyond the outer lips: where skin is
_COLOURS = 4
_LEAST_SHARE = 0.12  # of what lies around the mouth: a colour that is rarer is no skin
_LEAST_CONTRAST = 12.0  # CIE Lab, between the mouth and the skin around it
_LINE_CONTRAST = 8.0  # CIE Lab, between a drawn line and what it surrounds
_MARGIN = 1.5  # px beyond the drawn edge, which is soft
_THICK = 0.08  # of the mouth's width: a drawn line is thinner
_LEAST_INSET = 1.0  # px within the edge
_STEP = 0.5  # px along a column
#: Where columns lie beside the corners as well, where a drawn edge may be steep: parameters beyond the inner corner.
EXTRA_COLUMNS = np.array([0.006, 0.018, 0.034])


@dataclass(frozen=True)
class DrawnMouth:
    """The area of a drawn mouth.

    Attributes:
        area: (h, w) bool. lab: (h, w, 3) its colours, CIE Lab. origin: (2,) px, the portrait's x and y of its first
            pixel.
    """

    area: np.ndarray
    lab: np.ndarray
    origin: np.ndarray

    @classmethod
    def find(cls, rgba: np.ndarray, landmarks: np.ndarray) -> DrawnMouth | None:
        """The drawn mouth of a portrait (H, W, 4) uint8; None where it has lips, is shut or has no clear edge, and in a
        photograph."""
        points = np.asarray(landmarks, np.float64)[:, :2]
        width = float(np.linalg.norm(points[54] - points[48]))
        upper, lower = (points[[pair[side] for pair in ibug68.INNER_PAIRS]] for side in (0, 1))
        along = (points[54] - points[48]) / max(width, 1e-9)
        down = np.array([-along[1], along[0]])
        thickness = np.abs((points[[50, 51, 52, 58, 57, 56]] - np.concatenate([upper, lower])) @ down)
        if np.median(thickness) > _THIN * width or ((lower - upper) @ down).mean() < _OPEN * width:
            return None
        if is_photograph(rgba, landmarks):
            return None
        outline, hole = points[ibug68.LIP_OUTER], points[ibug68.LIP_INNER]
        low = np.maximum(np.floor(outline.min(axis=0) - _AROUND * width), 0).astype(int)
        high = np.minimum(np.ceil(outline.max(axis=0) + _AROUND * width) + 1, rgba.shape[1::-1]).astype(int)
        crop = on_grey(rgba[low[1] : high[1], low[0] : high[0]])
        lab = cv2.cvtColor(crop.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
        x, y = np.meshgrid(*(np.arange(a, b, dtype=np.float64) for a, b in zip(low, high, strict=True)))
        places = np.stack([x.ravel(), y.ravel()], axis=1)
        beyond = outline_distance(places, outline).reshape(lab.shape[:2])
        inside = inside_polygon(places, hole).reshape(lab.shape[:2])
        skin = lab[(beyond > _NEAR * width) & (beyond < _FAR * width)]
        if inside.sum() < 40 or len(skin) < 40:
            return None
        to_skin = nearest_distance(lab, _colours(skin, _LEAST_SHARE))
        mouth = inside & (to_skin > _LEAST_CONTRAST)  # landmarks may lie a little beyond the edge
        if mouth.sum() < 0.6 * inside.sum():
            return None
        to_mouth = nearest_distance(lab, _colours(lab[mouth]))
        parts, _ = label((to_mouth < to_skin) & (beyond < _AROUND * width))
        counts = np.bincount(parts[inside], minlength=2)
        counts[0] = 0
        area = binary_fill_holes(parts == int(counts.argmax()))
        if counts.max() < 0.5 * inside.sum() or beyond[area].max(initial=0.0) > _LEAK * width:
            return None
        return cls(area, lab, low.astype(np.float64))

    def follow(self, contours: Contours, landmarks: np.ndarray) -> Contours:
        """The face's lines with the lips on the drawn edge, and with weights that shut them there: how far each column
        is open is a fixed multiple of how far the curves through the landmarks are.

        Args:
            contours: as the landmarks (68, ≥2) px give them.

        Returns:
            `contours` as they are where the edge cannot be followed without a fold.
        """
        rows, flat = contours.rows, contours.rows @ np.asarray(landmarks, np.float64)[:, :2]
        top, upper, lower, bottom = contours.lips
        first = int(np.nonzero(upper == upper[0])[0][-1])
        last = int(np.nonzero(upper == upper[-1])[0][0])
        along = flat[bottom[-1]] - flat[bottom[0]]
        width = float(np.linalg.norm(along))
        along = along / width
        down = np.array([-along[1], along[0]])
        places = np.argwhere(self.area)[:, ::-1] + self.origin
        ends = (places @ along).min(), (places @ along).max()
        columns = np.arange(first + 1, last)
        x = (flat[upper] + flat[lower]) @ along / 2
        x = _spread(x, x[first], x[last], ends[0] + _MARGIN, ends[1] - _MARGIN)
        level = (flat[upper] + flat[lower]) @ down / 2
        within = np.arange(first, last + 1)
        edge = np.zeros((len(x), 2))
        edge[within] = [self._extent(x[column] * along, down, level[column], width) for column in within]
        if np.isnan(edge).any() or (np.diff(edge[columns], axis=1) < 2.0).any():
            return contours
        above, below = edge.T.copy()
        feet = x[within, None] * along
        above[within] += self._insets(feet, down, edge[within], _THICK * width)
        below[within] -= self._insets(feet, -down, -edge[within, ::-1], _THICK * width)
        offsets, weights = np.zeros_like(flat), rows.copy()
        opening = rows[lower] - rows[upper]
        apart = np.maximum(((flat[lower] - flat[upper]) @ down)[columns], 1e-3)
        more = ((below - above)[columns] / apart - 1.0)[:, None] * opening[columns]
        weights[upper[columns]] = rows[upper[columns]] - UPPER_LIP_SHARE * more
        weights[lower[columns]] = rows[lower[columns]] + (1.0 - UPPER_LIP_SHARE) * more

        def put(vertices: np.ndarray, which: np.ndarray, height: np.ndarray) -> None:
            offsets[vertices] = x[which, None] * along + height[:, None] * down - flat[vertices]

        put(upper[columns], columns, above[columns])
        put(lower[columns], columns, below[columns])
        seats = np.array([first, last])
        put(upper[seats], seats, edge[seats, 0] + UPPER_LIP_SHARE * (edge[seats, 1] - edge[seats, 0]))
        x[first], x[last] = ends[0] - _MARGIN, ends[1] + _MARGIN  # around the whole of a steep edge
        put(top[within], within, edge[within, 0] - _MARGIN)
        put(bottom[within], within, edge[within, 1] + _MARGIN)
        beside = np.clip(within, first + 1, last - 1)
        weights[top[within]], weights[bottom[within]] = weights[upper[beside]], weights[lower[beside]]
        for corner, seat, end, step in ((0, first, ends[0], -1.0), (-1, last, ends[1], 1.0)):
            seated = flat[upper[seat]] + offsets[upper[seat]]
            offsets[top[corner]] = (end + 2 * step * _MARGIN) * along + (seated @ down) * down - flat[top[corner]]
        for chain in (top, bottom):
            for ends_of in (np.arange(first + 1), np.arange(last, len(x))):
                _even(chain[ends_of], flat, offsets)
        middle, one, other = contours.middles.T
        offsets[middle] = (flat[one] + offsets[one] + flat[other] + offsets[other]) / 2 - flat[middle]
        weights[middle] = (weights[one] + weights[other]) / 2
        if (signed_areas(flat + offsets, contours.strips) <= 0).any():
            return contours
        return replace(contours, offsets=offsets, weights=weights, lipless=True)

    def _insets(self, feet: np.ndarray, inwards: np.ndarray, edge: np.ndarray, thick: float) -> np.ndarray:
        """How far within the edge each column's lip ends, px: in the middle of the drawn line, so that shut lips show
        one, and next to the edge where there is none.

        Args:
            feet: (columns, 2) where the columns stand. inwards: (2,) from the edge into the mouth.
            edge: (columns, 2) heights of the edge along `inwards`, and of the opposite one. thick: px, more is no line.
        """
        depths = np.arange(_MARGIN, thick + 2 * _STEP, _STEP)
        places = feet[:, None] + (edge[:, :1] + depths)[..., None] * inwards
        x, y = np.moveaxis(np.rint(places - self.origin).astype(int), -1, 0)
        lab = self.lab[np.clip(y, 0, self.area.shape[0] - 1), np.clip(x, 0, self.area.shape[1] - 1)]
        other = np.linalg.norm(lab - lab[:, :1], axis=-1) > _LINE_CONTRAST
        line = np.where(other.any(axis=1), depths[other.argmax(axis=1)], 0.0)
        line = uniform_filter1d(median_filter(line, 3, mode="nearest"), 3, mode="nearest")
        return np.asarray(np.minimum(np.maximum(0.5 * line, _LEAST_INSET), 0.25 * (edge[:, 1] - edge[:, 0])))

    def _extent(self, place: np.ndarray, down: np.ndarray, level: float, width: float) -> tuple[float, float]:
        """Between which heights the area is cut by a column through `place`, around `level` or nearest to it; nan where
        it is not."""
        heights = np.arange(level - width, level + width, _STEP)
        at = np.rint(place + heights[:, None] * down - self.origin).astype(int)
        size = np.array(self.area.shape[::-1])
        within = ((at >= 0) & (at < size)).all(axis=1)
        hit = np.zeros(len(heights), bool)
        hit[within] = self.area[at[within, 1], at[within, 0]]
        runs, count = label(hit)
        if not count:
            return np.nan, np.nan
        nearest = runs[np.flatnonzero(hit)[np.abs(heights[hit] - level).argmin()]]
        run = heights[runs == nearest]
        return float(run[0] - _STEP / 2), float(run[-1] + _STEP / 2)


def _spread(x: np.ndarray, left: float, right: float, new_left: float, new_right: float) -> np.ndarray:
    """Places `x` between `left` and `right` moved so that these come to lie elsewhere, the middle where it was."""
    middle = (left + right) / 2
    spread = np.where(
        x < middle,
        middle - (middle - x) * (middle - new_left) / max(middle - left, 1e-9),
        middle + (x - middle) * (new_right - middle) / max(right - middle, 1e-9),
    )
    return np.asarray(spread)


def _even(chain: np.ndarray, flat: np.ndarray, offsets: np.ndarray) -> None:
    """Lays the vertices of a chain evenly between its ends, wherever these have been put."""
    if len(chain) > 2:
        start, end = (flat[vertex] + offsets[vertex] for vertex in (chain[0], chain[-1]))
        share = np.linspace(0, 1, len(chain))[1:-1, None]
        offsets[chain[1:-1]] = start + share * (end - start) - flat[chain[1:-1]]


def _colours(lab: np.ndarray, least: float = 0.0) -> np.ndarray:
    """The colours (k, 3) that an area (n, 3) mostly has, each of at least a share of it."""
    some = lab[:: max(1, len(lab) // 4000)].astype(np.float64)
    centres, count = np.unique(np.rint(some), axis=0, return_counts=True)
    if len(centres) > _COLOURS:
        centres, nearest = kmeans2(some, _COLOURS, minit="++", seed=0)
        count = np.bincount(nearest, minlength=_COLOURS)
    return np.asarray(centres[count >= max(1.0, least * len(some))])
