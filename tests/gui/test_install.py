"""From the zip to a talking character in a real Blender window, from a folder of wheels, in at most five clicks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from project import BACKEND, ROOT
from window_run import drive

sys.path.insert(0, str(ROOT / "tools"))
import build_extension

pytestmark = [pytest.mark.gui, pytest.mark.timeout(900)]
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> Path:
    """What `makeittalk-wheels` fills for this Python."""
    folder = tmp_path_factory.mktemp("offline") / "wheels"
    done = subprocess.run([sys.executable, str(BACKEND / "wheels.py"), str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory, wheels):
    """A session of the user's; the home folder is the machine's and survives it."""
    made = tmp_path_factory.mktemp("made")
    archive = build_extension.build(made)

    def session(home: Path, manner: str) -> dict:
        folder = tmp_path_factory.mktemp(manner)
        variables = {"MAKEITTALK_HOME": str(home), "PATH": f"{sys.base_prefix}/bin:{PATH}"}
        arguments = (str(archive), str(wheels), manner)
        return drive("install.py", folder, *arguments, variables=variables, shown=(home, made, wheels))

    return session


def check(seen: dict, home: Path) -> None:
    assert "not installed yet" in seen["before"]
    assert seen["proposed"] in ("cpu", "cu130", "cu126", "rocm7.2")
    assert "installed" in seen["installed"]["message"] and not seen["installed"]["is_error"]
    assert seen["clicks"] <= 5
    assert seen["made"]["characters"] == ["portrait_cartoon"]
    assert seen["playing"] and seen["moved"] > 0
    assert seen["backend"].startswith(str(home))
    assert not seen["tested"]["is_error"] and "torch" in seen["tested"]["message"]
    fractions = [fraction for fraction, _stage, _seconds in seen["stages"]]
    assert fractions == sorted(fractions) and len(fractions) > 8


def test_from_the_zip_to_a_character_that_plays(run, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    check(run(home, "whole"), home)


def test_the_same_after_a_kill_in_the_middle(run, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    with pytest.raises(AssertionError):  # there is no result: it was killed
        run(home, "killed")
    assert list(home.glob("new-*")) and not list(home.glob("env-*"))
    check(run(home, "whole"), home)
    assert not list(home.glob("new-*")) and not (home / "cache").exists()
