"""A file from before there were layers: `files/before_layers.blend`, made by the commit 867fe88, three curves edited.

`before_layers.npz` holds what that commit's Blender showed on every frame: `values` (N, K + 6), the shape keys `names`,
then the head's location and rotation.
"""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from extension import part
from generated import key, shown

FILES = Path(__file__).parents[1] / "files"
JAW, BROW = 'key_blocks["jawOpen"].value', 'key_blocks["browInnerUp"].value'
NOD = 'pose.bones["head"].rotation_euler'


@pytest.fixture
def opened(scene):
    bpy.ops.wm.open_mainfile(filepath=str(FILES / "before_layers.blend"))
    return part("addon.scene.character").active(bpy.context)


def before() -> dict[str, np.ndarray]:
    with np.load(FILES / "before_layers.npz") as arrays:
        values, names = arrays["values"], [str(name) for name in arrays["names"]]
    paths = [f'key_blocks["{name}"].value[0]' for name in names]
    paths += [
        f'pose.bones["head"].{channel}[{axis}]' for channel in ("location", "rotation_euler") for axis in range(3)
    ]
    return dict(zip(paths, values.T, strict=True))


def parts(character) -> set[str]:
    layers = part("addon.scene.layers")
    found = {item.part for owner in part("addon.scene.bakes").owners_of(character) for item in layers.layers(owner)}
    return found - {layers.BASE.name}


def test_it_moves_as_before(opened):
    found = shown(opened)
    for path, values in before().items():
        np.testing.assert_allclose(found[path], values, atol=1e-4, err_msg=path)
    assert parts(opened) == {"Before Layers"}
    assert opened.makeittalk.lip == pytest.approx(1.2)


def test_the_animator_keys_on_top(opened):
    keys, rig = opened.makeittalk.body.data.shape_keys, opened.makeittalk.rig
    own = key(keys, JAW, 0.1)
    np.testing.assert_allclose(shown(opened)[f"{JAW}[0]"], before()[f"{JAW}[0]"] + 0.1, atol=1e-4)
    assert own.id_data == keys.animation_data.action and rig.animation_data.action.name == "p Edits"
    shared = part("addon.compat").SLOTTED_ACTIONS  # before, one action is of one datablock
    assert own.id_data.name == ("p Edits" if shared else "p Edits.001")


def test_a_bake_replaces_it_and_keeps_the_edits(opened, backend):
    """Edited curves say what they said; the others are predicted anew, which differs by what fits differ."""
    assert bpy.ops.makeittalk.rebake() == {"FINISHED"}
    assert "Before Layers" not in parts(opened) and {"Lips", "Nod", "Edits of Generated Curves"} <= parts(opened)
    found, old = shown(opened), before()
    for path in (f"{JAW}[0]", f"{BROW}[0]", f"{NOD}[0]"):
        np.testing.assert_allclose(found[path], old[path], atol=0.02, err_msg=path)
    opened.makeittalk.lip = opened.makeittalk.head = 0.0
    assert shown(opened)[f"{NOD}[0]"][19] == pytest.approx(0.12 - old[f"{NOD}[0]"][10], abs=0.1)
    assert opened.makeittalk.lip == 0.0
