"""Sums of a few curves, none counted negatively; scipy's NNLS is the judge."""

from __future__ import annotations

import numpy as np
from extension import part_outside
from scipy.optimize import nnls

few_terms = part_outside("addon.core.few_terms")


def curves(count: int = 12) -> np.ndarray:
    return np.clip(np.random.default_rng(1).normal(0.2, 0.4, (300, count)), 0.0, 1.0)


def test_a_sum_of_few_is_found():
    values = curves()
    weights = np.zeros((12, 2))
    weights[[1, 4, 7], 0], weights[[0], 1] = (0.8, 0.3, 0.1), 1.0
    np.testing.assert_allclose(few_terms.fit(values, values @ weights), weights, atol=1e-6)


def test_it_is_as_near_as_all_terms_together_where_there_are_enough():
    values = curves(5)
    wanted = np.random.default_rng(2).random((300, 3))
    found = few_terms.fit(values, wanted, most=5)
    for column in range(3):
        best, _ = nnls(values, wanted[:, column])
        ours, theirs = (np.linalg.norm(values @ weights - wanted[:, column]) for weights in (found[:, column], best))
        assert ours <= theirs * 1.01


def test_terms_are_few_and_none_is_negative():
    values = curves()
    found = few_terms.fit(values, np.stack([values.sum(axis=1), -values[:, 0]], axis=1), most=4)
    assert (found >= 0.0).all() and (found[:, 0] > 0.0).sum() == 4 and not found[:, 1].any()


def test_curves_that_rest_give_nothing():
    assert not few_terms.fit(np.zeros((10, 3)), np.ones((10, 1))).any()
    assert not few_terms.fit(curves(), np.zeros((300, 1))).any()
