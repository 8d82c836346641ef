"""The original checkpoints, imported in a real Blender window: the file browser, how far it is, Esc, the menus."""

from __future__ import annotations

import shutil
import sys

import pytest
import released_clone
from makeittalk.weights.released_layout import released_layout
from project import ROOT
from window_run import SHOTS, drive

sys.path.insert(0, str(ROOT / "tools"))
import build_extension

pytestmark = [pytest.mark.gui, pytest.mark.timeout(450)]


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("weights")
    clone, home = folder / "MakeItTalk", folder / "home"
    released_clone.write_clone(clone, released_layout(), optimizer=False)
    variables = {"MAKEITTALK_PYTHON": f"{sys.prefix}/bin/python", "MAKEITTALK_HOME": str(home)}
    archive = str(build_extension.build(folder))
    try:
        return drive("weights.py", folder, archive, str(clone), variables=variables)
    finally:
        for large in (clone, home):
            shutil.rmtree(large, ignore_errors=True)


def test_esc_leaves_no_set(seen):
    assert seen["cancelled"] == ["Cancelled. The sets of weights are as they were.", ["Shipped"]]


def test_it_runs_beside_the_user_s_work_and_ends_in_the_menus(seen):
    message, labels = seen["imported"]
    assert "The set released is imported" in message and "not for commerce" in message
    assert labels == ["Shipped", "Released"]
    assert seen["steps"] > 5 and {"Converting", "Verifying"} <= set(seen["stages"])
    assert seen["chosen"] == seen["preferred"] == "released"
    assert (SHOTS / "weights-3-panel.png").stat().st_size > 10_000
