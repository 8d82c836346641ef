"""The edge of the lower lip in a portrait that shows its teeth: where teeth and dark end and the lip begins.

Eight landmarks on the inner lips lie on it in the middle, but beside the corners the line between them runs through the
teeth: what of these lies on the lip's side would go with the lip, as a pale rim when the mouth opens further, as a
sliver when it shuts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from ..images.colour_distance import nearest_distance
from ..images.picture import on_grey
from ..landmarks import ibug68
from .contours import Contours
from .deform import signed_areas

_WIDTH = 160  # px of the mouth, whatever the portrait's size
_SIDE = 1.4  # widths of the mouth that are looked at, across; and
_HEIGHT = 1.1  # down, of which 0.4 above the corners
_OPEN = 0.06  # of the mouth's width: what is open no further shows no teeth
_COLOURS = 4
_LEAST_SHARE = 0.05  # of an area: rarer colours are none of its own
_LIGHTNESS = 0.7  # what a step of lightness counts for beside one of colour
_DOUBT = 10.0  # CIE Lab: how far nearer to the one than to the other makes sure
_LEAST_SURE = 0.35  # mean certainty below which lips and teeth cannot be told apart
_BELIEF = 0.03  # of the mouth's width: how far from the landmarks' line the edge may well be
_BELIEF_COST, _BEND_COST = 0.6, 0.5
_STEEP = 2  # px a px
_SMOOTH = 7.0  # px
_MARGIN = 0.012  # of the mouth's width beyond the edge, which is soft
_LEAST = 0.6  # of the landmarks' own gap: what is left of a column's opening at the least
_MOST = 2.5  # times it: beside the corners a column opens no further


@dataclass(frozen=True)
class LipEdge:
    """The lower lip's inner edge.

    Attributes:
        along, height: (n,) px along the line between the corners, and below it. axis: (2,) unit,
            from the right corner to the left.
    """

    along: np.ndarray
    height: np.ndarray
    axis: np.ndarray

    @classmethod
    def find(cls, rgba: np.ndarray, landmarks: np.ndarray) -> LipEdge | None:
        """The edge in a portrait (H, W, 4) uint8 with landmarks (68, ≥2) px; None where the mouth is shut, or what it
        shows cannot be told from its lips."""
        points = np.asarray(landmarks, np.float64)[:, :2]
        width = float(np.linalg.norm(points[54] - points[48]))
        axis = (points[54] - points[48]) / max(width, 1e-9)
        down = np.array([-axis[1], axis[0]])
        if width < 8 or (points[66] - points[62]) @ down < _OPEN * width:
            return None
        scale = _WIDTH / width
        size = int(_SIDE * _WIDTH), int(_HEIGHT * _WIDTH)
        turn = scale * np.stack([axis, down])
        shift = np.array([size[0] / 2, 0.4 * size[1]]) - turn @ (points[48] + points[54]) / 2
        crop = cv2.warpAffine(
            _around(rgba, points, width),
            np.column_stack([turn, shift + turn @ _corner(points, width)]),
            size,
            flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        points = points @ turn.T + shift
        columns = np.arange(int(np.ceil(points[60, 0])), int(np.floor(points[64, 0])) + 1)
        if len(columns) < _WIDTH // 4:
            return None
        upper, lower, outer = (
            _line(points[list(chain)], columns)
            for chain in (ibug68.UPPER_INNER, ibug68.LOWER_INNER, [48, *range(59, 53, -1)])
        )
        inside = _between(crop.shape, columns, upper + 1, lower - 1)
        lip = _between(
            crop.shape,
            columns[len(columns) // 6 : -len(columns) // 6],
            *(line[len(columns) // 6 : -len(columns) // 6] for line in (lower + 2, outer - 2)),
        )
        if inside.sum() < 60 or lip.sum() < 60:
            return None
        lab = cv2.cvtColor(crop.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
        lab = cv2.bilateralFilter(lab, 5, 6, 3)
        lab[..., 0] *= _LIGHTNESS
        nearer = nearest_distance(lab, _colours(lab[lip])) - nearest_distance(lab, _colours(lab[inside]))
        sure = np.tanh(nearer / _DOUBT)
        if (sure[inside].mean() - sure[lip].mean()) / 2 < _LEAST_SURE:
            return None
        edge = _best(sure[:, columns], upper, lower, outer)
        edge += _MARGIN * _WIDTH
        along, height = (columns - shift @ [1, 0]) / scale, (edge - shift @ [0, 1]) / scale
        return cls(along, height, axis)

    def follow(self, contours: Contours, landmarks: np.ndarray) -> Contours:
        """The face's lines with the lower inner lip on the edge, and with weights that shut it from there: how far each
        column is open is a fixed multiple of how far the curves through the landmarks are.

        Args:
            contours: as the landmarks (68, ≥2) px give them.

        Returns:
            `contours` as they are where the edge cannot be followed without a fold.
        """
        flat = contours.rows @ np.asarray(landmarks, np.float64)[:, :2]
        down = np.array([-self.axis[1], self.axis[0]])
        _, upper, lower, bottom = contours.lips
        columns = np.flatnonzero((lower != lower[0]) & (lower != lower[-1]))
        above, below = flat[upper[columns]] @ down, flat[lower[columns]] @ down
        wanted = np.interp(flat[lower[columns]] @ self.axis, self.along, self.height)
        apart = np.maximum(below - above, 1e-3)
        # The lip keeps some of its own height, or its triangles would fold.
        lowest = below + 0.6 * np.maximum(flat[bottom[columns]] @ down - below, 0.0)
        times = np.clip((np.clip(wanted, above, lowest) - above) / apart, _LEAST, _MOST)
        times = gaussian_filter1d(times, 1.5, mode="nearest")  # what differs here shows enlarged when the mouth opens
        # Landmarks stay where they are, or their vertices would not move as is predicted.
        place = flat[lower[columns]] @ self.axis
        marks = contours.landmark_vertices[list(ibug68.LOWER_INNER)]
        known = np.interp(flat[marks[1:-1]] @ self.axis, place, times)
        times -= np.interp(place, flat[marks] @ self.axis, np.concatenate([[0.0], known - 1.0, [0.0]]))
        times = np.maximum(times, _LEAST)
        gap = times * apart
        offsets, weights = contours.offsets.copy(), contours.weights.copy()
        offsets[lower[columns]] += (above + gap - below)[:, None] * down
        opening = contours.rows[lower[columns]] - contours.rows[upper[columns]]
        weights[lower[columns]] += (times - 1.0)[:, None] * opening
        middle, one, other = contours.middles.T
        offsets[middle] = (offsets[one] + offsets[other]) / 2
        weights[middle] = (weights[one] + weights[other]) / 2
        if (signed_areas(flat + offsets, contours.strips) <= 0).any():
            return contours
        return replace(contours, offsets=offsets, weights=weights)


def _corner(points: np.ndarray, width: float) -> np.ndarray:
    """The first pixel (2,) x, y of what `_around` gives."""
    return np.asarray(np.floor(points[48:60].min(axis=0) - width).astype(int).clip(0), np.float64)


def _around(rgba: np.ndarray, points: np.ndarray, width: float) -> np.ndarray:
    """The picture (h, w, 3) uint8 around a mouth, so that a large portrait is not read whole."""
    left, top = _corner(points, width).astype(int)
    right, bottom = np.ceil(points[48:60].max(axis=0) + width).astype(int)
    return on_grey(rgba[top : bottom + 1, left : right + 1])


def _line(chain: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Heights (n,) of a line through points (k, 2) at columns (n,)."""
    order = np.argsort(chain[:, 0], kind="stable")
    x = chain[order, 0] + np.arange(len(chain)) * 1e-6
    return np.asarray(PchipInterpolator(x, chain[order, 1])(np.clip(columns, x[0], x[-1])))


