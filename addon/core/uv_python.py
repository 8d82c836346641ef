"""Fetches a Python with uv, where a machine has none that fits. No bpy here.

The Pythons are those of the project python-build-standalone; uv knows where they are and what their hashes are.
"""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import IO

from . import pythons
from .errors import AddonError
from .installation import Installation
from .pip_run import watch
from .pip_wheel import Tools

_WANTED = "3.12"


def fetch_python(
    tools: Tools, place: Installation, variables: dict[str, str], log: IO[str], cancelled: threading.Event
) -> pythons.Interpreter:
    """Fetches a Python into the product's data folder, or takes the one that was fetched before.

    Args:
        tools: gets uv. place: where things lie. variables: of uv. log, cancelled: see `pip_run.watch`.

    Raises:
        AddonError: it could not be had.
    """
    home = place.root / "python"
    found = _fetched(home)
    if found is not None:
        return found
    command = [str(tools.uv()), "python", "install", _WANTED, "--install-dir", str(home), "--no-bin", "--no-config"]
    variables = variables | {"UV_CACHE_DIR": str(place.cache / "uv"), "NO_COLOR": "1"}
    lines, status = watch(command, variables, log, cancelled)
    found = _fetched(home)
    if status or found is None:
        shutil.rmtree(home, ignore_errors=True)
        said = next((line for line in reversed(lines) if line.strip()), "no word").strip()
        raise AddonError(
            f"No Python 3.11, 3.12 or 3.13 was found, and none could be fetched: {said[:160]}.",
            "Install one from python.org or your system's packages.",
        )
    return found


def _fetched(home: Path) -> pythons.Interpreter | None:
    pattern = "cpython-*/python.exe" if os.name == "nt" else "cpython-*/bin/python3.1?"
    for path in sorted(home.glob(pattern)):
        found = pythons.examine(path)
        if found is not None and found.fits:
            return found
    return None
