"""Where a .blend of somebody else lets frames and sounds be written: nowhere but beside it, until the user says so."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest
from extension import part


@pytest.fixture
def character(make, tmp_path, monkeypatch):
    """A character of a .blend that was saved in a folder of its own."""
    monkeypatch.setenv("MAKEITTALK_HOME", str(tmp_path / "user"))
    monkeypatch.setattr(part("addon.core.chosen_folders"), "_session", [])
    made = make()
    (tmp_path / "film").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "film" / "x.blend"))
    return made


def foreign(character, folder: str) -> None:
    """Has the file say so, as one that is opened does."""
    part("addon.compat").store(character.makeittalk, "photo_folder", folder)


def folder_of(character) -> Path:
    return part("addon.jobs.photoreal").output_folder(character)[0]


def refused(character) -> str:
    with pytest.raises(part("addon.core.errors").AddonError) as error:
        folder_of(character)
    return str(error.value)


@pytest.mark.parametrize("named", ["{}/elsewhere", "//../elsewhere", "{}/film/../elsewhere"])
def test_a_folder_elsewhere_is_shown_and_asked_for(character, tmp_path, named):
    foreign(character, named.format(tmp_path))
    sentence = refused(character)
    assert str(tmp_path / "elsewhere") in sentence and "Write There" in sentence
    assert not (tmp_path / "elsewhere").exists()
    assert bpy.ops.makeittalk.allow_folder() == {"FINISHED"}
    assert folder_of(character).resolve() == tmp_path / "elsewhere"
    assert not bpy.ops.makeittalk.allow_folder.poll()
    part("addon.core.chosen_folders")._session.clear()  # Blender is started again
    assert folder_of(character).resolve() == tmp_path / "elsewhere"


def test_a_folder_of_the_blend_and_one_that_was_chosen_need_nothing(character, tmp_path):
    foreign(character, "//frames/shot")
    assert folder_of(character) == tmp_path / "film" / "frames" / "shot"
    foreign(character, str(tmp_path / "film" / "other"))
    assert folder_of(character) == tmp_path / "film" / "other"
    character.makeittalk.photo_folder = str(tmp_path / "chosen")
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    assert folder_of(part("addon.scene.character").active(bpy.context)).resolve() == tmp_path / "chosen"


def test_a_copy_of_a_character_chooses_nothing(character, tmp_path):
    foreign(character, str(tmp_path / "elsewhere"))
    for item in character.objects:
        item.select_set(True)
    bpy.ops.object.duplicate()
    bpy.context.view_layer.update()
    found = part("addon.scene.character").characters(bpy.context.scene)
    assert len(found) == 2
    for item in found:
        assert "Write There" in refused(item)


@pytest.mark.parametrize("named", ["frames", "~/frames", "$HOME/frames", "\\\\server\\share", "//a\nb"])
def test_what_is_no_whole_path_is_a_sentence(character, named):
    foreign(character, named)
    if named != "\\\\server\\share" or not Path(named).is_absolute():  # it is one on Windows
        assert "not the whole path" in refused(character)


def test_links_are_not_written_through(character, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "film" / "photoreal").symlink_to(tmp_path / "elsewhere")
    assert str(tmp_path / "elsewhere") in refused(character)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    (tmp_path / "film" / "photoreal").unlink()
    frames = tmp_path / "film" / "photoreal" / "Ada"
    frames.mkdir(parents=True)
    (frames / "photoreal_00003.png").symlink_to(tmp_path / "precious")
    assert "photoreal_00003.png" in refused(character)
    (frames / "photoreal_00003.png").unlink()
    assert folder_of(character) == frames


def test_the_panel_shows_the_folder(character, tmp_path):
    reason = part("addon.jobs.photoreal").folder_reason
    assert reason(character) == ""
    foreign(character, str(tmp_path / "elsewhere"))
    assert "elsewhere" in reason(character)
