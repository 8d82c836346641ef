"""Values of the named shape keys that show a displacement of the landmarks: few, none negative, lips that meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..landmarks.ibug68 import INNER_PAIRS

#: How dear a key is, by what its name begins with: speech is said with the jaw and rounded or spread lips wherever
#: those can say it. What rolls, presses and leans is for what they cannot, and mirror keys never pull both ways.
PRICES = {
    "brow": 0.02,  # nothing else raises brows
    "mouthPucker": 0.5,
    "mouthFunnel": 0.5,
    "mouthUpperUp": 2.0,
    "mouthPress": 2.0,
    "mouthDimple": 3.0,
    "mouthFrown": 3.0,
    "mouthShrugLower": 3.0,
    "mouthShrugUpper": 4.0,
    "mouthRollUpper": 4.0,
    "mouthRollLower": 8.0,
    "mouthLeft": 10.0,
    "mouthRight": 10.0,
    "jawForward": 10.0,
    "jawLeft": 10.0,
    "jawRight": 10.0,
    "noseSneer": 10.0,
    "cheek": 10.0,
}
LARGEST = 1.0  # value of a named key in a prediction: at the largest amount, 2, a slider ends
_SPARSE = 2e-4  # canonical units², the price of a value of 1: what moves less is not worth a key
_RIDGE = 1e-3  # canonical units², keeps correlated keys from fighting
_DEPTH = 0.4  # how much depth counts: a picture hardly shows it
_GAP = 20.0  # how much the distance between the lips counts, beside a landmark's place: shut lips are shut
_BEYOND = 0.5  # a residual key: how much more what none of them holds counts than what they could mend
_ITERATIONS = 40
_POLISHING = 2
_ROWS = 1024  # frames at once: each needs a matrix of its own


def fit_named_keys(
    target: np.ndarray,
    keys: np.ndarray,
    names: Sequence[str],
    residual: np.ndarray | None = None,
    polishing: int = _POLISHING,
) -> np.ndarray:
    """The values (N, K), 0 to `LARGEST`, of keys that show a displacement.

    Args:
        target: (N, 68, 3) canonical units, in any pose. keys: (K, 68, 3) what they move at value 1, in the same pose.
        names: of the keys; a dear one is used only where no other does, see `PRICES`.
        residual: (M, 68, 3) keys that are to hold the rest.
        polishing: how often values between their bounds are solved for exactly; 0 tells which keys are of use.
    """
    if not len(keys) or not len(target):
        return np.zeros((len(target), len(keys)))
    held = np.linalg.qr((residual if residual is not None else keys[:0]).reshape(-1, keys[0].size).T)[0]
    price = np.array([_price(name) for name in names])
    moved, ridge = _weighted(keys, held), _RIDGE * np.minimum(price, 1.0)
    # What counts is linear in a displacement, so that it need not be worked out frame by frame.
    linear = _weighted(np.eye(keys[0].size).reshape(-1, *keys.shape[1:]), held) @ moved.T
    goal = target.reshape(len(target), -1) @ linear
    values = np.zeros((len(target), len(keys)))
    for row in range(0, len(target), _ROWS):
        rows = slice(row, row + _ROWS)
        values[rows] = bounded_fit(goal[rows], moved @ moved.T, _SPARSE * price, ridge, polishing)
    return values


def bounded_fit(
    goal: np.ndarray, gram: np.ndarray, price: np.ndarray, ridge: np.ndarray, polishing: int = _POLISHING
) -> np.ndarray:
    """min ½‖target − x·keys‖² + ½ Σ ridge x² + price·x over 0 ≤ x ≤ `LARGEST`, for every row (ADMM, then polished).

    Args:
        goal: (N, K) target · keysᵀ. gram: (K, K) keys · keysᵀ. price, ridge: (K,). polishing: how often.

    Returns:
        (N, K).
    """
    gram = gram + np.diag(ridge)
    goal = goal - price
    penalty = 0.3 * float(np.trace(gram)) / len(gram)
    inverse = np.linalg.inv(gram + penalty * np.eye(len(gram)))
    values, dual = np.zeros_like(goal), np.zeros_like(goal)
    for _ in range(_ITERATIONS):
        free = (goal + penalty * (values - dual)) @ inverse
        ahead = 1.6 * free - 0.6 * values  # over-relaxed
        values = np.clip(ahead + dual, 0.0, LARGEST)
        dual += ahead - values
    for _ in range(polishing):
        values = _polished(gram, goal, values)
    return values


def _polished(gram: np.ndarray, goal: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Solves exactly for what lies between its bounds, the rest held: lips that are to meet do."""
    free = (values > 0.0) & (values < LARGEST)
    matrices = np.where(free[:, :, None] & free[:, None, :], gram, np.eye(len(gram)))
    held = np.where(free, 0.0, values)
    right = np.where(free, goal - held @ gram, held)
    return np.clip(np.linalg.solve(matrices, right[..., None])[..., 0], 0.0, LARGEST)


def _weighted(displacement: np.ndarray, held: np.ndarray) -> np.ndarray:
    """What of a displacement (N, 68, 3) counts, (N, D): every landmark, the inner lips' distances once more, and what
    lies outside the orthonormal columns of `held` (204, M)."""
    points = np.asarray(displacement, np.float64)
    upper, lower = np.array(INNER_PAIRS).T
    apart = _GAP * (points[:, lower, :2] - points[:, upper, :2])
    parts = [points * (1.0, 1.0, _DEPTH), apart]
    if held.shape[1]:
        flat = points.reshape(len(points), -1)
        parts.append(_BEYOND * held.shape[1] * (flat - flat @ held @ held.T))
    return np.concatenate([part.reshape(len(points), -1) for part in parts], axis=1)


def _price(name: str) -> float:
    return next((price for beginning, price in PRICES.items() if name.startswith(beginning)), 1.0)
