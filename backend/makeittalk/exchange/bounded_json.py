"""JSON that strangers wrote, read within bounds. Standard library only."""

from __future__ import annotations

import json
import math
from typing import Any, TypeVar

_DEEPEST = 64  # levels of lists and objects; the project's own files and messages have five
_DIGITS = 19  # of a whole number: 64 bits

_Any = TypeVar("_Any")


def loads(text: str | bytes) -> Any:
    """The value in a text.

    A number that is too large for 64 bits becomes infinite, as 1e400 does: whoever asks for a number asks whether it
    is finite.

    Raises:
        ValueError: it is no JSON, or nested so deeply that walking through it would exhaust the stack.
    """
    try:
        value = json.loads(text, parse_int=_whole)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return check_depth(value)


def check_depth(value: _Any) -> _Any:
    """A value of lists and objects that are not nested too deeply to be walked through.

    Raises:
        ValueError: they are.
    """
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return value
    raise ValueError("nested too deeply")


def is_finite(value: Any) -> bool:
    """Whether no number in what `loads` gave is infinite or NaN."""
    if isinstance(value, float):
        return math.isfinite(value)
    return all(is_finite(item) for item in _inside(value))


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS else float(digits)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
