"""A user's session in a real Blender window: install, open the panel, press, cancel, finish, undo, lose the backend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from makeittalk.networks.correction import CorrectionConfig, CorrectionNet
from makeittalk.networks.image_inference import save_image

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
sys.path.insert(0, str(ROOT / "tools"))
import build_extension  # noqa: E402  (its folder has to be on the path first)

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "makeittalk" / "blender-trixie"
CHROOT = Path(os.environ.get("MAKEITTALK_GUI_BLENDER") or CACHE)
SHOTS = HERE / "shots"

pytestmark = [pytest.mark.gui, pytest.mark.timeout(450)]


def host_python() -> str:
    """The folders and files without which `.venv/bin/python` does not run inside."""
    if Path(sys.base_prefix) != Path("/usr"):
        return sys.base_prefix
    # Debian's own: all of /usr would hide the system that holds Blender.
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return f"/usr/bin/{version} /usr/lib/{version}"


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> dict:
    """What the driven session saw; screenshots are left in `tests/gui/shots`."""
    if not (CHROOT / "usr" / "bin" / "blender").exists():
        reason = f"There is no Blender with a window in {CHROOT}: run `make test-gui`."
        if os.environ.get("MAKEITTALK_REQUIRE_GUI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("gui")
    archive = build_extension.build(folder)
    assets = ROOT / "backend" / "makeittalk" / "assets"
    SHOTS.mkdir(exist_ok=True)
    for old in SHOTS.iterdir():
        old.unlink()
    inside = Path("/project")  # where blender_gui_run.sh shows the checkout
    network = folder / "network.safetensors"
    save_image(network, CorrectionNet(CorrectionConfig(widths=(4, 4), blocks=0)), "correction", {})
    arguments = [
        str(archive),
        *(str(inside / (assets / name).relative_to(ROOT)) for name in ("portrait_cartoon.png", "speech.flac")),
        str(network),
        str(inside / SHOTS.relative_to(ROOT)),
    ]
    command = [
        *("bash", str(HERE / "blender_gui_run.sh"), str(CHROOT), str(ROOT)),
        *("blender", "--factory-startup", "--enable-event-simulate", "--window-geometry", "0", "0", "1280", "800"),
        *("--python", str(inside / Path(__file__).with_name("drive.py").relative_to(ROOT)), "--", *arguments),
    ]
    environment = {
        **os.environ,
        "GUI": "1",
        "BIND": f"{host_python()} {folder}",
        "PASS": f"MAKEITTALK_PYTHON={inside / '.venv' / 'bin' / 'python'}",
        "BLENDER_USER_RESOURCES": str(folder / "user"),
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=400)
    result = SHOTS / "result.json"
    assert result.is_file(), done.stdout[-3000:] + done.stderr[-3000:]
    found = json.loads(result.read_text())
    assert "error" not in found, found["error"]
    assert found["end"] == "reached"
    return found


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


def test_an_amount_rebakes_as_one_undo_step(seen):
    before, after = seen["opening"]
    assert 0.2 * before < after < 0.9 * before
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
