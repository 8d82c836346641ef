"""The noise that heads are moved with."""

from __future__ import annotations

import numpy as np
import pytest
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.networks.noise import BANDS, BLINK, NOISE, SWAY, noise_track


def test_noise_is_slow_seeded_and_does_not_depend_on_the_length() -> None:
    long = noise_track(3, 6000)
    assert np.allclose(long[:500], noise_track(3, 500), atol=1e-6)
    assert not np.allclose(long[:500, SWAY], noise_track(4, 500)[:, SWAY], atol=0.1)
    assert np.abs(long[:, SWAY].std(0) - 1.0).max() < 0.2
    frequency = np.fft.rfftfreq(6000, 1.0 / FRAME_RATE)
    for channel, band in enumerate(BANDS):
        power = np.abs(np.fft.rfft(long[:, channel])) ** 2
        assert (power * frequency).sum() / power.sum() == pytest.approx(band, rel=0.25)
    assert long[:, BLINK].min() == 0.0 and long[:, BLINK].max() <= 1.0
    assert noise_track(3, 0).shape == (0, NOISE)
