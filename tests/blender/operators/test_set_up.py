"""Set Up Scene: each tick box does what it says, and nothing else."""

from __future__ import annotations

import bpy
import pytest
from extension import part


@pytest.fixture
def worked(make, scene):
    """A scene with work in it that does not fit its character."""
    scene.objects["Cube"].location.x = 3
    scene.frame_end = 40
    scene.view_settings.exposure = 0.5
    return make(start=10)


def changes(scene, character) -> dict[str, str]:
    return {step.name: step.change(scene, character) for step in part("addon.scene.setup").STEPS}


def test_it_says_what_it_will_change(worked, scene):
    transform = scene.view_settings.view_transform
    assert changes(scene, worked) == {
        "frame_range": "1–40 → 1–69",
        "colours": f"{transform}, exposure 0.5 → Standard, as the picture is",
        "sync": "Play Every Frame → Sync to Audio",
        "camera": "Camera → a new one, Ada Camera",
        "resolution": "1920 × 1080, 100 % → 120 × 160, 100 %",
    }


@pytest.mark.parametrize("name", ["frame_range", "colours", "sync", "camera", "resolution"])
def test_each_box_changes_its_thing_alone(worked, scene, name):
    before = changes(scene, worked)
    boxes = dict.fromkeys(before, False)
    assert bpy.ops.makeittalk.set_up_scene(**{**boxes, name: True}) == {"FINISHED"}
    assert changes(scene, worked) == {**before, name: ""}


def test_every_box_leaves_nothing_to_do(worked, scene):
    assert bpy.ops.makeittalk.set_up_scene() == {"FINISHED"}
    assert set(changes(scene, worked).values()) == {""}
    assert part("addon.scene.setup").missing(scene, worked) == []


def test_every_step_has_its_box():
    boxes = set(bpy.ops.makeittalk.set_up_scene.get_rna_type().properties.keys())
    assert {step.name for step in part("addon.scene.setup").STEPS} <= boxes
