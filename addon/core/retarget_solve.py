"""Values of a character's own keys that show a performance: the lips by least squares, all else by name. No bpy here.

The lips' landmarks and the distance between the lips are wanted; sliders have ends; and three things are kept whatever
the keys are: lips that must meet meet, the lower lip goes to the teeth on F and V by the key that is made for it, and a
key whose name says what the performance's own key says moves as that one does, corrected only where these lips would
not do the same. Everything is linear in the values but for the ends of the sliders, so that all frames are solved at
once (ADMM, as the backend's `key_fit`).
"""

from __future__ import annotations

import numpy as np

from .retarget_names import MEANINGS
from .retarget_performance import LOWER_INNER, UPPER_INNER, Performance
from .retarget_shapes import FOLLOWED
from .retarget_target import Target

_LIPS = np.arange(48, 68)
_AXES = np.array([1.0, 1.0, 0.4])  # how much across, down and depth count
_GAP = 3.0  # how much the distance between the lips counts beside a landmark's place …
_SHUT_GAP = 20.0  # … and where they must meet
_RIDGE = 5e-3  # mouth widths²: what a value of 1 costs, so that keys do not fight
_AS_NAMED = 0.05  # mouth widths²: what it costs to leave the curve of the same name
_MADE_FOR = 0.02  # the same, of the key that is made for a shut or bitten lip
_AS_BEFORE = 0.02  # and to change what is no part of that
_PRESSED = 0.7  # what that key is wanted at: not so much that it jumps
_ITERATIONS = 120
_SHUT_KEYS = {"oculus:PP", "rhubarb:A", "preston:MBP", "microsoft:21", "vrm:mouthClose"}
_BITTEN_KEYS = {"oculus:FF", "rhubarb:G", "preston:FV", "microsoft:18"}


def solve(performance: Performance, target: Target) -> np.ndarray:
    """The values (T, K) of a target's keys, within their limits; gain and offset of a key are the caller's.

    Args:
        performance: T frames. target: K keys.
    """
    values = np.zeros((performance.frames, len(target.names)))
    mouth = [row for row, meaning in enumerate(target.meanings) if MEANINGS[meaning].part == "mouth"]
    for row, meaning in enumerate(target.meanings):
        if row not in mouth:
            values[:, row] = followed(performance, meaning)
    if mouth:
        values[:, mouth] = _mouth(performance, target, np.array(mouth))
    return np.asarray(np.clip(values, target.limits[:, 0], target.limits[:, 1]))


def followed(performance: Performance, meaning: str) -> np.ndarray:
    """What a performance says by name for a meaning, (T,): zeros where it says nothing."""
    vocabulary, _, name = meaning.partition(":")
    wanted = (name,) if vocabulary == "arkit" else FOLLOWED.get(meaning, ())
    curves = [performance.keys[key] for key in wanted if key in performance.keys]
    return np.asarray(np.mean(curves, axis=0)) if curves else np.zeros(performance.frames)


def _mouth(performance: Performance, target: Target, mouth: np.ndarray) -> np.ndarray:
    """The values (T, M) of the keys of the mouth."""
    shapes, gaps = target.landmarks[mouth], target.gaps[mouth]
    low, high = target.limits[mouth].T
    words = [target.meanings[row] for row in mouth]
    named = np.array([word.startswith("arkit:") for word in words])
    wanted = np.stack(
        [followed(performance, word) if word.startswith("arkit:") else _zeros(performance) for word in words]
    )
    goal = (performance.landmarks[:, _LIPS] * _AXES).reshape(performance.frames, -1)
    rows = (shapes[:, _LIPS] * _AXES).reshape(len(shapes), -1)
    apart = _wanted_gaps(performance, target.along)
    share = np.sqrt(3.0 / max(1, gaps.shape[1]))
    stay = np.where(named, _AS_NAMED, _RIDGE)

    def solved(gap_weight: float, apart: np.ndarray, towards: np.ndarray, stay: np.ndarray) -> np.ndarray:
        weight = gap_weight * share
        columns = np.concatenate([rows, weight * gaps], axis=1)
        aims = np.concatenate([goal, weight * (apart - target.rest_gap)], axis=1)
        gram = columns @ columns.T + np.diag(stay)
        return bounded(aims @ columns.T + towards * stay, gram, low, high)

    values = solved(_GAP, apart, wanted.T, stay)
    contact = performance.contact if len(performance.contact) == performance.frames else _zeros(performance)
    for keys, weight, gap_weight, meet in (
        (_BITTEN_KEYS, contact, _GAP, False),
        (_SHUT_KEYS, performance.shut, _SHUT_GAP, True),
    ):
        made = np.array([word in keys for word in words])
        if not weight.any() or not (meet or made.any()):
            continue
        during = weight > 0.0
        towards = np.where(made, _PRESSED, values)  # as little else as need be
        held = np.where(made, _MADE_FOR, np.maximum(stay, _AS_BEFORE))
        there = solved(gap_weight, np.zeros_like(apart) if meet else apart, towards, held)
        blend = weight[during, None]
        values[during] = (1.0 - blend) * values[during] + blend * there[during]
    return values


def _zeros(performance: Performance) -> np.ndarray:
    return np.zeros(performance.frames)


def _wanted_gaps(performance: Performance, along: np.ndarray) -> np.ndarray:
    """How far the lips are to be apart at places between the corners, (T, P) mouth widths."""
    points = performance.landmarks
    apart = np.maximum(points[:, LOWER_INNER, 1] - points[:, UPPER_INNER, 1], 0.0)
    three = np.pad(apart, ((0, 0), (1, 1)))
    place = np.clip(along, 0.0, 1.0) * 4.0
    left = np.minimum(place.astype(int), 3)
    return np.asarray(three[:, left] * (1.0 - (place - left)) + three[:, left + 1] * (place - left))


def bounded(goal: np.ndarray, gram: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """min ½ x·gram·x − goal·x over low ≤ x ≤ high, for every row of goal (ADMM).

    Args:
        goal: (T, K). gram: (K, K), positive definite. low, high: (K,).

    Returns:
        (T, K).
    """
    penalty = 0.3 * float(np.trace(gram)) / len(gram)
    inverse = np.linalg.inv(gram + penalty * np.eye(len(gram)))
    values, dual = np.zeros_like(goal), np.zeros_like(goal)
    for _ in range(_ITERATIONS):
        free = (goal + penalty * (values - dual)) @ inverse
        ahead = 1.6 * free - 0.6 * values  # over-relaxed
        values = np.clip(ahead + dual, low, high)
        dual += ahead - values
    return values
