"""The pictures of an eye behind its lids, the portrait's own pixels: its white without the iris, and the whole iris."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.sparse import coo_matrix, csc_matrix
from scipy.sparse.linalg import splu

from ..landmarks.polygon import inside_polygon, segment_distance
from ..landmarks.smoothstep import smoothstep
from .irises import Iris

FADED = 1.12  # radii of the iris, to where its edge has faded into the white
DISC = 1.25  # radii, of the white that goes with it
_AROUND = 2.0  # px beyond the opening that are the portrait's own: what is read between two pixels lies there, too
_CLOSE = 0.75  # px, the same beyond lids whose edge is clear: more would be lashes, which stay with the lids
_CLEAN = 0.06  # of the eye's width, from the lids to where nothing of their lashes and shadow is taken for the eye
_SHADOW = 0.12  # of the eye's width, from the lids to where their shadow ends
_SOLVED = 96.0  # px of the eye's width while its white is filled in
_LARGEST = 1600  # px of a picture's longer side
_PIXELS = 60_000_000  # between pixels and edges of an outline, looked at together


def eye_pictures(
    rgba: np.ndarray, low: np.ndarray, high: np.ndarray, opening: np.ndarray, iris: Iris, clear: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The white and the iris of an eye in a box of the portrait, (h, w, 4) uint8 each.

    In the opening both are the portrait, the white where the iris is not; what is hidden is completed. Around the iris
    its picture fades out.

    Args:
        rgba: (H, W, 4) uint8. low, high: (2,) int, the box's corners, px; it may exceed the portrait.
        opening: (n, 2) px, outline of what the lids leave open. clear: whether it follows edges in the picture.
    """
    height, width = rgba.shape[:2]
    rows = np.clip(np.arange(low[1], high[1]), 0, height - 1)
    columns = np.clip(np.arange(low[0], high[0]), 0, width - 1)
    own = rgba[rows[:, None], columns[None], :3].astype(np.float32)
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]] + 0.5
    places = np.stack([x, y], axis=-1)
    shape = places.shape[:2]
    inside = inside_polygon(places.reshape(-1, 2), opening).reshape(shape)
    edge = _edge_distance(places, opening)
    eye = float(np.linalg.norm(opening[len(opening) // 2] - opening[0]))
    offset = places - iris.centre
    distance = np.linalg.norm(offset, axis=2) / iris.radius
    for clean in (_CLEAN * eye, 0.02 * eye, 0.0):  # a narrow opening has no middle
        known = inside & (edge > clean)
        white = known & (distance > FADED)
        if white.sum() > 0.03 * inside.sum() and (known & (distance < 1.0)).any():
            break
    seen = inside | (edge < (_CLOSE if clear else _AROUND))
    beside = seen & (distance > FADED)
    plain = _spread(own, white, eye)
    half = len(opening) // 2 + 1
    lids = tuple(_edge_distance(places, lid, closed=False) / eye for lid in (opening[:half], opening[half - 1 :]))
    plain *= _shading(own, plain, inside & beside, lids)
    completed = _iris(own, known & (distance < FADED), offset, distance, iris, low)
    share = np.clip((FADED - distance) / (FADED - 1.0), 0.0, 1.0)[..., None]
    whole = plain + share * (completed - plain)
    whole[seen] = own[seen]
    plain[beside] = own[beside]
    soft = smoothstep((DISC - distance) / (DISC - FADED))
    solid = np.ones(shape)
    pictures = [np.dstack([item, 255.0 * cover]) for item, cover in ((plain, solid), (whole, soft))]
    plain, whole = (np.rint(np.clip(item, 0, 255)).astype(np.uint8) for item in pictures)
    return plain, whole


def joined(pictures: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Pictures beside one another, shrunk where they are too large, and where in it each begins and ends.

    Returns:
        (H, W, 4) uint8, and (n, 2, 2), shares of its width and height from the left and from the top.
    """
    largest = max(max(picture.shape[:2]) for picture in pictures)
    if largest > _LARGEST:
        scale = _LARGEST / largest
        pictures = [cv2.resize(item, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for item in pictures]
    size = np.array([sum(item.shape[1] for item in pictures), max(item.shape[0] for item in pictures)])
    whole = np.zeros((size[1], size[0], 4), np.uint8)
    places, left = [], 0
    for item in pictures:
        high, wide = item.shape[:2]
        whole[:high, left : left + wide] = item
        whole[high:, left : left + wide] = item[-1:]
        places.append([[left, 0], [left + wide, high]])
        left += wide
    return whole, np.array(places) / size


def _edge_distance(places: np.ndarray, outline: np.ndarray, closed: bool = True) -> np.ndarray:
    """How far each place (h, w, 2) is from an outline, px, or from a line that is not closed."""
    flat = places.reshape(-1, 2)
    step = max(1, _PIXELS // len(outline))
    following = np.roll(outline, -1, axis=0)
    if not closed:
        outline, following = outline[:-1], outline[1:]
    found = [segment_distance(flat[i : i + step], outline, following) for i in range(0, len(flat), step)]
    return np.concatenate(found).reshape(places.shape[:2])


def _spread(own: np.ndarray, known: np.ndarray, eye: float) -> np.ndarray:
    """Colours (h, w, 3) everywhere, of those that are known (h, w): the smoothest ones between them (Laplace)."""
    height, width = known.shape
    scale = min(1.0, _SOLVED / eye)
    small = (max(2, round(width * scale)), max(2, round(height * scale)))
    share = cv2.resize(known.astype(np.float32), small, interpolation=cv2.INTER_AREA)
    colour = cv2.resize(own * known[..., None].astype(np.float32), small, interpolation=cv2.INTER_AREA)
    fixed = share > 0.25
    if not fixed.any():
        return own.copy()
    colour[fixed] /= share[fixed][:, None]
    free = ~fixed
    number = np.full(fixed.shape, -1)
    number[free] = np.arange(int(free.sum()))
    count = int(free.sum())
    diagonal, right = np.full(count, 1e-6), np.zeros((count, 3))
    rows, columns = [], []
    for here, there in (
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
        ((slice(1, None), slice(None)), (slice(None, -1), slice(None))),
    ):
        for a, b in ((here, there), (there, here)):
            mine, other = number[a].ravel(), number[b].ravel()
            unknown = mine >= 0
            np.add.at(diagonal, mine[unknown], 1.0)
            both = unknown & (other >= 0)
            rows.append(mine[both])
            columns.append(other[both])
            edge = unknown & (other < 0)
            np.add.at(right, mine[edge], colour[b].reshape(-1, 3)[edge])
    places = (np.concatenate([*rows, np.arange(count)]), np.concatenate([*columns, np.arange(count)]))
    values = np.concatenate([np.full(len(places[0]) - count, -1.0), diagonal])
    colour[free] = splu(csc_matrix(coo_matrix((values, places), (count, count)))).solve(right)
    return cv2.resize(colour.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)


def _shading(own: np.ndarray, plain: np.ndarray, white: np.ndarray, lids: tuple[np.ndarray, ...]) -> np.ndarray:
    """How dark the white is at each place beside what it is in the middle of the opening, (h, w, 1).

    Args:
        own, plain: (h, w, 3), the eye and its white. white: (h, w) bool, where there is white and no iris.
        lids: (h, w) each, distances from upper and lower lid, shares of the eye's width.
    """
    ratio = own.mean(axis=2) / np.maximum(plain.mean(axis=2), 1.0)
    shade = np.ones(white.shape)
    steps = np.linspace(0.0, _SHADOW, 7)
    for distance in lids:
        near = white & (distance < _SHADOW)
        which = np.clip(np.searchsorted(steps, distance[near]) - 1, 0, len(steps) - 2)
        values = ratio[near]
        levels = [float(np.median(values[which == i])) if (which == i).sum() >= 4 else 1.0 for i in range(6)]
        shade *= np.interp(distance, (steps[1:] + steps[:-1]) / 2, np.minimum(levels, 1.0), right=1.0)
    return shade[..., None]


def _iris(
    own: np.ndarray, known: np.ndarray, offset: np.ndarray, distance: np.ndarray, iris: Iris, low: np.ndarray
) -> np.ndarray:
    """The whole iris (h, w, 3): its hidden parts are what lies across from them, or what its rings are elsewhere."""
    ring = np.clip((distance * 24).astype(int), 0, 47)
    count = np.bincount(ring[known], minlength=48)
    means = np.stack([np.bincount(ring[known], own[known][:, c], 48) for c in range(3)], axis=1)
    filled = np.nonzero(count)[0]
    means = np.stack([np.interp(np.arange(48), filled, means[filled, c] / count[filled]) for c in range(3)], axis=1)
    answer = means[ring]
    height, width = known.shape
    missing = np.ones_like(known)
    for flip in ((1, 1), (1, -1), (-1, -1), (-1, 1)):
        places = np.rint(offset * flip + iris.centre - 0.5 - low).astype(int)
        x, y = places[..., 0], places[..., 1]
        usable = missing & (x >= 0) & (x < width) & (y >= 0) & (y < height)
        usable[usable] = known[y[usable], x[usable]]
        answer[usable] = own[y[usable], x[usable]]
        missing &= ~usable
    soft = cv2.GaussianBlur(answer.astype(np.float32), (0, 0), max(0.6, 0.04 * iris.radius))
    return np.where(known[..., None], answer, soft)
