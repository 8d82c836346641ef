"""Smooth curves as linear weights: a point of a curve is a fixed sum of the landmarks it runs through.

The curves are cubic Hermite splines whose tangents are those of the parabola through each point and its neighbours
(Catmull–Rom with uneven knots): smooth, local, and without the swings of a natural spline between uneven landmarks.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicHermiteSpline


def spline_weights(knots: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Weights of a spline's knots at each sample.

    Args:
        knots: (k,) increasing parameters. samples: (n,) parameters within them.

    Returns:
        (n, k); rows sum to 1, and are one-hot at the knots.
    """
    values = np.eye(len(knots))
    steps = np.diff(knots)[:, None]
    slopes = np.diff(values, axis=0) / steps
    tangents = np.empty_like(values)
    tangents[[0, -1]] = slopes[[0, -1]]
    tangents[1:-1] = (steps[1:] * slopes[:-1] + steps[:-1] * slopes[1:]) / (steps[:-1] + steps[1:])
    weights = CubicHermiteSpline(knots, values, tangents)(samples)
    knot, sample = np.nonzero(np.isclose(knots[:, None], samples[None], rtol=0, atol=1e-12))
    weights[sample] = 0.0
    weights[sample, knot] = 1.0
    return weights


def chord_knots(*lines: np.ndarray) -> np.ndarray:
    """Parameters 0–1 for the knots of lines that share them, after the roots of their lengths (centripetal).

    Every step takes at least a quarter of an even share, so that landmarks that (nearly) coincide stay apart.

    Args:
        lines: each (k, 2), px.
    """
    steps = np.mean([_shares(line) for line in lines], axis=0)
    steps = np.maximum(steps, 0.25 / len(steps))
    return np.concatenate([[0.0], np.cumsum(steps / steps.sum())[:-1], [1.0]])


def subdivide(knots: np.ndarray, parts: int) -> np.ndarray:
    """The knots with `parts − 1` even samples between each two."""
    even = np.arange(parts) / parts
    inner = knots[:-1, None] + np.diff(knots)[:, None] * even[None]
    return np.concatenate([inner.ravel(), knots[-1:]])


def _shares(line: np.ndarray) -> np.ndarray:
    steps = np.sqrt(np.linalg.norm(np.diff(line, axis=0), axis=1))
    total = steps.sum()
    return steps / total if total > 0 else np.full(len(steps), 1 / len(steps))
