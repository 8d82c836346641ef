"""Mouths drawn with Grease Pencil: one drawing at a time, each held, and nothing left of it afterwards."""

from __future__ import annotations

import bpy
import pytest
from extension import part
from makeittalk.exchange.cues import Cue
from retarget_targets import mouth_modifiers, mouths

CUES = [Cue(0.0, 0.5, "X"), Cue(0.5, 0.54, "A"), Cue(0.54, 0.9, "D"), Cue(0.9, 1.2, "G"), Cue(1.2, 1.5, "X")]


@pytest.fixture
def grease(scene):
    scene.render.fps, scene.render.fps_base = 24, 1.0
    return part("addon.scene.grease_mouths")


def seen(item, frames) -> list[str]:
    """The layers that show on frames."""
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        graph = bpy.context.evaluated_depsgraph_get()
        layers = item.evaluated_get(graph).data.layers
        (shown,) = [
            getattr(layer, "info", layer.name if hasattr(layer, "name") else "")
            for layer in layers
            if layer.opacity > 0.5
        ]
        found.append(shown)
    return found


def test_layers_are_known_by_name(grease, scene):
    assert grease.layers_of(mouths()) == {shape: shape for shape in "ABCDEFGHX"}
    found = grease.layers_of(mouths(("mouth_mbp", "Mouth etc", "E", "AI", "O", "u", "FV", "sketch", "rest")))
    assert found == {
        **{"A": "mouth_mbp", "B": "Mouth etc", "C": "E", "D": "AI", "E": "O", "F": "u", "G": "FV", "X": "rest"}
    }


def test_one_layer_shows_at_a_time(grease, scene):
    item = mouths()
    count = grease.show_layers(item, grease.layers_of(item), CUES, 24.0, "Ada", 11)
    assert count == 5
    assert seen(item, (1, 11, 22, 23, 24, 25, 32, 33, 39, 40, 100)) == [
        "X",
        "X",
        "X",
        "A",
        "A",
        "D",
        "D",
        "G",
        "G",
        "X",
        "X",
    ]


def test_what_is_not_drawn_is_replaced(grease, scene):
    item = mouths(tuple("ABCDEF"))
    grease.show_layers(item, grease.layers_of(item), CUES, 24.0, "Ada", 1)
    assert seen(item, (1, 13, 16, 26, 35)) == ["A", "A", "D", "A", "A"]
    with pytest.raises(Exception, match="no drawing for E, F"):
        grease.show_layers(item, {shape: shape for shape in "ABCD"}, CUES, 24.0, "Ada", 1)


def test_a_time_offset_chooses_the_frame(grease, scene):
    item = mouths(("Lines", "Fills"), frames=range(1, 10))
    shapes = grease.frames_of(item)
    assert shapes == dict(zip("ABCDEFGHX", range(1, 10), strict=True))
    grease.show_frames(item, shapes, CUES, 24.0, "Ada", 1)
    modifiers = mouth_modifiers(item)
    found = []
    for frame in (1, 12, 13, 14, 15, 23, 30):
        scene.frame_set(frame)
        found.append(modifiers[0].offset)
    assert found == [9, 9, 1, 1, 4, 7, 9]


def test_a_modifier_of_another_kind_keeps_its_name(grease, scene):
    item = mouths(frames=range(1, 10))
    modifiers = mouth_modifiers(item)
    modifiers.new("MakeItTalk Mouth", "GP_NOISE" if item.type == "GPENCIL" else "GREASE_PENCIL_NOISE")
    for _twice in range(2):
        grease.show_frames(item, grease.frames_of(item), CUES, 24.0, "Ada", 1)
        assert len(modifiers) == 2 and modifiers[1].offset == 1
    assert grease.remove(item) == 1
    assert [found.name for found in modifiers] == ["MakeItTalk Mouth"] and "NOISE" in modifiers[0].type


@pytest.mark.parametrize("how", ["layers", "frames"])
def test_it_goes_without_a_trace(grease, scene, how):
    item = mouths(frames=range(1, 10))
    item.data.layers[0].opacity = 0.25
    known = set(bpy.data.actions)
    for _twice in range(2):
        if how == "layers":
            grease.show_layers(item, grease.layers_of(item), CUES, 24.0, "Ada", 1)
        else:
            grease.show_frames(item, grease.frames_of(item), CUES, 24.0, "Ada", 1)
    assert len(bpy.data.actions) == len(known) + 1
    scene.frame_set(20)
    assert grease.remove(item) == 1
    scene.frame_set(21)
    assert set(bpy.data.actions) == known and item.animation_data is None and item.data.animation_data is None
    assert not len(mouth_modifiers(item))
    assert [layer.opacity for layer in item.data.layers] == [0.25, *[1.0] * 8]
