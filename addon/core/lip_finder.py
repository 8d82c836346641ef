"""Where the lips of a mesh are, told by its geometry and by what its keys move. No bpy here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .face_axes import face_axes

#: What opens a mouth, the clearest first.
OPENERS = (
    *("arkit:jawOpen", "mpfb:mouth-open", "oculus:aa", "vrm:aa", "rhubarb:D", "preston:AI", "microsoft:2"),
    *("microsoft:9", "microsoft:1", "rhubarb:C", "oculus:oh", "vrm:oh", "preston:O"),
)
_PARTED = 0.3  # of the width of what moves: lips that are further apart at rest are not looked for
_STRAIN = 1.2  # how far two points go apart, in their distance at rest: skin between them would not stretch so
_TORN = 0.12  # of the largest motion: the least by which two lips go apart
_SIDEWAYS, _BESIDE = 0.6, 0.02  # in the distance, in the width: one lip lies below the other, not beside it
_MOST = 6000  # vertices around a mouth that are compared with one another
_COLUMNS = 24  # from corner to corner
_LEAST = 4  # pairs of vertices that a mouth has at least, with those at its corners
_APART = 0.03  # of the width: how much further than its neighbours a pair may be apart
_FLAT = 0.35  # how much less than across a distance in depth counts: the front edge of the lips is wanted
_RISE, _DROP, _ASIDE = 0.13, 0.17, 0.03  # mouth widths: outer lips above and below the inner ones, beside the corners


@dataclass(frozen=True)
class Lips:
    """The lips of a mesh.

    Attributes:
        vertices: (20,) vertex of each of the landmarks 48 to 67.
        axes: (3, 3), its rows the directions right as the viewer sees it, down, and away from the viewer, in the
            mesh's coordinates, each of length 1.
        width: from corner to corner at rest, in the mesh's unit.
        pairs: (P, 2) vertices of the upper and the lower lip that lie on each other where the mouth is shut, between
            the corners; the closure is a constraint on all of them.
    """

    vertices: np.ndarray
    axes: np.ndarray
    width: float
    pairs: np.ndarray

    def landmarks(self, displacements: np.ndarray) -> np.ndarray:
        """Displacements of the vertices (…, V, 3) → of the landmarks (…, 68, 3), mouth widths, frontal; 0 elsewhere."""
        moved = np.asarray(displacements, np.float64)[..., self.vertices, :] @ self.axes.T / self.width
        found = np.zeros((*moved.shape[:-2], 68, 3))
        found[..., 48:68, :] = moved
        return found

    def gaps(self, points: np.ndarray) -> np.ndarray:
        """How far each pair is apart (or moves apart), downwards positive: (…, V, 3) → (…, P), mouth widths."""
        points = np.asarray(points, np.float64)
        return np.asarray(
            (points[..., self.pairs[:, 1], :] - points[..., self.pairs[:, 0], :]) @ self.axes[1] / self.width
        )

    def along(self, rest: np.ndarray) -> np.ndarray:
        """Where each pair is from one corner (0) to the other (1): (V, 3) → (P,)."""
        across = np.asarray(rest, np.float64) @ self.axes[0]
        first, last = across[self.vertices[[0, 6]]]
        return np.asarray(np.clip((across[self.pairs].mean(axis=1) - first) / (last - first), 0.0, 1.0))


def find_lips(
    rest: np.ndarray,
    faces: Sequence[Sequence[int]] | np.ndarray,
    displacements: np.ndarray,
    meanings: Sequence[str],
    axes: np.ndarray | None = None,
) -> Lips | None:
    """The lips of a mesh, or None where they cannot be told.

    Lips are where two points lie near each other and yet go apart when the mouth opens, more than skin stretches:
    nothing else in a face does that, whether the mouth is a hole, a slit or the way into a bag.

    Args:
        rest: (V, 3) vertices at rest. faces: polygons as vertex indices, or an (F, n) array of them; −1 is no corner.
        displacements: (K, V, 3) what each key moves at value 1. meanings: (K,) of the keys, see `retarget_names`; one
            that opens the mouth must be among them.
        axes: (3, 3) as `Lips.axes`, where they are known; told from the mesh and its keys otherwise.
    """
    rest, moves = np.asarray(rest, np.float64), np.asarray(displacements)
    openers = [list(meanings).index(meaning) for meaning in OPENERS if meaning in meanings]
    edges = edges_of(faces)
    if rest.ndim != 2 or moves.shape[1:] != rest.shape or not len(edges) or not np.isfinite(rest).all():
        return None
    for key in openers:
        move = np.asarray(moves[key], np.float64)
        if not np.isfinite(move).all() or not move.any():
            continue
        skin = _skin(edges, move)
        turned = face_axes(rest[skin], move[skin], rest) if axes is None else np.asarray(axes, np.float64)
        found = _lips(rest, move, skin, turned, edges)
        if found is not None:
            return found
    return None


def edges_of(faces: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
    """The sides of polygons as pairs of vertices, (E, 2)."""
    if isinstance(faces, np.ndarray) and faces.ndim == 2:
        ends = np.roll(faces, -1, axis=1)
        if (faces < 0).any():
            last = np.where(faces < 0, -1, np.arange(faces.shape[1])).max(axis=1)
            ends[np.arange(len(faces)), last] = faces[:, 0]
        pairs = np.stack([faces.ravel(), ends.ravel()], axis=1).astype(np.int64)
        return np.asarray(pairs[(pairs >= 0).all(axis=1)])
    found = [pair for face in faces for pair in zip(face, (*face[1:], face[0]), strict=True)]
    return np.array(found, np.int64).reshape(-1, 2)


def _skin(edges: np.ndarray, move: np.ndarray) -> np.ndarray:
    """The vertices (n,) of the connected part of a mesh that is most torn between resting and moving: the face, not a
    jaw's teeth that move as one."""
    label = connected(edges, len(move))
    far = np.linalg.norm(move, axis=1)
    part = np.unique(label, return_inverse=True)[1]
    half = far > 0.5 * far.max()
    moving, still = np.bincount(part, half), np.bincount(part, far < 0.1 * far.max())
    return np.flatnonzero(part == np.minimum(moving, still).argmax())


