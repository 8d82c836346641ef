"""Runs inside a real Blender window: what an animator keys on top of what is generated, a screenshot of each state.

    blender --enable-event-simulate --python edits.py -- ZIP ASSETS FOLDER

FOLDER receives the screenshots and `result.json`: what was seen at each step, or the error that ended it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))  # Blender runs this file by its path
import window
from window import Window, addon, arguments, characters, install, run, session

ARCHIVE, ASSETS, FOLDER = arguments()
until = partial(window.until, limit=120.0)  # s for any one thing to happen
seen: dict[str, object] = {}
ui = Window(Path(FOLDER))


def jaw() -> list[float]:
    """The jaw on every third frame."""
    block = characters()[0].makeittalk.body.data.shape_keys.key_blocks["jawOpen"]
    found = []
    for frame in range(1, 170, 3):
        bpy.context.scene.frame_set(frame)
        found.append(block.value)
    return found


def user() -> Iterator[float]:
    """The animator, who waits as many seconds as she yields."""
    yield 1.0
    install(ARCHIVE)
    ui.area.spaces.active.show_region_ui = True
    yield 0.5
    ui.region("UI").active_panel_category = "MakeItTalk"
    yield 0.5
    with ui.viewport():
        assert bpy.ops.makeittalk.try_example("INVOKE_DEFAULT") == {"RUNNING_MODAL"}
    yield from until(lambda: not session().running, "the example is made")
    if bpy.context.screen.is_animation_playing:
        bpy.ops.screen.animation_cancel(restore_frame=False)
    yield 1.0
    character = characters()[0]
    settings = character.makeittalk
    before = jaw()

    bpy.context.scene.frame_set(40)
    with ui.viewport():
        seen["nod"] = list(bpy.ops.makeittalk.gesture(kind="NOD"))
        bpy.context.scene.frame_set(66)
        bpy.ops.makeittalk.gesture(kind="LOOK_AWAY", direction="LEFT")
        bpy.context.scene.frame_set(90)
        seen["smile"] = list(bpy.ops.makeittalk.gesture(kind="SMILE"))
        seen["head curves"] = list(bpy.ops.makeittalk.edit_curves("INVOKE_DEFAULT", part="HEAD", open_editor=True))
    bpy.ops.ed.undo_push(message="Gestures")
    yield 1.5
    seen["mode"] = bpy.context.mode
    seen["graph editors"] = sum(area.type == "GRAPH_EDITOR" for area in bpy.context.screen.areas)
    ui.shot("edits-1-head-curves")
    action = settings.rig.animation_data.action
    seen["own action"] = [action.name, len(action.fcurves)]
    seen["ghosts left"] = [
        item.name for found in (bpy.data.objects, bpy.data.actions) for item in found if "Ghost" in item.name
    ]

    with ui.viewport():
        seen["generated"] = list(bpy.ops.makeittalk.edit_generated(layer="Nod", open_editor=True))
    yield 1.5
    ui.shot("edits-2-generated-curves")
    with ui.viewport():
        bpy.ops.makeittalk.edit_curves(part="FACE")
    yield 1.0
    ui.shot("edits-3-face-curves")

    addon("scene.edit_list").refresh(bpy.context.scene)
    seen["edits"] = [edit.label for edit in addon("scene.edit_list").shown(character)]
    ui.scroll(22)
    yield 1.0
    ui.shot("edits-4-list")

    keys = settings.body.data.shape_keys
    with_edits = jaw()
    settings.lip = 0.0
    yield 0.3
    settings.lip = 1.0
    seen["amount leaves the edits"] = max(abs(a - b) for a, b in zip(jaw(), with_edits, strict=True)) < 1e-4
    seen["moved"] = max(before) - min(before)

    target = addon("scene.gaze").target(character)
    seen["target"] = target is not None
    if bpy.context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.scene.frame_set(1)
    if target is not None:
        target.location.x = -0.35
        bpy.context.view_layer.update()
        values = [block.value for block in keys.key_blocks if block.name.startswith("target")]
        seen["looks aside"] = max(values)
    with ui.viewport():
        bpy.ops.screen.screen_full_area()
    yield 1.0
    ui.area.spaces.active.shading.type = "MATERIAL"
    ui.scroll(-22)
    yield 1.0
    ui.scroll(4)
    ui.rest()
    yield 6.0  # shaders are compiled
    ui.shot("edits-5-gaze")


run(user(), seen, ui)
