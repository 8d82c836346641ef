"""Frame rates."""

from __future__ import annotations

from fractions import Fraction

import pytest
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.rates import exact_rate


@pytest.mark.parametrize(
    ("given", "exact"),
    [
        ("24", Fraction(24)),
        ("29.97", Fraction(30000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        (59.94, Fraction(60000, 1001)),
        ("30000/1001", Fraction(30000, 1001)),
        (12.5, Fraction(25, 2)),
        (62.5, Fraction(125, 2)),
    ],
)
def test_rates_are_exact(given: str | float, exact: Fraction) -> None:
    assert exact_rate(given) == exact


@pytest.mark.parametrize("given", ["", "fast", "0", "-24", "1/0", "241", "nan", "inf"])
def test_no_rate_is_refused(given: str) -> None:
    with pytest.raises(InputError):
        exact_rate(given)