def _between(shape: tuple[int, ...], columns: np.ndarray, top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Where pixels lie between two lines over columns, (H, W) bool."""
    found = np.zeros(shape[:2], bool)
    rows = np.arange(shape[0])[:, None]
    found[:, columns] = (rows >= top) & (rows <= bottom)
    return found


def _colours(lab: np.ndarray) -> np.ndarray:
    """The colours (k, 3) that an area (n, 3) mostly has."""
    some = lab[:: max(1, len(lab) // 2000)].astype(np.float64)
    spread = np.linspace(0, len(some) - 1, _COLOURS).astype(int)
    start = some[np.argsort(some[:, 0], kind="stable")[spread]]
    centres, which = kmeans2(some, start, minit="matrix", missing="warn")
    share = np.bincount(which, minlength=_COLOURS) / len(some)
    return np.asarray(centres[share > _LEAST_SHARE])


def _best(sure: np.ndarray, upper: np.ndarray, lower: np.ndarray, outer: np.ndarray) -> np.ndarray:
    """Heights (n,) of the line over the columns that has teeth above and lip below it, smooth and near to the
    landmarks' line.

    Args:
        sure: (H, n) −1 for lip to 1 for what the mouth shows. upper, lower, outer: (n,) the landmarks' lines: the upper
            lip, the lower lip's inner edge, its outer edge.
    """
    rows, count = np.arange(len(sure))[:, None], sure.shape[1]
    sure = np.where((rows > upper) & (rows < outer), sure, 0.0)
    total = np.cumsum(sure, axis=0)
    score = 2 * total - total[-1] - _BELIEF_COST * ((rows - lower) / (_BELIEF * _WIDTH)) ** 2
    score = np.where((rows >= np.floor(upper)) & (rows <= outer), score, -1e6)
    for corner, line in ((0, lower[0]), (-1, lower[-1])):  # the corners are where they are
        score[:, corner] = np.where(np.abs(rows[:, 0] - line) < 1.0, score[:, corner], -1e6)
    steps = np.arange(-_STEEP, _STEEP + 1)
    came_from = np.zeros(score.shape, np.int8)
    best = score[:, 0]
    for column in range(1, count):
        padded = np.pad(best, _STEEP, constant_values=-1e9)
        options = np.stack([padded[_STEEP - step : len(best) + _STEEP - step] - _BEND_COST * step**2 for step in steps])
        chosen = options.argmax(axis=0)
        came_from[:, column] = steps[chosen]
        best = np.take_along_axis(options, chosen[None], 0)[0] + score[:, column]
    path = np.empty(count, int)
    path[-1] = best.argmax()
    for column in range(count - 1, 0, -1):
        path[column - 1] = path[column] - came_from[path[column], column]
    return np.asarray(gaussian_filter1d(path.astype(np.float64), _SMOOTH, mode="nearest"))
