"""What every message of the protocol has in common: fields with defaults, taken in with care. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeVar

from . import bounded_json
from .amounts import Amounts
from .constants import LARGEST_INTEGER

Message = TypeVar("Message", bound="Fields")


class ProtocolError(ValueError):
    """A line that is no message of this protocol.

    Args:
        message: a sentence. number: the id that the line has all the same; 0 where it cannot be read.
    """

    def __init__(self, message: str, number: int = 0) -> None:
        super().__init__(message)
        self.number = number


@dataclass
class Fields:
    """A message, or a part of one."""

    @classmethod
    def from_dict(cls: type[Message], value: dict[str, Any]) -> Message:
        """Takes the known fields whose JSON type fits; unknown ones are ignored, missing ones keep their default.

        Raises:
            ProtocolError: a known field has another type than its default, or holds a number beyond `LARGEST_INTEGER`.
        """
        default = cls()
        known = {
            item.name: _field(item.name, value[item.name], getattr(default, item.name), item.metadata.get("of"))
            for item in fields(cls)
            if item.name in value
        }
        return cls(**known)


def _field(name: str, given: Any, default: Any, of: type[Fields] | None = None) -> Any:
    """The value of a field, of the type that its default has; a list of words, or of messages of the kind `of`."""
    if isinstance(default, Amounts):
        try:
            return Amounts.from_dict(given)
        except (ValueError, OverflowError) as error:
            raise ProtocolError(f"The amounts of a message are wrong: {error}.") from error
    whole = type(given) is int
    if isinstance(default, float) and (whole or isinstance(given, float)) and not abs(given) <= LARGEST_INTEGER:
        raise ProtocolError(f"The field {name!r} of a message is no number that can be used.")
    if isinstance(default, float) and whole:
        return float(given)
    if type(given) is not type(default):
        raise ProtocolError(f"The field {name!r} of a message has the wrong type.")
    if whole and abs(given) > LARGEST_INTEGER:
        raise ProtocolError(f"The field {name!r} of a message is no number that can be used.")
    if isinstance(given, str) and not _is_text(given):
        raise ProtocolError(f"The field {name!r} of a message holds letters that no path and no sentence can have.")
    if isinstance(given, list) and of is not None:
        if not all(isinstance(item, dict) for item in given):
            raise ProtocolError(f"The field {name!r} of a message is no list of objects.")
        return [of.from_dict(item) for item in given]
    if isinstance(given, list) and not all(isinstance(item, str) for item in given):
        raise ProtocolError(f"The field {name!r} of a message is no list of words.")
    if isinstance(given, dict) and not bounded_json.is_finite(given):
        raise ProtocolError(f"The field {name!r} of a message holds something that is no number.")
    return given


def _is_text(value: str) -> bool:
    """Whether no NUL and no half of a letter is in it; bytes of a path that are no UTF-8 may be."""
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return "\0" not in value
