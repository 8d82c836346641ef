"""Errors that reach a user: one sentence that names the problem, one that says the way out. Standard library only."""

from __future__ import annotations

import errno

#: What a file, its name, its folder or its disk refuses; that one of the program's own files is missing is its fault.
_REFUSED = tuple(
    getattr(errno, name)
    for name in (
        *("ENAMETOOLONG", "EINVAL", "EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "ELOOP"),  # EINVAL: Windows, names
        *("ENOSPC", "EDQUOT", "EFBIG", "EIO", "ESTALE", "EMFILE", "ENFILE"),
    )
    if hasattr(errno, name)
)
_LONGEST = 120  # letters of a path in a sentence


class MakeItTalkError(Exception):
    """An error with a sentence for the user.

    Args:
        message: one sentence naming the file or the thing that is wrong.
        hint: what to do about it, one sentence or empty.
    """

    code = "internal"
    exit_status = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Problem and way out as one sentence."""
        if not self.hint:
            return self.message
        return f"{self.message.rstrip('.')}; {self.hint[0].lower()}{self.hint[1:]}"


class InputError(MakeItTalkError):
    """Something the user gave cannot be used (exit status 2)."""

    code = "input"
    exit_status = 2


class OutputError(MakeItTalkError):
    """A result cannot be written where it was asked for (exit status 2)."""

    code = "output"
    exit_status = 2


class MissingError(MakeItTalkError):
    """A part of the installation is missing: weights, a library, Blender (exit status 2)."""

    code = "missing"
    exit_status = 2


class Cancelled(MakeItTalkError):
    """The user stopped the work."""

    code = "cancelled"
    exit_status = 130

    def __init__(self, message: str = "Cancelled.", hint: str = "") -> None:
        super().__init__(message, hint)


def file_error(error: BaseException) -> MakeItTalkError | None:
    """The sentence for what the system refuses to do with a file; None where an error is no such thing.

    For the top level, where all else has passed an error on: whoever knows what the file is for says it better.
    """
    if not isinstance(error, OSError) or error.errno not in _REFUSED or not isinstance(error.filename, str):
        return None
    name = error.filename if len(error.filename) <= _LONGEST else f"{error.filename[:_LONGEST]}…"
    return InputError(f"{name} cannot be used: {error.strerror}.", "Check it, or name another.")
