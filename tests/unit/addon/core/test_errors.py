"""Errors of the Blender side are told as those of the files and of the backend are."""

from __future__ import annotations

from extension import part_outside


def test_one_kind_of_error_reaches_the_operators() -> None:
    errors = part_outside("backend.makeittalk.exchange.errors")
    error = part_outside("addon.core.errors").AddonError("The scene was removed.", "Run it again.")
    assert isinstance(error, errors.MakeItTalkError)
    assert str(error) == "The scene was removed; run it again."
    assert (error.message, error.hint) == ("The scene was removed.", "Run it again.")
