"""Report a Problem: the file that is written."""

from __future__ import annotations

import os
from pathlib import Path

import bpy
import pytest
from extension import part
from project import ASSETS, ROOT


@pytest.fixture
def written(scene, make, tmp_path, monkeypatch):
    """The text of a report about a scene with a character, a log that tells too much, and private names."""
    log = tmp_path / "logs" / "backend.log"
    log.parent.mkdir()
    log.write_text(
        f'File "{ROOT}/backend/makeittalk/jobs/server.py", line 7\n'
        f"{tmp_path}/Acme teaser/Nora final.png cannot be read\nNora final.png is no face\n"
    )
    (log.parent / "install.log").write_text("Installing torch 2.13.0\n")
    monkeypatch.setattr(part("addon.jobs.connection"), "log_path", lambda: log)
    monkeypatch.setenv("MAKEITTALK_PYTHON", f"{tmp_path}/Acme env/bin/python3.11")
    settings = bpy.context.scene.makeittalk
    settings.portrait, settings.speech = f"{tmp_path}/Acme teaser/Nora final.png", str(ASSETS / "speech.flac")
    settings.lip = 1.25
    make(name="Nora").makeittalk.speech = f"{tmp_path}/Nora take 3.wav"
    bpy.context.window_manager.makeittalk.say("Nora final.png does not exist.", "", error=True)
    path = tmp_path / "report.txt"
    assert bpy.ops.makeittalk.report_problem(filepath=str(path)) == {"FINISHED"}
    assert sorted(item.name for item in tmp_path.iterdir() if item.is_file()) == ["report.txt"]
    return path.read_text(encoding="utf-8")


def test_it_tells_of_the_program(written):
    version = part("backend.makeittalk.exchange.version").VERSION
    for line in (f"MakeItTalk: {version}", f"Blender: {bpy.app.version_string}", "lip: 1.25", "frames: 60"):
        assert line in written
    assert "MAKEITTALK_PYTHON: <path>/python3.11" in written
    assert "Installing torch 2.13.0" in written and "Log backend.log" in written
    assert '"<add-on>/backend/makeittalk/jobs/server.py", line 7' in written
    assert "motion_data: set" in written


def test_it_tells_nothing_of_the_user(written, tmp_path):
    home = Path.home()
    secrets = ["Acme", "Nora", "take 3", str(tmp_path), tmp_path.name, str(ROOT), f"{home}/"]
    assert [secret for secret in secrets if secret in written] == []
    assert not [line for line in written.splitlines() if os.sep + home.name + os.sep in line]


def test_a_folder_that_is_missing_is_said(scene, tmp_path):
    with pytest.raises(RuntimeError, match="none"):
        bpy.ops.makeittalk.report_problem(filepath=str(tmp_path / "none" / "report.txt"))
