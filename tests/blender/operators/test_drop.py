"""Files that are dropped onto the viewport, by the operators that Blender calls for them."""

from __future__ import annotations

import bpy
import pytest
from extension import part
from project import ASSETS


@pytest.mark.parametrize("name", ["portrait_cartoon.png", "Zoë ü.HEIC", "face.exr"])
def test_a_picture_becomes_the_portrait(scene, tmp_path, name):
    path = str(tmp_path / name)
    assert bpy.ops.makeittalk.take_portrait(filepath=path) == {"FINISHED"}
    assert scene.makeittalk.portrait == path and scene.makeittalk.speech == ""
    session = bpy.context.window_manager.makeittalk
    assert session.message == f"{name} is the portrait now." and not session.is_error


def test_of_several_files_the_first_that_fits(scene, tmp_path):
    files = [{"name": name} for name in ("notes.txt", "take 1.WAV", "film.mp4")]
    assert bpy.ops.makeittalk.take_speech(directory=str(tmp_path), files=files) == {"FINISHED"}
    assert scene.makeittalk.speech == str(tmp_path / "take 1.WAV")
    assert "other 1" in bpy.context.window_manager.makeittalk.message


def test_what_fits_nothing_is_said(scene):
    with pytest.raises(RuntimeError, match="None of the files is a picture"):
        bpy.ops.makeittalk.take_portrait(filepath=str(ASSETS / "speech.flac"))
    assert scene.makeittalk.portrait == ""


@pytest.mark.parametrize("name", ["take 1.wav", "TAKE.FLAC", "Zoë.opus"])
def test_a_drop_onto_the_viewport_arrives(scene, tmp_path, name):
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    with bpy.context.temp_override(window=window, area=area):
        bpy.ops.wm.drop_import_file(directory=f"{tmp_path}/", files=[{"name": name}])
    assert scene.makeittalk.speech == str(tmp_path / name)


def test_blender_offers_both_for_their_files_in_the_viewport(scene):
    suffixes = part("backend.makeittalk.exchange.suffixes")
    for name, expected in (("portrait", suffixes.PORTRAIT), ("speech", suffixes.SPEECH)):
        handler = getattr(bpy.types, f"MAKEITTALK_FH_{name}")
        assert handler.bl_label == f"MakeItTalk {name}"
        operator = handler.bl_import_operator.partition(".")[2]
        assert hasattr(bpy.ops.makeittalk, operator)
        # Blender keeps 512 bytes; what it cut off would be a suffix less.
        assert set(handler.bl_file_extensions.split(";")) == set(expected)
        assert len(handler.bl_file_extensions) < 512
        for area in bpy.context.screen.areas if bpy.context.screen else ():
            with bpy.context.temp_override(area=area):
                assert handler.poll_drop(bpy.context) == (area.type == "VIEW_3D")
