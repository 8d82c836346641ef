"""A user's session in a real Blender window: install, open the panel, press, cancel, finish, undo, lose the backend."""

from __future__ import annotations

import sys

import pytest
from makeittalk.networks.correction import CorrectionConfig, CorrectionNet
from makeittalk.networks.image_inference import save_image
from project import ASSETS, ROOT
from window_run import SHOTS, drive, inside

sys.path.insert(0, str(ROOT / "tools"))
import build_extension

pytestmark = [pytest.mark.gui, pytest.mark.timeout(450)]


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> dict:
    """What the driven session saw."""
    folder = tmp_path_factory.mktemp("gui")
    network = folder / "network.safetensors"
    save_image(network, CorrectionNet(CorrectionConfig(widths=(4, 4), blocks=0)), "correction", {})
    files = (inside(ASSETS / "portrait_cartoon.png"), inside(ASSETS / "speech.flac"), str(network))
    return drive("drive.py", folder, str(build_extension.build(folder)), *files)


def test_the_zip_installs_and_the_panel_opens(seen):
    assert seen["empty"]["characters"] == [] and not seen["empty"]["running"]
    assert (SHOTS / "1-panel-empty.png").stat().st_size > 10_000


def test_the_button_starts_and_progress_shows(seen):
    progress = seen["progress"]
    assert progress["running"] and progress["stage"] and 0 < progress["fraction"] <= 1


def test_escape_cancels_and_nothing_changes(seen):
    cancelled = seen["cancelled"]
    assert cancelled["characters"] == [] and not cancelled["is_error"]
    assert "Cancelled" in cancelled["message"]
    for same in ("objects", "range"):
        assert cancelled[same] == seen["empty"][same]


def test_the_next_run_makes_the_character(seen):
    done = seen["done"]
    assert done["characters"] == ["portrait_cartoon"] and not done["is_error"]
    assert done["range"][0] == 1 and done["range"][1] > 100


def test_making_is_one_undo_step(seen):
    assert seen["undone"]["characters"] == []
    for same in ("objects", "range"):
        assert seen["undone"][same] == seen["empty"][same]


def test_an_amount_acts_at_once(seen):
    before, after = seen["opening"]
    assert 0.2 * before < after < 0.9 * before
    assert seen["amount turned back"]


def test_smoothing_rebakes_as_one_undo_step(seen):
    assert seen["undone rebake"]


def test_a_killed_backend_is_said_and_survived(seen):
    killed = seen["killed"]
    assert killed["is_error"] and "stopped unexpectedly" in killed["message"] and "Restart" in killed["hint"]
    assert killed["characters"] == ["portrait_cartoon"]
    assert len(seen["recovered"]["characters"]) == 2 and not seen["recovered"]["is_error"]


def test_photoreal_frames_show_progress_and_keep_what_is_drawn(seen):
    progress, cancelled, done = (seen[name] for name in ("photoreal progress", "photoreal cancelled", "photoreal"))
    assert progress["running"] and progress["stage"].startswith("Frame ") and progress["stage"].endswith(" of 40")
    assert 0 < cancelled["frames"] < 40 and "kept" in cancelled["message"] and not cancelled["is_error"]
    assert cancelled["frame"] == 45
    assert done["kept"] and done["shown"] and not done["is_error"]
    assert done["frames"] == 41  # Blender shows the first before its time, too
    assert f"{40 - cancelled['frames']} of 40 frames" in done["message"]
