"""The extension's own name, and what the user has set in its preferences."""

from __future__ import annotations

from typing import Any

import bpy

PACKAGE = __package__.rpartition(".")[0]  # whatever it is loaded as


def settings() -> Any | None:
    """The preferences (see `preferences.py`), or None where the extension is loaded without being enabled."""
    found = bpy.context.preferences.addons.get(PACKAGE)
    return found.preferences if found is not None else None


def device() -> str:
    """What the networks shall run on: "auto", "cpu", "cuda" or "mps"."""
    chosen = settings()
    return chosen.device if chosen is not None else "auto"
