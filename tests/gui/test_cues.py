"""Words and phones in a real Blender window: markers, undo, cancel, and the file browser of Export Visemes."""

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
    folder = tmp_path_factory.mktemp("cues")
    return drive("cues.py", folder, str(build_extension.build(folder)), inside(ASSETS))


def test_words_are_marked_beside_the_user_s_work(seen):
    assert seen["mark words"] == ["RUNNING_MODAL"]
    assert seen["words"][:4] == ["And", "Mister", "John", "Dashwood"] and len(seen["words"]) > 20
    assert (SHOTS / "cues-1-words.png").stat().st_size > 10_000


def test_marking_is_one_step_of_undo(seen):
    assert seen["undone"] == [] and seen["redone"] == seen["words"]


def test_escape_leaves_the_markers_as_they_were(seen):
    message, count = seen["cancelled"]
    assert "Cancelled" in message and count == len(seen["words"])


def test_shapes_are_exported_through_the_file_browser(seen):
    assert seen["browser"] == ["RUNNING_MODAL"] and seen["beside the user's work"]
    assert seen["told"].startswith("shapes.tsv is written") and seen["file"].startswith("0.00\tX\n")
