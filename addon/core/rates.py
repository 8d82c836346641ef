"""Frame rates as Blender has them: a whole number over a base. No bpy here."""

from __future__ import annotations

from fractions import Fraction


def fps_and_base(rate: float) -> tuple[int, float]:
    """Blender's `fps` and `fps_base` for a rate in frames a second; 29.97 and its kin become exact NTSC rates.

    Raises:
        ValueError: the rate is not between 1 and 1000.
    """
    if not 1.0 <= rate <= 1000.0:
        raise ValueError("A frame rate lies between 1 and 1000.")
    whole = round(rate)
    if abs(rate - whole) < 1e-4:
        return whole, 1.0
    above = int(rate) + 1
    if abs(rate - above / 1.001) < 0.005:
        return above, 1.001
    return above, above / rate


def parse_rate(text: str) -> float:
    """A rate from text: `24`, `29.97` or `30000/1001`.

    Raises:
        ValueError: it is no number, or not between 1 and 1000.
    """
    try:
        rate = float(Fraction(text))
    except ZeroDivisionError as error:
        raise ValueError("A frame rate lies between 1 and 1000.") from error
    fps_and_base(rate)
    return rate
