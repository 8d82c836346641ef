"""Results of a run as a file, for the README's table of Blender versions (`tools/blender_table.py`)."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def write_results(config, name: str) -> None:
    """Lets pytest write NAME.xml into the folder that MAKEITTALK_RESULTS names; nothing without one."""
    folder = os.environ.get("MAKEITTALK_RESULTS")
    if folder and not config.option.xmlpath:
        config.option.xmlpath = str(Path(folder).absolute() / f"{name}.xml")


def system(release: Path | None = None) -> str:
    """The system in words: its name and its processor's kind.

    Args:
        release: the os-release file of another system than this one.
    """
    machine = platform.machine()
    if release is None and platform.system() != "Linux":
        return f"{platform.system()} {platform.release()}, {machine}"
    lines = (release or Path("/etc/os-release")).read_text(encoding="utf-8").splitlines()
    names = [line.partition("=")[2].strip('"') for line in lines if line.startswith("PRETTY_NAME=")]
    return f"{names[0] if names else 'Linux'}, {machine}"
