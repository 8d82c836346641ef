"""How much of each predicted motion is used. Standard library only."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

HIGHEST = 4.0  # a mouth four times as lively tears every face


@dataclass(frozen=True)
class Amounts:
    """How much of each predicted motion is used, 0 to `HIGHEST`; 1 is the calibrated natural default."""

    lip: float = 1.0
    head: float = 1.0
    blink: float = 1.0
    smooth: float = 1.0
    gaze: float = 1.0

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Amounts:
        """Takes the known amounts, brought into their range; unknown keys are ignored, missing ones are 1.

        Raises:
            ValueError: it is no dictionary, or an amount is no number.
        """
        if not isinstance(value, dict):
            raise ValueError("amounts are an object of numbers")
        known: dict[str, float] = {}
        for item in fields(cls):
            given = value.get(item.name, 1.0)
            if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
                raise ValueError(f"the amount {item.name!r} is no number")
            known[item.name] = min(HIGHEST, max(0.0, float(given)))
        return cls(**known)
