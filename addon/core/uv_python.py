"""Fetches a Python with uv, where a machine has none that fits. No bpy here.

uv is a wheel like any other: some Python of any version that has pip gets it, locked by its hash. The Pythons that it
fetches are those of the project python-build-standalone; uv knows their hashes.
"""

from __future__ import annotations

import os
from pathlib import Path

from . import installation, pythons
from .errors import AddonError
from .installation import Installation
from .pip_run import PipRun
from .quiet import clean_environment

_WANTED = "3.12"


def fetch_python(run: PipRun, own: Path | None, place: Installation, locks_folder: Path) -> pythons.Interpreter:
    """Fetches a Python into the product's data folder, or takes the one that was fetched before.

    Args:
        run: runs the programs and can be cancelled. own: Blender's own Python. place: where things lie.
        locks_folder: holds `uv.txt`.

    Raises:
        AddonError: there is nothing to fetch it with, or it could not be had.
    """
    home = place.root / "python"
    found = _fetched(home)
    if found is not None:
        return found
    helper = place.root / "cache" / "uv"
    uv = installation.interpreter(helper).with_name("uv.exe" if os.name == "nt" else "uv")
    if not uv.is_file():
        _install_uv(run, own, helper, locks_folder)
    variables = clean_environment() | {"UV_CACHE_DIR": str(place.root / "cache" / "uv-cache"), "NO_COLOR": "1"}
    lines, status = run.watch(
        [str(uv), "python", "install", _WANTED, "--install-dir", str(home), "--no-bin", "--no-config"], variables
    )
    found = _fetched(home)
    if status or found is None:
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
        if found is not None and found.fits and found.makes_environments:
            return found
    return None


def _install_uv(run: PipRun, own: Path | None, helper: Path, locks_folder: Path) -> None:
    """Puts uv into an environment of any Python that can make one.

    Raises:
        AddonError: there is no such Python, or pip could not get uv.
    """
    for path in pythons.candidates(own):
        found = pythons.examine(path)
        if found is None or not found.makes_environments:
            continue
        lines, status = run.watch([str(path), "-I", "-m", "venv", "--clear", str(helper)], clean_environment())
        if status:
            continue
        command = [str(installation.interpreter(helper)), "-I", "-m", "pip", "install", "--no-input", "--quiet"]
        command += ["--disable-pip-version-check", "--no-deps", "--require-hashes", "-r", str(locks_folder / "uv.txt")]
        lines, status = run.watch(command, clean_environment())
        if status:
            said = next((line for line in reversed(lines) if line.strip()), "no word").strip()
            raise AddonError(
                f"No Python 3.11, 3.12 or 3.13 was found, and uv could not be had: {said[:160]}.",
                "Install one from python.org or your system's packages.",
            )
        return
    raise AddonError(
        "No Python 3.11, 3.12 or 3.13 was found.", "Install one from python.org or your system's packages."
    )
