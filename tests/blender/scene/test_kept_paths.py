"""What a .blend tells of the machine that it was made on: no folder of anybody's."""

from __future__ import annotations

import shutil
from pathlib import Path

import bpy
import pytest
from extension import part
from sounding import SOUND

SECRET = b"jane-secret"


@pytest.fixture
def project(job, tmp_path) -> Path:
    """A folder below somebody's home, with a job's files in it."""
    folder = tmp_path / "users" / SECRET.decode() / "film"
    shutil.copytree(job, folder)
    return folder


def made_of(make_character, project: Path):
    """A character of the project's files, and settings of the scene that name them."""
    portrait, speech = str(project / "portrait.png"), str(project / "speech.wav")
    scene = bpy.context.scene.makeittalk
    scene.portrait, scene.speech, scene.voice = portrait, speech, speech
    files = {name: project / f"{name}.npz" for name in ("mesh", "motion", "bake")}
    kept = {"portrait": portrait, "speech": speech, "voice": speech}
    return make_character(face=project / "face.json", **files, audio=project / "speech.wav", settings=kept)


def test_a_blend_beside_its_files_names_no_folder(make, project, tmp_path):
    file = project / "x.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(file), compress=False)
    character = made_of(make, project)
    character.makeittalk.photo_folder = str(project / "frames")
    part("addon.jobs.landmarks").edit_character(bpy.context, character)
    bpy.ops.wm.save_as_mainfile(filepath=str(file), compress=False)
    data = file.read_bytes()
    assert b"speech.wav" in data and b"portrait.png" in data
    # A Blender without sound has a scene without strips; where there are, their folder is "//".
    assert data.count(SECRET) == 0, data[max(0, data.find(SECRET) - 200) : data.find(SECRET) + 200]
    settings, scene = character.makeittalk, bpy.context.scene.makeittalk
    assert (settings.portrait, settings.speech, settings.voice) == ("//portrait.png", "//speech.wav", "//speech.wav")
    assert settings.photo_folder == "//frames"
    assert (scene.portrait, scene.speech) == ("//portrait.png", "//speech.wav")
    # Both move together.
    moved = tmp_path / "moved"
    shutil.copytree(project, moved)
    shutil.rmtree(project)
    bpy.ops.wm.open_mainfile(filepath=str(moved / "x.blend"))
    found = part("addon.scene.character").active(bpy.context)
    assert Path(bpy.path.abspath(found.makeittalk.portrait)).is_file()
    assert part("addon.operators.reasons").source_reason(found) == ""
    if SOUND:
        strip = part("addon.scene.speech").strip_of(bpy.context.scene, found.makeittalk.current)
        assert strip.sound.filepath == "//speech.wav"


def test_the_first_save_tells_every_path_of_ours_from_the_blend(make, project):
    character = made_of(make, project)
    bpy.ops.wm.save_as_mainfile(filepath=str(project / "x.blend"))
    assert character.makeittalk.portrait == "//portrait.png"
    image = part("addon.scene.textures").portrait_of(character)
    assert image.filepath.startswith("//") and image.packed_files[0].filepath.startswith("//")


def test_saved_elsewhere_paths_lead_to_the_same_files(make, project, tmp_path):
    character = made_of(make, project)
    bpy.ops.wm.save_as_mainfile(filepath=str(project / "x.blend"))
    other = tmp_path / "elsewhere"
    other.mkdir()
    copy = other / "copy.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True)
    assert character.makeittalk.portrait == "//portrait.png"  # the open file is where it was
    bpy.ops.wm.save_as_mainfile(filepath=str(other / "y.blend"))
    assert Path(bpy.path.abspath(character.makeittalk.portrait)).samefile(project / "portrait.png")
    bpy.ops.wm.open_mainfile(filepath=str(copy))
    found = part("addon.scene.character").active(bpy.context)
    assert Path(bpy.path.abspath(found.makeittalk.portrait)).samefile(project / "portrait.png")


def test_saving_chooses_no_folder_and_no_other_recording(make, project, monkeypatch, tmp_path):
    monkeypatch.setenv("MAKEITTALK_HOME", str(tmp_path / "home"))
    character = made_of(make, project)
    part("addon.compat").store(character.makeittalk, "photo_folder", str(tmp_path / "theirs"))
    scene = bpy.context.scene.makeittalk
    scene.strip = "a strip"
    bpy.ops.wm.save_as_mainfile(filepath=str(project / "x.blend"))
    assert character.makeittalk.photo_folder.startswith("//..") and scene.strip == "a strip"
    assert not part("addon.core.chosen_folders").is_chosen(tmp_path / "theirs")
