"""Frame rates as the exact fractions that 29.97 and its kin stand for. Standard library only."""

from __future__ import annotations

from fractions import Fraction

from .errors import InputError

_BROADCAST = {23.976: Fraction(24000, 1001), 29.97: Fraction(30000, 1001), 59.94: Fraction(60000, 1001)}
LOWEST, HIGHEST = 1, 240  # frames/s


def exact_rate(value: str | float | Fraction) -> Fraction:
    """The exact rate of a name or number of frames a second: "29.97" is 30000/1001, "24000/1001" is itself.

    Raises:
        InputError: it is no rate between 1 and 240.
    """
    try:
        rate = Fraction(value)
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise InputError(f"{value!r} is not a frame rate.", "Use a number such as 24, 29.97 or 60.") from error
    for near, exact in _BROADCAST.items():
        if abs(float(rate) - near) < 0.003:
            return exact
    if not LOWEST <= rate <= HIGHEST:
        raise InputError(f"{value} frames a second is out of range.", f"Use {LOWEST} to {HIGHEST}.")
    return rate.limit_denominator(1001)
