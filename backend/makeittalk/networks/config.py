"""What the configurations of all networks have in common: they are kept as JSON beside the weights, and bounded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, ClassVar, Self

_WIDEST = 8192  # channels, units or frames: no network here is a tenth as wide
_DEEPEST = 64  # layers, heads or blocks, and widths in a list


class NetworkConfig:
    """Base of the frozen dataclasses that say how large a network is.

    Attributes:
        COUNTS: fields that count layers, which are few where widths are many.
    """

    COUNTS: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From JSON values: takes the known keys; lists become tuples.

        Raises:
            ValueError, TypeError: no network has these sizes.
        """
        known: dict[str, Any] = {}
        for item in fields(cls):  # type: ignore[arg-type]  # every subclass is a dataclass
            if item.name in value:
                given = value[item.name]
                known[item.name] = tuple(given) if isinstance(given, list) else given
                _check(item.name, known[item.name], _DEEPEST if item.name in cls.COUNTS else _WIDEST)
        return cls(**known)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}  # type: ignore[call-overload]


def _check(name: str, value: Any, most: int) -> None:
    if isinstance(value, bool):
        return
    if isinstance(value, tuple):
        if len(value) > _DEEPEST:
            raise ValueError(f"no network has so many {name}: {len(value)}")
        for entry in value:
            _check(name, entry, most)
    elif not isinstance(value, int | float) or not math.isfinite(value) or not 0 <= value <= most:
        raise ValueError(f"no network has these sizes: {name} = {value!r:.40}")
