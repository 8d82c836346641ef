"""Long recordings block by block."""

from __future__ import annotations

import numpy as np
import pytest
from makeittalk.audio.windows import context_windows, in_blocks
from scipy.ndimage import uniform_filter1d

TRACK = np.random.default_rng(0).normal(size=(103, 3)).astype(np.float32)


@pytest.mark.parametrize("size", [1, 7, 50, 103, 1000])
def test_blocks_with_context_answer_as_the_whole_does(size: int) -> None:
    def run(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return uniform_filter1d(first, 5, axis=0, mode="nearest") * second[:, None]

    weight = np.arange(103.0)
    answer = np.empty_like(TRACK)
    assert in_blocks(run, [TRACK, weight], answer, context=2, size=size) is answer
    np.testing.assert_allclose(answer, run(TRACK, weight), rtol=1e-6)


def test_a_track_may_take_its_own_answer() -> None:
    track = TRACK.copy()
    np.testing.assert_array_equal(in_blocks(lambda some: 2.0 * some, [track], track, size=10), 2.0 * TRACK)


def test_networks_are_given_contiguous_floats() -> None:
    def run(piece: np.ndarray) -> np.ndarray:
        assert piece.dtype == np.float32 and piece.flags.c_contiguous and len(piece) <= 30
        return piece

    backwards = TRACK[::-1].astype(np.float16)
    np.testing.assert_array_equal(context_windows(backwards, 20, 5, run, np.empty((103, 3), np.float16)), backwards)
