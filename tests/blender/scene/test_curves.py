"""Generated curves, and what the animator does on top of them or to them."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
import samples
from extension import part
from generated import changed, curve, layer

JAW = 'key_blocks["jawOpen"].value'
TURN = 'pose.bones["head"].rotation_euler'


def shown(character, frames=range(1, 61)) -> np.ndarray:
    """(N, K + 6): shape keys, head rotation and location as Blender has them on frames."""
    settings = character.makeittalk
    head = settings.rig.pose.bones["head"]
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        values = [settings.body.data.shape_keys.key_blocks[name].value for name in samples.KEYS]
        found.append([*values, *head.rotation_euler, *head.location])
    return np.array(found)


def other_bake(job, factor: float = 0.5):
    values = samples.bake_arrays()
    values["lip_values"] = values["lip_values"] * np.float32(factor)
    np.savez_compressed(job / "again.npz", **values)
    return job / "again.npz"


def rewrite(character, path) -> None:
    part("addon.scene.performance").write(character, path)


def expected(lip: float = 1.0, head: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)) -> np.ndarray:
    bake = samples.bake_arrays()
    nod, turn, tilt, sway = head
    rotation = bake["head_rotation"] * np.float32([nod, turn, tilt])
    return np.concatenate([lip * bake["lip_values"], rotation, sway * bake["head_location"]], axis=1)


def test_every_frame_keys_every_frame(make):
    curves = layer(make(every_frame=True), "Lips").curves.fcurves
    assert {len(found.keyframe_points) for found in curves} == {60}


def test_rebake_replaces_what_is_generated(make, job):
    character = make()
    rewrite(character, other_bake(job))
    np.testing.assert_allclose(shown(character)[:, :4], expected(0.5)[:, :4], atol=0.02)
    assert changed(character) == []


def test_the_animator_keys_on_top_at_once(make, job):
    """A key of Blender's own makes what is seen what was asked, and survives every rewrite as it is."""
    character = make()
    settings = character.makeittalk
    keys, head = settings.body.data.shape_keys, settings.rig.pose.bones["head"]
    before = shown(character)
    bpy.context.scene.frame_set(20)
    keys.key_blocks["jawOpen"].value = 0.9
    assert keys.keyframe_insert(JAW)
    head.rotation_euler.x = 0.5
    assert settings.rig.keyframe_insert(TURN, index=0)
    after = shown(character)
    assert after[19, 0] == pytest.approx(0.9, abs=1e-4) and after[19, 4] == pytest.approx(0.5, abs=1e-4)
    lifted, nodded = 0.9 - before[19, 0], 0.5 - before[19, 4]
    np.testing.assert_allclose(after[:, 0] - before[:, 0], lifted, atol=1e-4)
    np.testing.assert_allclose(after[:, 5:], before[:, 5:], atol=1e-5)  # the other axes as they were
    rewrite(character, other_bake(job))
    np.testing.assert_allclose(shown(character)[:, 0], 0.5 * before[:, 0] + lifted, atol=0.02)
    settings.lip = 0.0
    np.testing.assert_allclose(shown(character)[:, 0], lifted, atol=1e-4)
    settings.nod = 0.0
    np.testing.assert_allclose(shown(character)[:, 4], nodded, atol=1e-4)


@pytest.mark.parametrize("amount", [0.0, 0.3, 1.0, 1.7, 4.0])
def test_amounts_scale_without_the_backend(make, amount):
    character = make(every_frame=True)
    settings = character.makeittalk
    settings.lip = settings.head = amount
    settings.turn = 0.5
    wanted = expected(amount, (amount, 0.5 * amount, amount, amount))
    low, high = np.array(samples.RANGES).T
    wanted[:, :4] = np.clip(wanted[:, :4], low, high)
    np.testing.assert_allclose(shown(character), wanted, atol=2e-3)
    settings.lip = settings.head = settings.turn = 1.0
    np.testing.assert_allclose(shown(character), expected(), atol=2e-3)
    assert changed(character) == []


def change_value(found):
    found.keyframe_points[3].co.y += 0.1
    found.update()


def change_handle(found):
    point = found.keyframe_points[3]
    point.handle_right_type = point.handle_left_type = "FREE"
    point.handle_right.y += 0.05


