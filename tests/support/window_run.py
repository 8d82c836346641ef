"""Runs a script inside a real Blender window, in the system that `make test-gui` builds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from project import ROOT

GUI = ROOT / "tests" / "gui"
SHOTS = GUI / "shots"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "makeittalk" / "blender-trixie"
CHROOT = Path(os.environ.get("MAKEITTALK_GUI_BLENDER") or _CACHE)  # the system that holds Blender
_INSIDE = Path("/project")  # where blender_gui_run.sh shows the checkout


def _demand_window() -> None:
    """Skips the test, or fails it where a window is demanded, if there is no Blender with one."""
    if not (CHROOT / "usr" / "bin" / "blender").exists():
        reason = f"There is no Blender with a window in {CHROOT}: run `make test-gui`."
        if os.environ.get("MAKEITTALK_REQUIRE_GUI"):
            pytest.fail(reason)
        pytest.skip(reason)


def drive(
    script: str, folder: Path, *arguments: str, variables: dict[str, str] | None = None, shown: tuple[Path, ...] = ()
) -> dict:
    """Runs a script of tests/gui in a window and returns what it saw; its screenshots are left in `tests/gui/shots`.

    Args:
        script: the file's name. folder: a new one, for the user's data, and `shots/` for what the script writes.
        arguments: what stands behind `--`; the folder for screenshots comes last.
        variables: of the environment, beside the usual ones; by default the tests' own Python is the backend's.
        shown: further folders that the window sees.
    """
    _demand_window()
    shots = folder / "shots"
    shots.mkdir()
    passed = {"MAKEITTALK_PYTHON": f"{sys.prefix}/bin/python"} if variables is None else variables
    command = [
        *("bash", str(GUI / "blender_gui_run.sh"), str(CHROOT), str(ROOT)),
        *("blender", "--factory-startup", "--enable-event-simulate", "--window-geometry", "0", "0", "1280", "800"),
        *("--python", str(_INSIDE / "tests" / "gui" / script), "--", *arguments, str(shots)),
    ]
    environment = {
        **os.environ,
        "GUI": "1",
        "BIND": " ".join([_host_python(), sys.prefix, str(folder), *map(str, shown)]),
        "PASS": " ".join(f"{name}={value}" for name, value in passed.items()),
        "BLENDER_USER_RESOURCES": str(folder / "user"),
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=400)
    SHOTS.mkdir(exist_ok=True)
    for picture in shots.glob("*.png"):
        shutil.copy(picture, SHOTS)
    result = shots / "result.json"
    assert result.is_file(), done.stdout[-3000:] + done.stderr[-3000:]
    found = json.loads(result.read_text())
    assert "error" not in found, found["error"]
    assert found["end"] == "reached"
    return found


def inside(path: Path) -> str:
    """Where the window sees a file of the checkout."""
    return str(_INSIDE / path.relative_to(ROOT))


def _host_python() -> str:
    """The folders and files without which this Python does not run inside."""
    if Path(sys.base_prefix) != Path("/usr"):
        return sys.base_prefix
    # Debian's own: all of /usr would hide the system that holds Blender.
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return f"/usr/bin/{version} /usr/lib/{version}"
