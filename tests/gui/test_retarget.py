"""A performance on somebody else's head in a real Blender window: baked, undone, driven, taken off."""

from __future__ import annotations

import sys

import pytest
from project import ROOT
from window_run import SHOTS, drive, inside

sys.path.insert(0, str(ROOT / "tools"))
import build_extension

pytestmark = [pytest.mark.gui, pytest.mark.timeout(450)]


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("retarget")
    folders = inside(ROOT / "tests" / "support"), inside(ROOT / "backend")
    return drive("retarget.py", folder, str(build_extension.build(folder)), *folders)


def test_a_chosen_head_is_matched(seen):
    assert seen["matched"] > 30 and seen["head"] == ["Egg Rig", "head"]


def test_it_is_baked_in_one_step(seen):
    assert seen["bake_retarget"] == ["FINISHED"] and "performance is on Egg" in seen["bake_retarget told"]
    assert max(seen["baked"]) > 0.4 and min(seen["baked"]) < 0.1
    assert seen["undone"] and seen["redone"]
    assert (SHOTS / "retarget-1-baked.png").stat().st_size > 10_000


def test_a_drive_follows_an_edit(seen):
    before, after = seen["followed"]
    assert after > before + 0.5


def test_it_comes_off(seen):
    assert seen["remove_retarget"] == ["FINISHED"] and seen["gone"]
