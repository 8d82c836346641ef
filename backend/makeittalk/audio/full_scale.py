"""Tells floats between ±1 from integers that were stored as floats without being scaled."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

_INTEGERS = (2.0**7, 2.0**15, 2.0**23, 2.0**31)  # full scales of 8 to 32 bits
_LOUD = 8.0  # +18 dBFS: what is louder than that was never meant to be full scale 1
_BULK = 0.05  # share of the samples that must be, so that a few damaged ones are not taken for all
_BEYOND = 1e-4  # share of the samples that may be beyond full scale
_DAMAGE = 2.0**32  # no sample of any format


def full_scale(blocks: Iterable[np.ndarray]) -> float:
    """What stands for ±1 in a recording of floats: 1, or the smallest full scale of integers that holds it.

    Args:
        blocks: (m, channels) float32, not a number where it is damaged.
    """
    bounds = (0.0, _LOUD, *_INTEGERS)
    beyond = np.zeros(len(bounds), np.int64)
    for block in blocks:
        size = np.abs(block)
        size = size[size < _DAMAGE]  # false for NaN too
        beyond += [np.count_nonzero(size > bound) for bound in bounds]
    some, loud, *over = beyond.tolist()
    if loud <= _BULK * some:
        return 1.0
    return next((scale for scale, count in zip(_INTEGERS, over, strict=True) if count <= _BEYOND * some), 1.0)
