"""Runs inside a real Blender window: a portrait speaks, and a head of somebody else's beside it takes its performance.

    blender --enable-event-simulate --python retarget.py -- ZIP SUPPORT BACKEND FOLDER

SUPPORT and BACKEND are folders of modules: the tests' own and the backend's. FOLDER receives the screenshots and
`result.json`: what was seen at each step, or the error that ended it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))  # Blender runs this file by its path
import window
from window import Window, addon, arguments, characters, install, run, session

ARCHIVE, SUPPORT, BACKEND, FOLDER = arguments()
sys.path[:0] = [SUPPORT, BACKEND]
until = partial(window.until, limit=120.0)  # s for any one thing to happen
seen: dict[str, object] = {}
ui = Window(Path(FOLDER))


def head() -> bpy.types.Object:
    return bpy.data.objects["Egg"]


def value(item: bpy.types.Object, name: str) -> float:
    """What the window shows of a shape key."""
    graph = bpy.context.evaluated_depsgraph_get()
    return item.evaluated_get(graph).data.shape_keys.key_blocks[name].value


def values(name: str) -> list[float]:
    found = []
    for frame in range(1, 100, 3):
        bpy.context.scene.frame_set(frame)
        found.append(round(value(head(), name), 4))
    return found


def build() -> None:
    """An egg with ARKit's keys on the bone of an armature, which stands beside the portrait."""
    import second_head
    from retarget_targets import editing

    made = second_head.add("Egg", second_head.arkit(), at=(0.98, 0.0, 0.02), scale=0.40)
    armature = bpy.data.objects.new("Egg Rig", bpy.data.armatures.new("Egg Rig"))
    bpy.context.scene.collection.objects.link(armature)
    with editing(armature) as bones:
        bone = bones.new("head")
        bone.head, bone.tail, bone.roll = (0.98, 0.3, -0.42), (0.98, 0.4, 0.1), 0.3
    armature.data.display_type = "STICK"
    made.parent, made.parent_type, made.parent_bone = armature, "BONE", "head"
    bpy.context.view_layer.update()
    made.matrix_parent_inverse = (armature.matrix_world @ armature.pose.bones["head"].matrix).inverted()
    offset = made.matrix_parent_inverse.copy()
    offset.translation.y -= armature.data.bones["head"].length  # children of a bone hang on its tail
    made.matrix_parent_inverse = offset
    armature.hide_set(True)


def look() -> None:
    """Both faces in front view, shaded by a lamp that shows their form."""
    space = ui.area.spaces.active
    space.shading.type, space.shading.light, space.shading.color_type = "SOLID", "STUDIO", "TEXTURE"
    space.overlay.show_overlays = space.show_gizmo = space.show_region_toolbar = False
    view = space.region_3d
    view.view_perspective = "ORTHO"
    view.view_rotation = (0.70710678, 0.70710678, 0.0, 0.0)
    view.view_location, view.view_distance = (0.80, 0.0, 0.03), 2.2


def call(name: str, **arguments: object) -> Iterator[float]:
    """Presses a button of the panel and waits until it is done."""
    with ui.viewport():
        seen[name] = list(getattr(bpy.ops.makeittalk, name)("INVOKE_DEFAULT", True, **arguments))  # with undo
    yield 0.2
    yield from until(lambda: not session().running, f"{name} is done")
    seen[f"{name} told"] = session().message
    yield 0.5


def user() -> Iterator[float]:
    """The animator, who waits as many seconds as she yields."""
    yield 1.0
    install(ARCHIVE)
    panel = addon("panels.retarget").MAKEITTALK_PT_retarget
    bpy.utils.unregister_class(panel)
    panel.bl_options = set()  # open from the start
    bpy.utils.register_class(panel)
    for name in ("MAKEITTALK_PT_gestures", "MAKEITTALK_PT_edits"):  # out of the way of the screenshot
        bpy.utils.unregister_class(getattr(addon(f"panels.{name[14:]}"), name))
    ui.area.spaces.active.show_region_ui = True
    yield 0.5
    ui.region("UI").active_panel_category = "MakeItTalk"
    yield 0.5
    with ui.viewport():
        assert bpy.ops.makeittalk.try_example("INVOKE_DEFAULT") == {"RUNNING_MODAL"}
    yield from until(lambda: not session().running, "the example is made")
    if bpy.context.screen.is_animation_playing:
        bpy.ops.screen.animation_cancel(restore_frame=False)
    with ui.viewport():
        build()
    look()
    yield 0.5
    settings = characters()[0].makeittalk.retarget
    settings.target = head()
    seen["matched"] = len(settings.rows)
    seen["head"] = [settings.head_target.name if settings.head_target else "", settings.head_bone]
    settings.head_turn = 1.5
    settings.active_row = next(i for i, row in enumerate(settings.rows) if row.target == "jawOpen")
    bpy.ops.ed.undo_push(message="Choose the target")
    yield 0.5
    yield from call("bake_retarget")
    mouth = values("jawOpen")
    seen["baked"] = mouth
    frame = 1 + 3 * int(np.argmax(mouth))
    bpy.context.scene.frame_set(frame)
    ui.scroll(60)
    yield 0.5
    ui.rest()
    yield 1.0
    ui.shot("retarget-1-baked")

    ui.key("Z", ctrl=True)
    yield 1.0
    seen["undone"] = head().data.shape_keys.animation_data is None
    ui.key("Z", ctrl=True, shift=True)
    yield 1.0
    seen["redone"] = head().data.shape_keys.animation_data is not None
    look()

    yield from call("drive_retarget")
    bpy.context.scene.frame_set(frame)
    before = value(head(), "browInnerUp")
    keys = characters()[0].makeittalk.body.data.shape_keys
    curve = addon("scene.own_layer").ensure_curve(keys, 'key_blocks["browInnerUp"].value')
    curve.keyframe_points.insert(frame, 0.8)
    curve = addon("scene.own_layer").ensure_curve(keys, 'key_blocks["mouthSmileLeft"].value')
    curve.keyframe_points.insert(frame, 0.8)
    bpy.context.scene.frame_set(frame)
    yield 0.5
    seen["followed"] = [before, value(head(), "browInnerUp")]
    ui.shot("retarget-2-driven")

    yield from call("remove_retarget")
    seen["gone"] = head().data.shape_keys.animation_data is None
    yield 0.5
    ui.shot("retarget-3-removed")


run(user(), seen, ui)
