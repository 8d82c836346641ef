"""Frame rates."""

from __future__ import annotations

from fractions import Fraction

import pytest
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.rates import exact_rate, fps_and_base


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


@pytest.mark.parametrize(
    "given",
    [
        "",
        "fast",
        "0",
        "-24",
        "1/0",
        "241",
        "nan",
        "inf",
        "1e400",
        "1e400000000",
        "1e-400000000",
        "9" * 5000,
        "1/9/9",
        "24/-1",
        "0.5/0",
    ],
)
def test_no_rate_is_refused(given: str) -> None:
    with pytest.raises(InputError):
        exact_rate(given)


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (24.0, (24, 1.0)),
        (29.97, (30, 1.001)),
        (30000 / 1001, (30, 1.001)),
        (Fraction(24000, 1001), (24, 1.001)),
        ("23.976", (24, 1.001)),
        (59.94, (60, 1.001)),
        (240, (240, 1.0)),
    ],
)
def test_blenders_form_of_a_rate(rate: str | float | Fraction, expected: tuple[int, float]) -> None:
    assert fps_and_base(rate) == expected


def test_an_odd_rate_is_exact_in_blenders_form() -> None:
    for rate in (12.5, 14.985, 23.98, 62.5):
        fps, base = fps_and_base(rate)
        assert fps / base == pytest.approx(rate, abs=1e-6)
