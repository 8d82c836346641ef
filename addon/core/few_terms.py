"""Curves as sums of a few others, each counted positively: what a driver can compute. No bpy here."""

from __future__ import annotations

import numpy as np

_SWEEPS = 200  # of coordinate descent; with a handful of terms a few dozen suffice
_LEAST = 1e-3  # of a curve's square sum: a term that explains less is left out
_SMALLEST = 1e-3  # weights below it move nothing that is seen


def fit(values: np.ndarray, wanted: np.ndarray, most: int = 6) -> np.ndarray:
    """The weights of the few curves whose sum is nearest to each wanted one, least squares, none negative.

    Orthogonal matching pursuit with a non-negative refit after each term (Bruckstein, Elad and Zibulevsky 2008).

    Args:
        values: (N, K) curves. wanted: (N, C). most: terms a wanted curve may have.

    Returns:
        (K, C), at most `most` of each column above 0.
    """
    gram, products = values.T @ values, values.T @ wanted
    sizes = np.sqrt(np.maximum(np.diag(gram), 1e-12))
    found = np.zeros((values.shape[1], wanted.shape[1]))
    for column in range(wanted.shape[1]):
        total = float(wanted[:, column] @ wanted[:, column])
        chosen: list[int] = []
        weights = np.zeros(0)
        while len(chosen) < most:
            slope = (products[:, column] - gram[:, chosen] @ weights) / sizes
            slope[chosen] = 0.0
            best = int(slope.argmax())
            if slope[best] <= 0.0 or slope[best] ** 2 < _LEAST * total:
                break
            chosen.append(best)
            weights = _non_negative(gram[np.ix_(chosen, chosen)], products[chosen, column])
        found[chosen, column] = np.where(weights > _SMALLEST, weights, 0.0)
    return found


def _non_negative(gram: np.ndarray, products: np.ndarray) -> np.ndarray:
    """Least squares with no weight below 0, by coordinate descent on the normal equations."""
    weights = np.zeros(len(products))
    for _ in range(_SWEEPS):
        before = weights.copy()
        for number in range(len(weights)):
            rest = products[number] - gram[number] @ weights + gram[number, number] * weights[number]
            weights[number] = max(0.0, rest / max(gram[number, number], 1e-12))
        if np.abs(weights - before).max() < 1e-9:
            break
    return weights
