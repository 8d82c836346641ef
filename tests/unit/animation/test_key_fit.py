"""Values of the named keys: the best there are within their bounds, and lips that meet."""

from __future__ import annotations

import numpy as np
import pytest
from makeittalk.animation.basis import load_basis
from makeittalk.animation.key_fit import LARGEST, bounded_fit, fit_named_keys
from makeittalk.animation.lips import close_lips, gaps
from makeittalk.exchange.constants import FRAME_RATE
from scipy.optimize import lsq_linear


@pytest.fixture(scope="module")
def named() -> tuple[list[str], np.ndarray]:
    basis = load_basis()
    return list(basis.names[: len(basis.named)]), basis.named


def mouthing(frames: int = 90) -> np.ndarray:
    """(T, 68, 3) canonical: a mouth that opens three times, drawn wide and round, shut between."""
    time = np.linspace(0.0, 3.0, frames)[:, None]
    wide = np.maximum(np.sin(np.pi * time) ** 2 - 0.1, 0.0)
    content = np.zeros((frames, 68, 3))
    content[:, [61, 62, 63], 1] = -0.05 * wide
    content[:, [65, 66, 67], 1] = 0.12 * wide
    content[:, [50, 51, 52], 1] = -0.03 * wide
    content[:, [56, 57, 58], 1] = 0.12 * wide
    content[:, [7, 8, 9], 1] = 0.08 * wide
    content[:, [48, 54], 0] = 0.03 * np.sin(7.0 * time) * [1.0, -1.0]
    return close_lips(content, FRAME_RATE)


def test_no_other_values_are_better() -> None:
    rng = np.random.default_rng(0)
    keys = rng.normal(0.0, 0.1, (12, 60))
    target = np.maximum(rng.normal(0.3, 0.8, (40, 12)), 0.0) @ keys + rng.normal(0.0, 0.05, (40, 60))
    values = bounded_fit(target @ keys.T, keys @ keys.T, np.full(12, 1e-9), np.full(12, 1e-9))
    for row, wanted in zip(values, target, strict=True):
        best = lsq_linear(keys.T, wanted, (0.0, LARGEST), tol=1e-12)
        assert np.linalg.norm(row @ keys - wanted) <= np.sqrt(2.0 * best.cost) * (1.0 + 1e-6)
    assert (values == LARGEST).any() and (values == 0.0).any()


def test_more_frames_than_are_solved_at_once_change_nothing(named: tuple[list[str], np.ndarray]) -> None:
    names, keys = named
    wanted = np.tile(mouthing(), (13, 1, 1))
    every = fit_named_keys(wanted, keys, names)
    assert len(every) == 1170
    assert np.allclose(every[1080:], fit_named_keys(wanted[1080:], keys, names))
    assert fit_named_keys(wanted[:0], keys, names).shape == (0, len(keys))


def test_lips_that_shall_meet_meet_and_open_as_wide(named: tuple[list[str], np.ndarray]) -> None:
    names, keys = named
    wanted = mouthing()
    values = fit_named_keys(wanted, keys, names)
    assert values.min() >= 0.0 and values.max() <= LARGEST
    gap, shown = gaps(wanted), gaps(np.tensordot(values, keys, 1))
    shut = np.abs(gap).max(axis=1) < 1e-6
    assert shut.sum() > 10
    assert np.abs(shown[shut]).max() < 0.004  # 0.6 px at 256 px face width
    assert shown[gap[:, 1].argmax(), 1] > 0.92 * gap[:, 1].max()


def test_lips_meet_on_a_tilted_portrait(named: tuple[list[str], np.ndarray]) -> None:
    names, keys = named
    turn = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    wanted = mouthing()
    upright = fit_named_keys(wanted, keys, names)
    assert np.allclose(fit_named_keys(wanted @ turn.T, keys @ turn.T, names), upright, atol=1e-6)


def test_a_mouth_that_is_shut_needs_no_key(named: tuple[list[str], np.ndarray]) -> None:
    names, keys = named
    assert (fit_named_keys(np.zeros((3, 68, 3)), keys, names) == 0.0).all()


def test_mirror_keys_never_pull_both_ways(named: tuple[list[str], np.ndarray]) -> None:
    names, keys = named
    values = fit_named_keys(mouthing(), keys, names)
    for key in ("mouth", "jaw"):
        both = np.minimum(values[:, names.index(f"{key}Left")], values[:, names.index(f"{key}Right")])
        assert both.max() < 0.05, key


def test_what_residual_keys_can_hold_counts_less(named: tuple[list[str], np.ndarray]) -> None:
    names, keys = named
    rng = np.random.default_rng(2)
    wanted = mouthing() + rng.normal(0.0, 0.004, (90, 68, 3))
    residual = rng.normal(0.0, 0.1, (30, 68, 3))

    def missed(values: np.ndarray) -> float:
        left = (wanted - np.tensordot(values, keys, 1)).reshape(len(wanted), -1)
        held = np.linalg.qr(residual.reshape(len(residual), -1).T)[0]
        return float(np.linalg.norm(left - left @ held @ held.T))

    assert missed(fit_named_keys(wanted, keys, names, residual)) < missed(fit_named_keys(wanted, keys, names))