def connected(edges: np.ndarray, count: int) -> np.ndarray:
    """The connected parts of a mesh: of each vertex the lowest one that it hangs together with, (count,)."""
    label = np.arange(count)
    while True:
        lowest = label[edges].min(axis=1)
        before = label.copy()
        np.minimum.at(label, label[edges[:, 0]], lowest)
        np.minimum.at(label, label[edges[:, 1]], lowest)
        label = label[label]
        if (label == before).all():
            return label


def _lips(rest: np.ndarray, move: np.ndarray, skin: np.ndarray, axes: np.ndarray, edges: np.ndarray) -> Lips | None:
    """The lips among the vertices of the skin, by what opens the mouth."""
    place, down = rest[skin] @ axes.T, move[skin] @ axes[1]
    largest = down.max()
    if largest <= 0.0:
        return None
    lower = place[down > 0.5 * largest]
    size = float(np.subtract(*np.percentile(lower[:, 0], (97, 3))))
    if size <= 0.0 or largest < 0.02 * size:
        return None
    middle = np.median(lower, axis=0)
    near = np.flatnonzero(
        (np.abs(place[:, 0] - middle[0]) < 0.8 * size) & (np.abs(place[:, 1] - middle[1]) < 1.2 * size)
    )
    front = place[near, 2]
    near = near[front < front.min() + 0.8 * size]
    if len(near) > _MOST:
        near = near[np.argsort(np.abs(place[near] - middle).sum(axis=1))[:_MOST]]
    pairs = _torn(place[near], down[near], _neighbours(edges, skin[near], len(rest)), size, largest)
    pairs = _columns(place[near], pairs)
    if len(pairs) < _LEAST:
        return None
    return _named(place, near[pairs], skin, axes)


def _neighbours(edges: np.ndarray, vertices: np.ndarray, count: int) -> np.ndarray:
    """Which of some vertices (n,) are joined by an edge or are the same, (n, n)."""
    place = np.full(count, -1)
    place[vertices] = np.arange(len(vertices))
    inside = place[edges]
    inside = inside[(inside >= 0).all(axis=1)]
    joined = np.eye(len(vertices), dtype=bool)
    joined[inside[:, 0], inside[:, 1]] = joined[inside[:, 1], inside[:, 0]] = True
    return joined


def _torn(place: np.ndarray, down: np.ndarray, joined: np.ndarray, size: float, largest: float) -> np.ndarray:
    """Pairs (P, 2) of an upper and a lower vertex that lie near each other and go apart, each the other's nearest."""
    count = len(place)
    flat = place * (1.0, 1.0, 1.0 - _FLAT)
    reach = _PARTED * size
    best, cost = np.full((2, count), -1), np.full((2, count), np.inf)
    for start in range(0, count, 500):
        rows = slice(start, min(start + 500, count))
        apart = np.sqrt(((flat[rows, None] - flat[None]) ** 2).sum(axis=2))
        torn = down[None] - down[rows, None]  # of the second against the first, which is the upper one
        aside = np.abs(place[rows, None, 0] - place[None, :, 0])
        fits = (apart < reach) & (torn > _TORN * largest) & (torn > _STRAIN * apart) & ~joined[rows]
        fits &= aside < _SIDEWAYS * apart + _BESIDE * size
        value = np.where(fits, apart + aside, np.inf)
        index = value.argmin(axis=1)
        best[0, rows], cost[0, rows] = index, value[np.arange(len(index)), index]
        across = value.argmin(axis=0)
        least = value[across, np.arange(count)]
        better = least < cost[1]
        best[1, better], cost[1, better] = across[better] + start, least[better]
    uppers = np.flatnonzero(np.isfinite(cost[0]))
    lowers = np.flatnonzero(np.isfinite(cost[1]))
    pairs = np.concatenate([np.stack([uppers, best[0, uppers]], 1), np.stack([best[1, lowers], lowers], 1)])
    return np.unique(pairs, axis=0)


