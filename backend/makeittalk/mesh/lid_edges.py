"""Where a picture shows the edges of the lids: drawn eyes are often larger than what landmarks outline.

White and iris lie inside an edge, and one colour, of lashes, a drawn line or skin, outside it all along the lid: the
path with the clearest step from the one to the other is found by dynamic programming.
"""

from __future__ import annotations

import cv2
import numpy as np

from .irises import Iris

_REACH = (-0.08, 0.2)  # of the widest opening: where an edge is looked for, outwards from the landmarks' line
_COLUMNS = 25
_STEPS = 57
_BAND = 1.5  # px of an eye 90 px wide, on either side of an edge, that are compared
_STEP = 60.0  # grey levels (Euclidean in RGB) across an edge: more counts no more
_CLEAR = 50.0  # grey levels across the edge, in the median, without which there is none
_UNLIKE = 30.0  # grey levels between neighbours outside the edge, in the mean, at most
_CHANGE = 45.0  # price of another colour outside the edge from one column to the next, at most; one a grey level
_BEND = 250.0  # price of a step outwards as long as the opening is wide, from one column to the next
_FAR = 200.0  # price of being as far from the landmarks' line as the opening is wide


def lid_edges(rgba: np.ndarray, upper: np.ndarray, lower: np.ndarray, iris: Iris) -> np.ndarray:
    """How far outwards the lids' edges lie from their landmarks' lines, between the corners.

    Args:
        rgba: (H, W, 4) uint8. upper, lower: (n, 2) px, the lines from corner to corner. iris: what is no lid.

    Returns:
        (2, n − 2) px, above and below; NaN for a lid whose edge is not clear.
    """
    across = lower[1:-1] - upper[1:-1]
    opening = np.linalg.norm(across, axis=1)
    down = across / np.maximum(opening, 1e-9)[:, None]
    width = float(np.linalg.norm(upper[-1] - upper[0]))
    lids = ((upper[1:-1], -down), (lower[1:-1], down))
    rgb = np.ascontiguousarray(rgba[..., :3])
    return np.array([_edge(rgb, line, outwards, iris, float(opening.max()), width) for line, outwards in lids])


def _edge(
    rgb: np.ndarray, line: np.ndarray, outwards: np.ndarray, iris: Iris, widest: float, width: float
) -> np.ndarray:
    """How far outwards the edge lies from a line (n, 2) along `outwards` (n, 2), (n,) px."""
    columns = np.linspace(0.0, len(line) - 1.0, _COLUMNS)
    places = np.arange(len(line))
    start, way = (np.stack([np.interp(columns, places, part) for part in item.T], axis=1) for item in (line, outwards))
    ahead = np.linspace(*_REACH, _STEPS) * widest
    band = max(0.75, _BAND * width / 90.0)
    inside, outside = (
        np.mean(
            [
                _read(rgb, start[:, None] + (ahead + side * share * band)[:, None] * way[:, None])
                for share in (0.4, 1.0)
            ],
            axis=0,
        )
        for side in (-1, 1)
    )
    step = np.linalg.norm(outside - inside, axis=2)
    beyond = start[:, None] + (ahead + band)[:, None] * way[:, None] - iris.centre
    step[np.linalg.norm(beyond, axis=2) < iris.radius] = 0.0
    cost = -np.minimum(step, _STEP) + _FAR * np.abs(ahead) / widest
    bend = _BEND * np.abs(ahead[:, None] - ahead) / widest
    total, came = cost[0], []
    for column in range(1, _COLUMNS):
        change = np.linalg.norm(outside[column - 1][:, None] - outside[column], axis=2)
        ways = total[:, None] + bend + np.minimum(change, _CHANGE)
        came.append(ways.argmin(axis=0))
        total = ways.min(axis=0) + cost[column]
    path = [int(total.argmin())]
    for before in reversed(came):
        path.append(int(before[path[-1]]))
    path.reverse()
    every = np.arange(_COLUMNS)
    lid = outside[every, path]
    unlike = np.linalg.norm(np.diff(lid, axis=0), axis=1).mean()
    if np.median(step[every, path]) < _CLEAR or unlike > _UNLIKE:
        return np.full(len(line), np.nan)
    return np.interp(places, columns, np.maximum(ahead[path], 0.0))


def _read(rgb: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Colours (…, 3) at places (…, 2) px."""
    flat = np.ascontiguousarray(places.reshape(-1, 1, 2) - 0.5, np.float32)
    found = cv2.remap(rgb, flat, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return found.reshape(*places.shape[:-1], 3).astype(np.float64)
