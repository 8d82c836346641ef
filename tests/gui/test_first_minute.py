"""The first minute in a real Blender window: dropped files, the example, a scene with work in it."""

from __future__ import annotations

import sys

import pytest
from project import ASSETS, ROOT
from window_run import CHROOT, drive, inside

sys.path.insert(0, str(ROOT / "tools"))
import build_extension

__all__ = ["CHROOT"]  # for conftest.py, which says which Blender was driven
pytestmark = [pytest.mark.gui, pytest.mark.timeout(450)]


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("first")
    return drive("first_minute.py", folder, str(build_extension.build(folder)), inside(ASSETS))


def test_dropped_files_fill_the_fields_and_open_the_tab(seen):
    assert seen["sidebar"] == [True, "MakeItTalk"]
    assert (seen["dropped"]["portrait"], seen["dropped"]["speech"]) == ("portrait_cartoon.png", "speech.flac")
    assert seen["dropped"]["message"] == "portrait_cartoon.png is the portrait now."
    assert seen["undone"] == {"portrait": "", "speech": "speech.flac"}


def test_the_example_can_be_cancelled_and_leaves_nothing(seen):
    cancelled = seen["cancelled"]
    assert (cancelled["characters"], cancelled["portrait"], cancelled["speech"]) == (0, "", "")
    assert "Cancelled" in cancelled["message"]


def test_one_press_gives_a_character_that_plays(seen):
    assert seen["example"]["characters"] == 1 and seen["example"]["portrait"] == "portrait_cartoon.png"
    assert seen["playing"] and seen["moved"] > 0
    assert seen["example undone"] == {"portrait": "", "speech": ""}


def test_in_a_scene_with_work_it_stands_beside_and_is_seen(seen):
    worked = seen["worked"]
    assert worked["place"] == pytest.approx([1.4, 0, 0, 0, 0, 0], abs=1e-5)  # a cube of 1.6 is in the middle
    assert worked["looks at"][0] == pytest.approx(1.4, abs=0.05)
    assert worked["same camera"]


def test_solid_shading_changes_when_it_is_asked_for(seen):
    assert (seen["worked"]["colour"], seen["worked"]["colour then"]) == ("MATERIAL", "TEXTURE")
