"""The product's folder in the user's application data, and the weight sets in it. Standard library only.

makeittalk/weights/NAME/              an imported set of weights; its files, and their list:
makeittalk/weights/NAME/SHA256SUMS    without it there is no set
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from .errors import InputError

SUMS = "SHA256SUMS"
RELEASED = "released"  # how the original checkpoints are called once they are imported
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_DEVICES = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]")  # which Windows keeps for itself


def data_folder() -> Path:
    """The product's folder in the user's application data; MAKEITTALK_HOME names another."""
    named = os.environ.get("MAKEITTALK_HOME")
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Application Support")
    else:
        base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "makeittalk"


def weights_folder() -> Path:
    """The folder of the imported sets of weights, a folder a set."""
    return data_folder() / "weights"


def is_set_name(name: str) -> bool:
    """Whether a set of weights may be called so: a folder's name on every system, which leads nowhere else."""
    return bool(_NAME.fullmatch(name)) and not _DEVICES.fullmatch(name)


def check_set_name(name: str) -> None:
    """Sees to it that a set of weights may be called so.

    Raises:
        InputError: it may not.
    """
    if not is_set_name(name):
        raise InputError(
            f"A set of weights cannot be called {name[:60]!r}.",
            "Use up to 40 small letters, digits, - and _, such as released.",
        )


def imported_names() -> list[str]:
    """What the imported sets of weights are called, in the order of the alphabet; empty where there are none."""
    try:
        found = [entry.name for entry in os.scandir(weights_folder()) if is_set_name(entry.name) and entry.is_dir()]
    except OSError:
        return []
    return sorted(name for name in found if (weights_folder() / name / SUMS).is_file())
