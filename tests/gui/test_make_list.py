"""Make from List in a real Blender window: chosen in the file browser, an undo step a character, stopped by Esc."""

from __future__ import annotations

import shutil
import sys

import pytest
import soundfile
from project import ASSETS, ROOT
from window_run import drive

sys.path.insert(0, str(ROOT / "tools"))
import build_extension

pytestmark = [pytest.mark.gui, pytest.mark.timeout(450)]


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> dict:
    """What the driven session saw."""
    folder = tmp_path_factory.mktemp("gui")
    shutil.copy(ASSETS / "portrait_cartoon.png", folder / "ada.png")
    shutil.copy(ASSETS / "portrait_cartoon.png", folder / "eve.png")
    samples, rate = soundfile.read(ASSETS / "speech.flac")
    soundfile.write(folder / "speech.wav", samples[:rate], rate)
    lines = ("portrait,audio,style", *(f"{name}.png,speech.wav,cartoon" for name in ("ada", "gone", "eve", "ada")))
    (folder / "list.csv").write_text("\n".join(lines))
    return drive("make_list.py", folder, str(build_extension.build(folder)), str(folder / "list.csv"))


def test_every_good_line_becomes_a_character_beside_the_users_work(seen):
    assert seen["stage"].startswith(("1 of 3: ", "2 of 3: "))
    assert seen["made"] == ["ada", "ada.001", "eve"]
    assert "3 characters made of list.csv" in seen["message"] and "Line 3: " in seen["message"]


def test_each_is_an_undo_step(seen):
    assert [seen[f"{step} back"] for step in ("one", "two", "three")] == [["ada", "eve"], ["ada"], []]


def test_escape_stops_and_leaves_what_is_made(seen):
    assert "1 character of list.csv" in seen["said"]
    assert seen["stopped"] == ["ada"] and seen["stopped, one back"] == []