def _columns(place: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """One pair a column from corner to corner: the nearest and the foremost."""
    if len(pairs) < _LEAST:
        return pairs[:0]
    apart = np.linalg.norm(place[pairs[:, 1]] - place[pairs[:, 0]], axis=1)
    middle = place[pairs].mean(axis=1)
    # The mouth is one line: pairs whose height or depth leaves that of their neighbours are something else.
    across = middle[:, 0]
    width = across.max() - across.min()
    if width <= 0.0:
        return pairs[:0]
    column = np.minimum(((across - across.min()) / width * _COLUMNS).astype(int), _COLUMNS - 1)
    aside = np.abs(np.subtract(*place[pairs, 0].T))
    price = apart + aside + 0.5 * (middle[:, 2] - middle[:, 2].min())
    chosen = [rows[price[rows].argmin()] for k in range(_COLUMNS) if len(rows := np.flatnonzero(column == k))]
    height = middle[chosen, 1]
    level = np.abs(height - np.median(height)) < 0.35 * width
    line = np.array(chosen)[level]
    if len(line) < _LEAST:
        return pairs[:0]
    return np.asarray(pairs[line[_even(apart[line], width)]])


def _even(apart: np.ndarray, width: float) -> np.ndarray:
    """Which pairs of a line (P,) are about as far apart as their neighbours: lips do not part at one place alone.

    Where a lip has no vertex between two columns, the next above or below it would be taken for it.
    """
    beside = np.lib.stride_tricks.sliding_window_view(np.pad(apart, 2, mode="reflect"), 5)
    return np.asarray(apart <= 1.5 * np.median(beside, axis=1) + _APART * width)


def _named(place: np.ndarray, pairs: np.ndarray, skin: np.ndarray, axes: np.ndarray) -> Lips | None:
    """The landmarks of lips whose pairs of vertices, from left to right, are known."""
    points = place[pairs].mean(axis=1)
    first, last = points[0], points[-1]
    width = float(last[0] - first[0])
    if width <= 0.0:
        return None
    wanted = np.zeros((68, 2))
    found = np.full(68, -1)
    upper, lower = place[pairs[:, 0]], place[pairs[:, 1]]

    def inner(line: np.ndarray, share: float) -> np.ndarray:
        x = first[0] + share * width
        order = np.argsort(line[:, 0])
        return np.array([np.interp(x, line[order, 0], line[order, axis]) for axis in range(3)])

    for landmarks, line in (((61, 62, 63), upper), ((67, 66, 65), lower)):
        rows = pairs[:, 0] if line is upper else pairs[:, 1]
        for landmark, share in zip(landmarks, (0.27, 0.5, 0.73), strict=True):
            found[landmark] = rows[np.abs(line[:, 0] - first[0] - share * width).argmin()]
    for landmark, end, way in ((60, first, -1.0), (64, last, 1.0)):
        near = np.linalg.norm(place - end, axis=1) < 0.06 * width
        rows = np.flatnonzero(near) if near.any() else np.array([np.linalg.norm(place - end, axis=1).argmin()])
        found[landmark] = rows[(way * place[rows, 0]).argmax()]
        wanted[48 if way < 0 else 54] = end[:2] + (way * _ASIDE * width, 0.0)
    for landmark, share in ((49, 0.17), (50, 0.36), (51, 0.5), (52, 0.64), (53, 0.83)):
        wanted[landmark] = inner(upper, share)[:2] - (0.0, _RISE * width * (1.0 if 0.2 < share < 0.8 else 0.7))
    for landmark, share in ((59, 0.17), (58, 0.36), (57, 0.5), (56, 0.64), (55, 0.83)):
        wanted[landmark] = inner(lower, share)[:2] + (0.0, _DROP * width * (1.0 if 0.2 < share < 0.8 else 0.7))
    depth = points[:, 2].min()
    for landmark in range(48, 60):
        off = np.linalg.norm(place[:, :2] - wanted[landmark], axis=1) + 0.6 * np.maximum(place[:, 2] - depth, 0.0)
        found[landmark] = off.argmin()
    return Lips(skin[found[48:68]], axes, width, skin[pairs[1:-1]])  # at the ends lips are grown together
