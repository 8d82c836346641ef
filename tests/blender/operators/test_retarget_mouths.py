"""Drawn mouths that speak, with the real backend behind the button."""

from __future__ import annotations

import itertools
import shutil

import bpy
import pytest
from extension import part
from project import ASSETS
from retarget_targets import mouths
from sounding import SOUND


@pytest.fixture
def talking(make, scene, backend, tmp_path):
    """A character that says the embedded recording from frame 11 on, in a scene of 24 frames/s."""
    scene.render.fps, scene.render.fps_base = 24, 1.0
    character = make(start=11)
    shutil.copy(ASSETS / "speech.flac", tmp_path / "said.flac")
    settings = character.makeittalk
    settings.speech = str(tmp_path / "said.flac")
    settings.frames = 171  # as long as the recording, at 24 frames/s
    if SOUND:
        part("addon.scene.speech").replace(scene, settings.current, tmp_path / "said.flac", pack=False)
    return character


def shapes_shown(item, frames) -> list[str]:
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        layers = [layer for layer in item.data.layers if layer.opacity > 0.5]
        assert len(layers) == 1
        found.append(layers[0].info if hasattr(layers[0], "info") else layers[0].name)
    return found


def test_a_drawn_mouth_speaks(talking):
    settings = talking.makeittalk.retarget
    settings.target = mouths()
    assert bpy.ops.makeittalk.bake_mouths() == {"FINISHED"}
    assert "speaks: its mouth changes" in bpy.context.window_manager.makeittalk.message
    found = shapes_shown(settings.target, range(11, 182))
    assert found[0] == "X" and len(set(found)) >= 6
    changes = [0, *(number for number in range(1, len(found)) if found[number] != found[number - 1]), len(found)]
    assert len(changes) > 25 and min(after - before for before, after in itertools.pairwise(changes)) >= 2
    assert "A" in found[8:13]  # the M of "Mister"
    assert bpy.ops.makeittalk.remove_retarget() == {"FINISHED"}
    assert settings.target.data.animation_data is None


def test_frames_and_what_is_missing(talking):
    settings = talking.makeittalk.retarget
    settings.target = mouths(("Lines",), frames=range(1, 7))
    with pytest.raises(RuntimeError, match="no drawing for A, B, C, D, E, F"):
        bpy.ops.makeittalk.bake_mouths()
    settings.mouths = "FRAMES"
    assert bpy.ops.makeittalk.bake_mouths() == {"FINISHED"}
    modifiers = (
        settings.target.grease_pencil_modifiers if settings.target.type == "GPENCIL" else settings.target.modifiers
    )
    seen = set()
    for frame in range(11, 182):
        bpy.context.scene.frame_set(frame)
        seen.add(modifiers[0].offset)
    assert seen <= set(range(1, 7)) and len(seen) >= 4
    with pytest.raises(RuntimeError, match="press Bake Mouths"):
        bpy.ops.makeittalk.bake_retarget()
