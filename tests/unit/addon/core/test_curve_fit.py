"""Fewest keys within a tolerance."""

from __future__ import annotations

import numpy as np
import pytest
from extension import part_outside


def motion(frames: int = 600, curves: int = 12) -> np.ndarray:
    """Smooth random curves with rests at exactly 0."""
    rng = np.random.default_rng(3)
    kernel = np.hanning(13) / np.hanning(13).sum()
    noise = rng.normal(0.0, 1.0, (frames, curves))
    values = np.stack([np.convolve(column, kernel, "same") for column in noise.T], axis=1)
    values[100:130] = 0.0
    values[400] = 0.0
    return values


def hermite(keys, count: int) -> np.ndarray:
    """A second implementation of the curve: numerical Bézier through the handles."""
    left, right = part_outside("addon.core.curve_fit").handles(keys)
    out = np.empty(count)
    frame = np.arange(count, dtype=float)
    for i in range(len(keys.frames) - 1):
        a, d = keys.frames[i], keys.frames[i + 1]
        inside = (frame >= a) & (frame <= d)
        t = np.linspace(0, 1, 4001)
        bezier = lambda p0, p1, p2, p3, t=t: (  # noqa: E731
            (1 - t) ** 3 * p0 + 3 * t * (1 - t) ** 2 * p1 + 3 * t**2 * (1 - t) * p2 + t**3 * p3
        )
        x = bezier(a, right[i, 0], left[i + 1, 0], d)
        y = bezier(keys.values[i], right[i, 1], left[i + 1, 1], keys.values[i + 1])
        out[inside] = np.interp(frame[inside], x, y)
    return out


def test_what_keys_say_is_what_their_handles_draw():
    fit = part_outside("addon.core.curve_fit")
    for keys in fit.fit_keyframes(motion(500, 3), np.full(3, 0.1)):
        np.testing.assert_allclose(fit.sample(keys, 500), hermite(keys, 500), atol=1e-6)
    (single,) = fit.fit_keyframes(np.full((1, 1), 0.4), np.ones(1))
    assert fit.sample(single, 3).tolist() == [0.4, 0.4, 0.4]


@pytest.mark.parametrize("tolerance", [0.2, 0.05, 0.005])
def test_every_sample_is_met_within_the_tolerance(tolerance):
    values = motion()
    fitted = part_outside("addon.core.curve_fit").fit_keyframes(values, np.full(12, tolerance))
    for column, keys in zip(values.T, fitted, strict=True):
        played = hermite(keys, len(column))
        assert np.abs(played - column).max() <= tolerance + 1e-4
        assert np.abs(played[100:130]).max() < 1e-5 and abs(played[400]) < 1e-5


def test_looser_means_fewer_keys_and_a_rest_needs_two():
    fit = part_outside("addon.core.curve_fit").fit_keyframes
    counts = [sum(len(k.frames) for k in fit(motion(), np.full(12, t))) for t in (0.3, 0.05, 0.001)]
    assert counts[0] < counts[1] < counts[2] <= 600 * 12
    (rest,) = fit(np.zeros((500, 1)), np.array([0.01]))
    assert rest.frames.tolist() == [0, 499]
    (line,) = fit(np.linspace(0, 3, 200)[:, None], np.array([0.01]))
    assert len(line.frames) <= 4


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_very_short_motion(frames):
    (keys,) = part_outside("addon.core.curve_fit").fit_keyframes(
        np.arange(1.0, frames + 1.0)[:, None], np.array([0.01])
    )
    assert keys.values[-1] == frames
