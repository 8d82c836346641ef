"""Transparent pictures: put on grey, and their colours multiplied by alpha and divided by it again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from makeittalk.images.picture import GREY, is_opaque, on_grey
from makeittalk.images.textures import premultiplied, straight

RANDOM = np.random.default_rng(0)


def cut_out(height: int, width: int) -> np.ndarray:
    """Mostly opaque or clear, with every alpha between."""
    rgba = RANDOM.integers(0, 256, (height, width, 4), dtype=np.uint8)
    rgba[: height // 3, :, 3] = 255
    rgba[height // 2 :, : width // 2, 3] = 0
    return rgba


PICTURES = [cut_out(7, 5), cut_out(1200, 33), RANDOM.integers(0, 256, (64, 81, 4), dtype=np.uint8)]


@pytest.mark.parametrize(
    "seen", [lambda a: a, lambda a: a[:, ::-1], lambda a: a[1::2]], ids=["whole", "turned", "half"]
)
@pytest.mark.parametrize("rgba", PICTURES, ids=lambda a: str(a.shape))
def test_each_pixel_follows_the_formula(rgba: np.ndarray, seen: Callable[[np.ndarray], np.ndarray]) -> None:
    rgba = seen(rgba)
    before = rgba.copy()
    share = rgba[..., 3:].astype(np.float64) / 255
    grey = on_grey(rgba)
    assert grey.flags.c_contiguous and grey.dtype == np.uint8
    np.testing.assert_allclose(grey, rgba[..., :3] * share + GREY * (1 - share), atol=0.501)
    np.testing.assert_array_equal(grey[rgba[..., 3] == 255], rgba[..., :3][rgba[..., 3] == 255])
    assert (grey[rgba[..., 3] == 0] == GREY).all()
    divided = straight(rgba)
    np.testing.assert_array_equal(divided[..., 3], rgba[..., 3])
    expected = np.minimum(rgba[..., :3] * 255.0 / np.maximum(rgba[..., 3:], 1), 255)
    np.testing.assert_allclose(divided[..., :3], expected, atol=0.501)
    np.testing.assert_array_equal(rgba, before)


def test_colours_come_back_as_far_as_alpha_lets_them() -> None:
    rgba = PICTURES[2]
    back = straight(premultiplied(rgba)).astype(float)
    # Half a level of what was multiplied, seen through the alpha.
    room = 0.5 + 0.5 * 255 / np.maximum(rgba[..., 3:], 1)
    seen = rgba[..., 3] > 0
    assert (np.abs(back - rgba)[..., :3] <= room)[seen].all()


def test_what_is_opaque_is_told() -> None:
    rgba = PICTURES[0].copy()
    assert not is_opaque(rgba) and is_opaque(rgba[..., :3])
    rgba[..., 3] = 255
    assert is_opaque(rgba)
    np.testing.assert_array_equal(on_grey(rgba), rgba[..., :3])
    np.testing.assert_array_equal(straight(rgba), rgba)
