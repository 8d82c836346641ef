"""The face's lines as vertices: lips, lids, brows, nose and jaw, refined by splines through their landmarks.

Lips and eyes are strips between two curves sampled at the same parameters, triangulated on their own: the inner lips
are two separate chains that share only the corners 60 and 64, so that a shut mouth is a closed slit and no sliver,
and chains that meet at their landmarks meet everywhere.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

from ..exchange.constants import LANDMARKS
from ..landmarks import ibug68
from .curves import chord_knots, spline_weights, subdivide

_OUTER_UPPER = np.arange(48, 55)
_OUTER_LOWER = np.array([48, *range(59, 53, -1)])
_INNER_UPPER = np.array(ibug68.UPPER_INNER)
_INNER_LOWER = np.array(ibug68.LOWER_INNER)
_LIDS = {"eye_right": ((36, 37, 38, 39), (36, 41, 40, 39)), "eye_left": ((42, 43, 44, 45), (42, 47, 46, 45))}
#: Lines that need no closed outline, most important first, and the parts each span is divided into.
_LINES = {
    "bridge": ((27, 28, 29, 30), 1),
    "septum": ((30, 33), 1),
    "nostrils": ((31, 32, 33, 34, 35), 2),
    "brow_right": (tuple(ibug68.BROW_RIGHT), 2),
    "brow_left": (tuple(ibug68.BROW_LEFT), 2),
    "jaw": (tuple(ibug68.JAW), 2),
}
_LIP_STEP = 0.055  # parameter between samples of the lips
_LID_PARTS = 3


@dataclass
class Contours:
    """Vertices on the face's lines and the triangles of lips and eyes.

    Attributes:
        rows: (n, 68) each vertex as a fixed sum of landmarks.
        landmark_vertices: (68,) the vertex that is each landmark.
        loops: outlines of mouth and eyes, closed, vertex indices.
        edges: (m, 2) edges the triangulation around the loops must hold. edge_curves: the curve of each.
        edge_middles: (m,) parameter halfway along each edge.
        inside: (n,) bool, vertices within a loop, which belong to the strips alone.
        strips: (f, 3) triangles within the loops, the mouth's hole left open.
        upper_chain, lower_chain: vertices of the inner lips from corner 60 to corner 64.
        meeting: (m, 2) vertices that lie on one another once lips and lids are shut: above, below.
        middles: (k, 3) a vertex within a strip and the two vertices it lies midway between.
        lips: (4, columns) vertices from corner to corner: outer edge above, upper and lower inner lip, outer edge
            below.
        offsets: (n, 2) px, how far a vertex lies beside its sum of landmarks. weights: (n, 68) what it follows of
            their displacements: its row, but for lips that were laid on an edge in the picture.
        lipless: whether the mouth is an area of colour with its line around it.
    """

    rows: np.ndarray
    landmark_vertices: np.ndarray
    loops: list[np.ndarray]
    edges: np.ndarray
    edge_curves: list[str]
    edge_middles: np.ndarray
    inside: np.ndarray
    strips: np.ndarray
    upper_chain: np.ndarray
    lower_chain: np.ndarray
    meeting: np.ndarray
    middles: np.ndarray
    lips: np.ndarray
    offsets: np.ndarray
    weights: np.ndarray
    lipless: bool = False

    def places(self, landmarks: np.ndarray) -> np.ndarray:
        """Where the vertices lie, (n, 2) px, for landmarks (68, ≥2) px."""
        return self.rows @ landmarks[:, :2] + self.offsets


@dataclass
class Sampling:
    """Where each curve is sampled; `split` adds samples until the triangulation follows the curves."""

    knots: dict[str, np.ndarray]
    samples: dict[str, np.ndarray]

    @classmethod
    def of(cls, points: np.ndarray) -> Sampling:
        """The first sampling for landmarks (68, ≥2)."""
        flat = points[:, :2]
        knots = {
            "lips": chord_knots(flat[_OUTER_UPPER], flat[_OUTER_LOWER]),
            "inner": chord_knots(flat[_INNER_UPPER], flat[_INNER_LOWER]),
        }
        parts = {}
        for name, (upper, lower) in _LIDS.items():
            knots[name] = chord_knots(flat[list(upper)], flat[list(lower)])
            parts[name] = _LID_PARTS
        for name, (indices, count) in _LINES.items():
            knots[name] = chord_knots(flat[list(indices)])
            parts[name] = count
        samples = {name: subdivide(knots[name], count) for name, count in parts.items()}
        knots["seats"] = _seats(flat, knots["lips"])
        stops = np.union1d(knots["lips"], knots["seats"])
        counts = np.maximum(1, np.rint(np.diff(stops) / _LIP_STEP)).astype(int)
        spans = zip(stops[:-1], stops[1:], counts, strict=True)
        samples["lips"] = np.concatenate([*(np.linspace(a, b, n, endpoint=False) for a, b, n in spans), stops[-1:]])
        return cls(knots, samples)

    def split(self, name: str, middles: np.ndarray) -> None:
        """Adds samples to the curve `name`."""
        self.samples[name] = np.union1d(self.samples[name], middles)


@dataclass
class _Builder:
    rows: list[np.ndarray] = field(default_factory=list)
    inside: list[bool] = field(default_factory=list)
    count: int = 0
    landmark_vertices: np.ndarray = field(default_factory=lambda: np.full(LANDMARKS, -1))

    def add(self, rows: np.ndarray, inside: bool = False) -> np.ndarray:
        """Vertices for rows, those of landmarks shared with whoever has them already."""
        indices = np.empty(len(rows), int)
        for i, row in enumerate(rows):
            hot = int(row.argmax())
            landmark = hot if np.count_nonzero(row) == 1 and row[hot] == 1.0 else -1
            if landmark >= 0 and self.landmark_vertices[landmark] >= 0:
                indices[i] = self.landmark_vertices[landmark]
                continue
            indices[i] = self.count
            if landmark >= 0:
                self.landmark_vertices[landmark] = self.count
            self.rows.append(row)
            self.inside.append(inside)
            self.count += 1
        return indices


def build_contours(sampling: Sampling) -> Contours:
    """The vertices and strips that a sampling gives."""
    builder = _Builder()
    columns = sampling.samples["lips"]
    knots, inner_knots = sampling.knots["lips"], sampling.knots["inner"]
    # The inner lips have landmarks under 50, 51 and 52 of the outer ones: the columns join these, and those beside
    # the inner corners all end in them.
    left, right = sampling.knots["seats"]
    inner_columns = np.interp(columns, [left, *knots[2:5], right], inner_knots)
    top = builder.add(_curve(_OUTER_UPPER, knots, columns))
    bottom = builder.add(_curve(_OUTER_LOWER, knots, columns))
    upper = builder.add(_curve(_INNER_UPPER, inner_knots, inner_columns), inside=True)
    lower = builder.add(_curve(_INNER_LOWER, inner_knots, inner_columns), inside=True)
    rows = np.array(builder.rows)
    middle_upper = builder.add((rows[top] + rows[upper]) / 2, inside=True)
    ends = (rows[bottom] + rows[lower])[1:-1] / 2
    middle_lower = np.concatenate([middle_upper[:1], builder.add(ends, inside=True), middle_upper[-1:]])
    strips = [strip([top, middle_upper, upper]), strip([lower, middle_lower, bottom])]
    loops, edges = [_loop(top, bottom)], _Edges()
    meeting = [np.stack([upper, lower], axis=1)]
    middles = [np.stack([middle_upper, top, upper], axis=1), np.stack([middle_lower, bottom, lower], axis=1)]
    edges.add(top, columns, "lips")
    edges.add(bottom, columns, "lips")
    for name, (upper_lid, lower_lid) in _LIDS.items():
        columns, knots = sampling.samples[name], sampling.knots[name]
        above = builder.add(_curve(np.array(upper_lid), knots, columns))
        below = builder.add(_curve(np.array(lower_lid), knots, columns))
        rows = np.array(builder.rows)
        middle = builder.add((rows[above] + rows[below])[1:-1] / 2, inside=True)
        meeting.append(np.stack([above, below], axis=1))
        middles.append(np.stack([middle, above[1:-1], below[1:-1]], axis=1))
        middle = np.concatenate([above[:1], middle, above[-1:]])
        strips += [strip([above, middle]), strip([middle, below])]
        loops.append(_loop(above, below))
        edges.add(above, columns, name)
        edges.add(below, columns, name)
    for name, (indices, _) in _LINES.items():
        samples = sampling.samples[name]
        line = builder.add(_curve(np.array(indices), sampling.knots[name], samples))
        edges.add(line, samples, name)
    rows = np.array(builder.rows)
    return Contours(
        rows=rows,
        landmark_vertices=builder.landmark_vertices,
        loops=loops,
        edges=np.concatenate(edges.pairs),
        edge_curves=edges.curves,
        edge_middles=np.concatenate(edges.middles),
        inside=np.array(builder.inside),
        strips=np.concatenate(strips),
        upper_chain=upper,
        lower_chain=lower,
        meeting=np.concatenate(meeting),
        middles=np.concatenate(middles),
        lips=np.stack([top, upper, lower, bottom]),
        offsets=np.zeros((len(rows), 2)),
        weights=rows,
    )


@dataclass
class _Edges:
    pairs: list[np.ndarray] = field(default_factory=list)
    curves: list[str] = field(default_factory=list)
    middles: list[np.ndarray] = field(default_factory=list)

    def add(self, line: np.ndarray, samples: np.ndarray, curve: str) -> None:
        self.pairs.append(np.stack([line[:-1], line[1:]], axis=1))
        self.curves += [curve] * (len(line) - 1)
        self.middles.append((samples[:-1] + samples[1:]) / 2)


def _seats(flat: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Parameters (2,) of the outer lips level with the inner corners 60 and 64."""
    along = flat[54] - flat[48]
    x = flat @ along
    lines = [np.maximum.accumulate(x[line]) for line in (_OUTER_UPPER, _OUTER_LOWER)]
    left = max(float(np.interp(x[60], line, knots)) for line in lines)
    right = min(float(np.interp(x[64], line, knots)) for line in lines)
    seats = np.array([np.clip(left, 0.03, 0.7 * knots[2]), np.clip(right, 1 - 0.7 * (1 - knots[4]), 0.97)])
    nearest = knots[np.abs(knots[:, None] - seats).argmin(axis=0)]
    return np.where((np.abs(nearest - seats) < 0.02) & (nearest > 0) & (nearest < 1), nearest, seats)


def _curve(indices: np.ndarray, knots: np.ndarray, samples: np.ndarray) -> np.ndarray:
    rows = np.zeros((len(samples), LANDMARKS))
    rows[:, indices] = spline_weights(knots, samples)
    return rows


def _loop(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    return np.concatenate([upper, lower[-2:0:-1]])


def strip(chains: list[np.ndarray]) -> np.ndarray:
    """Triangles between chains from top to bottom, counter-clockwise; the diagonals lean towards the middle."""
    triangles = []
    for above, below in itertools.pairwise(chains):
        a, b, c, d = above[:-1], below[:-1], below[1:], above[1:]
        left = np.arange(len(a)) < len(a) / 2
        first = np.where(left, [a, b, d], [a, b, c]).T
        second = np.where(left, [b, c, d], [a, c, d]).T
        triangles.append(np.stack([first, second], axis=1).reshape(-1, 3))
    joined = np.concatenate(triangles)
    distinct = (joined != np.roll(joined, 1, axis=1)).all(axis=1)  # at shared corners a quad is one triangle
    return joined[distinct]
