"""The animator's own layer in a real Blender window: gestures, curves, the list of edits, gaze."""

from __future__ import annotations

import sys

import pytest
from project import ASSETS, ROOT
from window_run import SHOTS, drive, inside

sys.path.insert(0, str(ROOT / "tools"))
import build_extension

pytestmark = [pytest.mark.gui, pytest.mark.timeout(450)]


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("edits")
    return drive("edits.py", folder, str(build_extension.build(folder)), inside(ASSETS))


def test_gestures_are_keys_of_ones_own(seen):
    assert seen["nod"] == seen["smile"] == ["FINISHED"]
    assert seen["amount leaves the edits"] and seen["moved"] > 0.2


def test_curves_come_into_a_graph_editor(seen):
    assert seen["head curves"] == seen["generated"] == ["FINISHED"]
    assert seen["mode"] == "POSE" and seen["graph editors"] == 1
    assert (SHOTS / "edits-1-head-curves.png").stat().st_size > 10_000


def test_drawing_what_is_generated_leaves_nothing_behind(seen):
    name, count = seen["own action"]
    assert name.endswith("Edits") and count >= 2 and seen["ghosts left"] == []


def test_the_list_tells_of_every_edit(seen):
    assert len(seen["edits"]) >= 2
    assert any(label.startswith("Head") for label in seen["edits"])


def test_the_irises_follow_their_target(seen):
    assert seen["target"] and seen["looks aside"] > 0.2
