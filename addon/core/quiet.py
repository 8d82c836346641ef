"""How the add-on starts other programs: no window, and nothing of Blender's own Python leaks into them. No bpy here."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from typing import Any

#: For `subprocess`: no console window flashes up on Windows.
QUIET: dict[str, Any] = {"creationflags": getattr(subprocess, "CREATE_NO_WINDOW", 0)}
_PRIVATE = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")


def clean_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables (this process's where none are given) without those that bend another Python."""
    return {name: value for name, value in (environment or os.environ).items() if name not in _PRIVATE}
