"""Chooses speakers that cover the space of voices evenly: Poisson disk sampling (paper, section 4.1)."""

from __future__ import annotations

import numpy as np


def poisson_disk(points: np.ndarray, count: int = 0, radius: float = 0.0, seed: int = 0) -> np.ndarray:
    """Points of a finite set, none nearer to another than a radius.

    Dart throwing (Cook 1986) over the given points in a random order: each is kept unless one that was kept lies
    within the radius.

    Args:
        points: (N, D), as speaker embeddings. count: how many are wanted; the radius then is the largest that
            leaves so many, and 0 keeps all. radius: least distance; counts only where no count is given.
        seed: of the order.

    Returns:
        Indices of the chosen points, ascending; with a count, exactly so many, or all where there are fewer.
    """
    points = np.asarray(points, np.float64)
    order = np.random.default_rng(seed).permutation(len(points))
    if count <= 0:
        return np.sort(_throw(points, order, radius))
    if count >= len(points):
        return np.arange(len(points))
    low, high = 0.0, float(np.linalg.norm(points - points.mean(0), axis=1).max()) * 2.0 + 1e-9
    for _ in range(40):
        middle = (low + high) / 2.0
        low, high = (middle, high) if len(_throw(points, order, middle)) >= count else (low, middle)
    return np.sort(_throw(points, order, low)[:count])


def _throw(points: np.ndarray, order: np.ndarray, radius: float) -> np.ndarray:
    kept: list[int] = []
    free = np.ones(len(points), bool)
    for index in order:
        if free[index]:
            kept.append(int(index))
            free &= np.linalg.norm(points - points[index], axis=1) > radius
    return np.array(kept, int)
