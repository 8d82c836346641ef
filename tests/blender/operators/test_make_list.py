"""Make from List, with the real backend: a character a line, bad lines told, cancelled in between."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import bpy
import numpy as np
import pytest
from extension import part
from project import ASSETS, BACKEND


@pytest.fixture
def folder(tmp_path):
    """Two pictures and the embedded recording."""
    shutil.copy(ASSETS / "portrait_cartoon.png", tmp_path / "ada.png")
    shutil.copy(ASSETS / "portrait_photo.jpg", tmp_path / "eve.jpg")
    shutil.copy(ASSETS / "speech.flac", tmp_path)
    return tmp_path


def write(folder, *lines: str, columns: str = "portrait,audio,seed,lip,style,output,weights") -> str:
    path = folder / "list.csv"
    path.write_text("\n".join([columns, *lines]))
    return str(path)


def characters():
    return part("addon.scene.character").characters(bpy.context.scene)


def test_a_character_a_line_and_bad_lines_are_told(scene, backend, folder):
    path = write(
        folder,
        "ada.png,speech.flac,7,1.5,cartoon,never.mp4,",
        "gone.png,speech.flac,,,,,",
        "eve.jpg,speech.flac,,,,,",
        "ada.png,speech.flac,x,,,,",
        "ada.png,speech.flac,,,,,content_autovc",
        "speech.flac,speech.flac,,,,,",
    )
    assert bpy.ops.makeittalk.make_from_list(filepath=path) == {"FINISHED"}
    ada, eve = sorted(characters(), key=lambda found: found.name)
    assert (ada.name, eve.name) == ("ada", "eve")
    assert (ada.makeittalk.seed, ada.makeittalk.lip, ada.makeittalk.style) == (7, 1.5, "cartoon")
    assert (eve.makeittalk.seed, eve.makeittalk.lip, eve.makeittalk.style) == (0, 1.0, "photo")
    assert eve.makeittalk.portrait == str(folder / "eve.jpg") and not (folder / "never.mp4").exists()
    session = bpy.context.window_manager.makeittalk
    assert session.message.startswith("2 characters made of list.csv. Line 3: ") and not session.running
    for line, words in {3: "gone.png", 5: "a seed is", 6: "weights", 7: "speech.flac"}.items():
        assert words in session.message.partition(f"Line {line}: ")[2].partition("Line")[0], session.message
    assert scene.makeittalk.portrait == ""  # the panel's own fields are the user's


def test_a_line_can_name_an_imported_set(scene, folder, monkeypatch):
    monkeypatch.setenv("MAKEITTALK_HOME", str(folder / "home"))
    shots = part("backend.makeittalk.exchange.formats.shots")
    (shot,) = shots.read_shots(Path(write(folder, "ada.png,speech.flac,,,,,mine")), with_outputs=False).shots
    recipes = part("addon.jobs.recipe")
    with pytest.raises(part("addon.core.errors").AddonError, match="no imported set"):
        recipes.of_shot(scene, shot)
    (folder / "home" / "weights" / "mine").mkdir(parents=True)
    (folder / "home" / "weights" / "mine" / "SHA256SUMS").touch()
    made = recipes.of_shot(scene, shot)
    assert made.request.weights == made.remembered["weights_set"] == "mine"


def test_the_result_is_that_of_the_button(scene, backend, folder):
    assert bpy.ops.makeittalk.make_from_list(filepath=write(folder, "ada.png,speech.flac,3,,,,")) == {"FINISHED"}
    (listed,) = characters()
    settings = scene.makeittalk
    settings.portrait, settings.speech, settings.seed = str(folder / "ada.png"), str(folder / "speech.flac"), 3
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    pressed = next(found for found in characters() if found != listed)
    kept = part("addon.scene.character").kept_files
    one, other = (dict(np.load(kept(made)[0])) for made in (listed, pressed))
    assert all(np.array_equal(one[name], other[name]) for name in one)
    names = ("frames", "seed", "style", "lip", "head", "blink", "gaze", "smooth")
    assert [getattr(listed.makeittalk, name) for name in names] == [getattr(pressed.makeittalk, name) for name in names]


def test_landmarks_of_a_line_are_taken(scene, backend, backend_python, folder):
    command = [backend_python, "-m", "makeittalk", "detect", str(folder / "ada.png"), "-o", str(folder / "found.json")]
    subprocess.run(command, check=True, env=dict(os.environ, PYTHONPATH=str(BACKEND)), capture_output=True)
    value = json.loads((folder / "found.json").read_text())
    value["landmarks"] = [[x + 4.0, y, z] for x, y, z in value["landmarks"]]
    (folder / "moved.json").write_text(json.dumps(value))
    path = write(folder, "moved.json,speech.flac,,,,,")
    assert bpy.ops.makeittalk.make_from_list(filepath=path) == {"FINISHED"}
    (made,) = characters()
    assert made.name == "found" and made.makeittalk.placed
    kept = np.load(part("addon.scene.character").kept_files(made)[0])
    assert kept["neutral"] == pytest.approx(np.array(value["landmarks"]), abs=1e-2)


def test_nothing_but_bad_lines_is_an_error_and_changes_nothing(scene, backend, folder):
    before = len(bpy.data.objects)
    with pytest.raises(RuntimeError, match=r"made no character.*[lL]ine 2.*does not exist"):
        bpy.ops.makeittalk.make_from_list(filepath=write(folder, "gone.png,speech.flac,,,,,"))
    with pytest.raises(RuntimeError, match="lipp"):
        bpy.ops.makeittalk.make_from_list(filepath=write(folder, "x,y,1", columns="portrait,audio,lipp"))
    with pytest.raises(RuntimeError, match="does not exist"):
        bpy.ops.makeittalk.make_from_list(filepath=str(folder / "no.csv"))
    assert len(bpy.data.objects) == before and not bpy.context.window_manager.makeittalk.running


def test_cancelled_the_characters_that_are_made_stay(scene, backend, folder):
    path = write(folder, *["ada.png,speech.flac,,,cartoon,,"] * 3)
    job = part("addon.jobs.make_list").ListJob(bpy.context, Path(path))
    try:
        while not job.poll():
            if len(characters()) == 1:
                job.cancel()
    finally:
        job.close()
    assert job.cancelled and len(characters()) == 1
    assert "1 character of list.csv" in job.when_cancelled
    assert part("addon.jobs.long_job").current_job() is None
    assert bpy.ops.makeittalk.make_from_list(filepath=write(folder, "ada.png,speech.flac,,,,,")) == {"FINISHED"}
