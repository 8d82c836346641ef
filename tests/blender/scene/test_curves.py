"""Baked curves, and the care for those that were edited."""

from __future__ import annotations

import numpy as np
import pytest
import samples
from edits import edited_curves
from extension import part


def test_every_frame_keys_every_frame(make):
    character = make(every_frame=True)
    curves = part("addon.compat").assigned_curves(character.makeittalk.body.data.shape_keys).fcurves
    assert {len(curve.keyframe_points) for curve in curves} == {60}


def other_bake(job):
    values = samples.bake_arrays()
    values["key_values"] = values["key_values"] * np.float32(0.5)
    np.savez_compressed(job / "again.npz", **values)
    return job / "again.npz"


def curve_of(character, name: str):
    keys = character.makeittalk.body.data.shape_keys
    return part("addon.compat").assigned_curves(keys).fcurves.find(f'key_blocks["{name}"].value')


def test_rebake_replaces_what_nobody_has_edited(make, job):
    scenes = part("addon.scene.character")
    character = make()
    before = curve_of(character, "mouthPucker").evaluate(30)
    assert scenes.rebake(character, other_bake(job)) == []
    assert curve_of(character, "mouthPucker").evaluate(30) == pytest.approx(before / 2, abs=0.01)
    assert edited_curves(character) == []


def change_value(curve):
    curve.keyframe_points[3].co.y += 0.1
    curve.update()


def change_handle(curve):
    point = curve.keyframe_points[3]
    point.handle_right_type = point.handle_left_type = "FREE"
    point.handle_right.y += 0.05


def add_key(curve):
    curve.keyframe_points.insert(15.5, 0.7)


def add_modifier(curve):
    curve.modifiers.new("NOISE")


@pytest.mark.parametrize("edit", [change_value, change_handle, add_key, add_modifier])
def test_an_edited_curve_is_kept_and_named(make, job, edit):
    scenes = part("addon.scene.character")
    character = make()
    edit(curve_of(character, "jawOpen"))
    points = [tuple(p.co) for p in curve_of(character, "jawOpen").keyframe_points]
    assert edited_curves(character) == ['key_blocks["jawOpen"].value[0]']
    assert scenes.rebake(character, other_bake(job)) == ['key_blocks["jawOpen"].value[0]']
    assert [tuple(p.co) for p in curve_of(character, "jawOpen").keyframe_points] == points
    assert scenes.rebake(character, other_bake(job)) == ['key_blocks["jawOpen"].value[0]']  # and not forgotten
    assert scenes.rebake(character, other_bake(job), overwrite=True) == []
    assert edited_curves(character) == []


def test_a_removed_curve_stays_removed(make, job):
    scenes = part("addon.scene.character")
    character = make()
    keys = character.makeittalk.body.data.shape_keys
    part("addon.compat").assigned_curves(keys).fcurves.remove(curve_of(character, "jawOpen"))
    assert scenes.rebake(character, other_bake(job)) == ['key_blocks["jawOpen"].value[0]']
    assert curve_of(character, "jawOpen") is None


def test_touching_a_curve_is_no_edit(make):
    character = make()
    for name in samples.KEYS:
        curve = curve_of(character, name)
        for _ in range(5):
            curve.update()
        curve.keyframe_points.handles_recalc()
        curve.keyframe_points[0].select_control_point = True
    assert edited_curves(character) == []


def test_bake_of_another_character_is_refused(make, job):
    character = make()
    values = samples.bake_arrays(keys=("a", "b"))
    np.savez_compressed(job / "again.npz", **values)
    before = curve_of(character, "jawOpen").evaluate(30)
    with pytest.raises(part("addon.core.errors").AddonError):
        part("addon.scene.character").rebake(character, job / "again.npz")
    assert curve_of(character, "jawOpen").evaluate(30) == before
