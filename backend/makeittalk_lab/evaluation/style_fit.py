"""Fits the rule that tells photographs from drawings, and judges it on kinds and people that it was not fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from makeittalk.images.style import StyleRule

_RIDGE = 5e-3  # of squared weights, where the whole set weighs 1
_PLAIN = 4.0  # what pictures as they are count, in other states 1
_BLURRED = 2.0  # what blurred photographs count: few are at hand that came blurred
_STEPS = 10  # of Newton's
_PARTS = 8  # that people are dealt into


@dataclass(frozen=True)
class Measured:
    """What was measured of a set, a row a picture and state.

    Attributes:
        measures: (N, M). photo: (N,) bool. kinds, people, states: (N,) str. fitted: (N,) bool, False for what is only
            asked.
    """

    measures: np.ndarray
    photo: np.ndarray
    kinds: np.ndarray
    people: np.ndarray
    states: np.ndarray
    fitted: np.ndarray


def weights(known: Measured, chosen: np.ndarray) -> np.ndarray:
    """(N,) what rows count: both sides alike, a kind as the root of its number, 0 beside the `chosen` (N,) bool."""
    weight = np.zeros(len(chosen))
    for kind in np.unique(known.kinds[chosen]):
        rows = chosen & (known.kinds == kind)
        weight[rows] = rows.sum() ** -0.5
    weight[known.states == "as it is"] *= _PLAIN
    weight[known.photo & np.char.startswith(known.states.astype(str), "blurred")] *= _BLURRED
    for side in (True, False):
        rows = chosen & (known.photo == side)
        weight[rows] /= 2 * max(weight[rows].sum(), 1e-9)
    return weight


def fit(known: Measured, chosen: np.ndarray) -> StyleRule:
    """The rule of the `chosen` rows (N,) bool: logistic regression on standardised measures and products of two."""
    weight = weights(known, chosen)[chosen]
    measures, wanted = known.measures[chosen], known.photo[chosen].astype(float)
    middle = np.average(measures, axis=0, weights=weight)
    spread = np.sqrt(np.average((measures - middle) ** 2, axis=0, weights=weight)) + 1e-6
    count = measures.shape[1]
    rule = StyleRule(middle, spread, np.zeros(count), np.zeros((count, count)), 0.0)
    terms = np.hstack([rule.terms(measures), np.ones((len(measures), 1))])
    ridge = _RIDGE * np.diag([*np.ones(terms.shape[1] - 1), 1e-6])
    found = np.zeros(terms.shape[1])
    for _ in range(_STEPS):
        share = 1 / (1 + np.exp(-np.clip(terms @ found, -30, 30)))
        slope = terms.T @ (weight * (share - wanted)) + ridge @ found
        bend = (terms * (weight * share * (1 - share))[:, None]).T @ terms + ridge
        found -= np.linalg.solve(bend, slope)
    products = np.zeros((count, count))
    products[np.tril_indices(count)] = found[count:-1]
    return StyleRule(middle, spread, found[:count], products, float(found[-1]))


def fit_all(known: Measured) -> StyleRule:
    """The rule of all rows that are to be fitted."""
    return fit(known, known.fitted)


def left_out_odds(known: Measured) -> np.ndarray:
    """(N,) odds of a photograph by rules that knew nothing of the row's kind of drawing or of the row's person.

    Drawings are left out by whole kinds, photographs by an eighth of the people at a time.
    """
    odds = fit_all(known).odds(known.measures)  # of rows that are only asked
    people = np.unique(known.people[known.fitted & known.photo])
    part = {person: index % _PARTS for index, person in enumerate(people)}
    parts = np.array([part.get(person, -1) for person in known.people])
    folds = [known.photo & (parts == index) for index in range(_PARTS)]
    folds += [~known.photo & (known.kinds == kind) for kind in np.unique(known.kinds[known.fitted & ~known.photo])]
    for asked in folds:
        asked = asked & known.fitted
        if asked.any():
            odds[asked] = fit(known, known.fitted & ~asked).odds(known.measures[asked])
    return odds
