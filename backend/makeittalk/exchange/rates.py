"""Frame rates: the exact fractions that 29.97 and its kin stand for, and Blender's form. Standard library only."""

from __future__ import annotations

import math
from fractions import Fraction

from .errors import InputError

_BROADCAST = {23.976: Fraction(24000, 1001), 29.97: Fraction(30000, 1001), 59.94: Fraction(60000, 1001)}
LOWEST, HIGHEST = 1, 240  # frames/s of scenes and films
HIGHEST_FILMED = 1000  # frames/s of a motion that is read: cameras are faster than films


def exact_rate(value: str | float | Fraction) -> Fraction:
    """The exact rate of a name or number of frames a second: "29.97" is 30000/1001, "24000/1001" is itself.

    Raises:
        InputError: it is no rate between 1 and 240.
    """
    try:
        above, _, below = str(value).partition("/")
        rough = float(above) / float(below or 1)
        # Only then exactly: the fraction of a number with a large exponent would fill the memory.
        rate = Fraction(value) if LOWEST <= rough <= HIGHEST else None
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise InputError(f"{str(value)[:40]!r} is no frame rate.", "Use a number such as 24, 29.97 or 60.") from error
    if rate is None:
        raise InputError(f"The frame rate {str(value)[:40]} is out of range.", f"Use {LOWEST} to {HIGHEST}.")
    for near, exact in _BROADCAST.items():
        if abs(float(rate) - near) < 0.003:
            return exact
    return rate.limit_denominator(1001)


def fps_and_base(rate: str | float | Fraction) -> tuple[int, float]:
    """Blender's `fps`, a whole number, and the `fps_base` it is divided by; 29.97 and its kin are n / 1.001.

    Raises:
        InputError: it is no rate between 1 and 240.
    """
    exact = exact_rate(rate)
    whole = math.ceil(exact)
    return whole, float(whole / exact)
