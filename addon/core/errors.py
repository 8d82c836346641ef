"""What goes wrong on the Blender side, in sentences for the user. No bpy here."""

from __future__ import annotations


class AddonError(Exception):
    """An error with one sentence for the user.

    Args:
        message: the sentence that names the problem.
        hint: the way out, one sentence or empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()