def add_key(found):
    found.keyframe_points.insert(15.5, 0.7)


def add_modifier(found):
    found.modifiers.new("NOISE")
    found.id_data.update_tag()


@pytest.mark.parametrize("edit", [change_value, change_handle, add_key, add_modifier])
def test_an_edit_of_a_generated_curve_is_brought_above_it(make, job, edit):
    character = make()
    before = shown(character)
    edit(curve(character, "Lips", JAW))
    edited = shown(character)
    assert changed(character) == [f"{JAW}[0]"]
    for factor in (1.0, 0.5, 1.0):
        rewrite(character, other_bake(job, factor))
        assert changed(character) == []
        np.testing.assert_allclose(shown(character) - factor * before, edited - before, atol=0.03 + (1 - factor))
    np.testing.assert_allclose(shown(character), edited, atol=0.02)


def mute(curves):
    curves.find(JAW).mute = True


def remove(curves):
    curves.remove(curves.find(JAW))


@pytest.mark.parametrize("take_away", [mute, remove])
def test_a_curve_that_was_taken_away_stays_still(make, job, take_away):
    character = make()
    take_away(layer(character, "Lips").curves.fcurves)
    rewrite(character, other_bake(job, 1.0))
    np.testing.assert_allclose(shown(character)[:, 0], 0.0, atol=0.01)


def test_touching_a_curve_is_no_edit(make):
    character = make()
    for found in layer(character, "Lips").curves.fcurves:
        for _ in range(5):
            found.update()
        found.keyframe_points.handles_recalc()
        found.keyframe_points[0].select_control_point = True
    assert changed(character) == []


def test_bake_of_another_character_is_refused(make, job):
    character = make()
    values = samples.bake_arrays(keys=("a", "b"))
    np.savez_compressed(job / "again.npz", **values)
    before = shown(character)
    with pytest.raises(part("addon.core.errors").AddonError):
        rewrite(character, job / "again.npz")
    np.testing.assert_array_equal(shown(character), before)


def test_amounts_can_be_keyed(make):
    """A key on an amount is a key like any other: the layers follow, beyond 1 too, and forget it when it goes."""
    character = make(every_frame=True)
    root = character.makeittalk.rig
    for frame, value in ((1, 0.0), (21, 0.0), (41, 2.0)):
        root.makeittalk.nod = value
        assert root.keyframe_insert("makeittalk.nod", frame=frame)
    bpy.context.view_layer.update()
    found, wanted = shown(character)[:, 4], samples.bake_arrays()["head_rotation"][:, 0]
    np.testing.assert_allclose(found[:20], 0.0, atol=1e-3)
    np.testing.assert_allclose(found[40:], 2.0 * wanted[40:], atol=2e-3)
    np.testing.assert_allclose(shown(character)[:, 5:], expected()[:, 5:], atol=2e-3)
    assert part("addon.scene.layers").layers and changed(character) == []
    root.keyframe_delete("makeittalk.nod", frame=1)
    root.keyframe_delete("makeittalk.nod", frame=21)
    root.keyframe_delete("makeittalk.nod", frame=41)
    root.makeittalk.nod = 1.0
    bpy.context.view_layer.update()
    np.testing.assert_allclose(shown(character), expected(), atol=2e-3)


def test_a_key_that_the_next_bake_leaves_out_goes_to_rest(make, job, tmp_path):
    character = make()
    bpy.context.scene.frame_set(12)
    jaw = character.makeittalk.body.data.shape_keys.key_blocks["jawOpen"]
    assert jaw.value > 0.1
    with np.load(job / "bake.npz") as arrays:
        bake = dict(arrays)
    column = [str(name) for name in bake["key_names"]].index("jawOpen")
    bake["rest_values"][column] = 0.0
    for name in ("lip_values", "expression_values", "blink_values"):
        bake[name][:, column] = 0.0
    np.savez(tmp_path / "still.npz", **bake)
    part("addon.scene.performance").write(character, tmp_path / "still.npz")
    for frame in (12, 30):
        bpy.context.scene.frame_set(frame)
        assert jaw.value == 0.0
