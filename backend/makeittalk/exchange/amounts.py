"""How much of each predicted motion is used. Standard library only."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

HIGHEST = 4.0  # a mouth four times as lively tears every face


@dataclass(frozen=True)
class Amounts:
    """How much of each predicted motion is used, 0 to `HIGHEST`; 1 is the calibrated natural default.

    Whatever they are made from, amounts are in this range: others are brought into it.
    """

    lip: float = 1.0
    head: float = 1.0
    blink: float = 1.0
    smooth: float = 1.0
    gaze: float = 1.0

    def __post_init__(self) -> None:
        for item in fields(self):
            object.__setattr__(self, item.name, min(HIGHEST, max(0.0, float(getattr(self, item.name)))))

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Amounts:
        """Takes the known amounts; unknown keys are ignored, missing ones are 1.

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
            known[item.name] = float(given)
        return cls(**known)
