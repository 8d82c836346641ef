"""Runs inside a real Blender window: a face placed by clicks on a drawing that nobody finds, and corrected later.

    blender --enable-event-simulate --python landmarks.py -- ZIP PORTRAIT SPEECH CLICKS FOLDER

CLICKS are the places to click, pixels of the portrait, as JSON. FOLDER receives the screenshots and `result.json`: what
was seen at each step, or the error that ended it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import bpy
import numpy as np
from bpy_extras import view3d_utils
from mathutils import Vector

sys.path.insert(0, str(Path(__file__).parent))  # Blender runs this file by its path
import window
from window import Window, addon, arguments, characters, install, run, session

ARCHIVE, PORTRAIT, SPEECH, CLICKS, FOLDER = arguments()
until = partial(window.until, limit=120.0)  # s for any one thing to happen
seen: dict[str, object] = {}
ui = Window(Path(FOLDER))


def call(name: str, **values: object) -> Iterator[float]:
    """Presses a button of the panel and waits until its job is done."""
    with ui.viewport():
        getattr(bpy.ops.makeittalk, name)("INVOKE_DEFAULT", **values)
    yield 0.2
    yield from until(lambda: not session().running, f"{name} is done")
    yield 0.5


def points() -> bpy.types.Object | None:
    return addon("scene.landmark_mesh").active(bpy.context)


def places() -> list[list[float]]:
    """Where the landmarks are, px of the portrait."""
    return np.round(addon("scene.landmark_mesh").read(points())[:, :2].astype(float), 2).tolist()


def on_screen(place: tuple[float, float]) -> tuple[int, int]:
    """Where the window shows a place of the portrait."""
    region, space = ui.region("WINDOW"), ui.area.spaces.active.region_3d
    width, height = addon("scene.landmark_mesh").size(points())
    local = Vector(((place[0] - width / 2) / height, (height / 2 - place[1]) / height, 0.0))
    at = view3d_utils.location_3d_to_region_2d(region, space, points().parent.matrix_world @ local)
    return region.x + round(at.x), region.y + round(at.y)


def click(place: tuple[float, float]) -> Iterator[float]:
    x, y = on_screen(place)
    ui.move(x, y)
    yield 0.15
    ui.click(x, y)
    yield 0.15


def user() -> Iterator[float]:
    """The user, who waits as many seconds as she yields."""
    yield 1.0
    install(ARCHIVE)
    ui.area.spaces.active.show_region_ui = True
    yield 0.5
    ui.region("UI").active_panel_category = "MakeItTalk"
    settings = bpy.context.scene.makeittalk
    settings.portrait, settings.speech, settings.seed = PORTRAIT, SPEECH, 3
    bpy.ops.ed.undo_push(message="Fill the fields")
    yield 0.5
    yield from call("make_it_talk")
    seen["no face"] = {"message": session().message, "hint": session().hint, "characters": len(characters())}
    ui.rest()
    yield 0.5
    yield from call("edit_landmarks")
    seen["begun"] = {"message": session().message, "mode": bpy.context.mode}
    ui.rest()
    yield 0.5
    ui.shot("landmarks-1-begun")

    clicks = json.loads(CLICKS)
    before = places()
    with ui.viewport():
        bpy.ops.makeittalk.click_landmarks("INVOKE_DEFAULT")
    yield 0.3
    yield from click(clicks[0])
    ui.key("ESC")
    yield 0.5
    seen["escaped"] = {"same": places() == before, "message": session().message}
    with ui.viewport():
        bpy.ops.makeittalk.click_landmarks("INVOKE_DEFAULT")
    yield 0.3
    yield from click((10.0, 10.0))
    ui.key("BACK_SPACE")
    yield 0.3
    for number, place in enumerate(clicks):
        if number == 5:
            ui.shot("landmarks-2-clicks")
        yield from click(place)
    yield from until(lambda: places() != before and not session().running, "the face lies on the clicks")
    yield 0.7
    ui.rest()
    yield 0.3
    seen["placed"] = places()
    ui.shot("landmarks-3-placed")
    # Blender's own tools move them, and its undo takes that back.
    ui.key("A")
    yield 0.2
    ui.key("G")
    region = ui.region("WINDOW")
    x, y = region.x + region.width // 3, region.y + region.height // 2
    ui.move(x + 30, y)
    yield 0.3
    ui.click(x + 30, y)
    yield 0.5
    seen["dragged"] = places()
    ui.key("Z", ctrl=True)
    yield 0.7
    seen["undone"] = places()

    yield from call("apply_landmarks")
    seen["applied"] = {"gone": points() is None, "placed": settings.is_placed}
    yield from call("make_it_talk")
    assert characters(), session().message
    character = characters()[0]
    seen["made"] = character.name
    bpy.context.scene.frame_set(40)
    yield 1.0
    ui.shot("landmarks-4-speaking")

    keys = character.makeittalk.body.data.shape_keys
    keys.key_blocks["browInnerUp"].value = 0.3
    keys.key_blocks["browInnerUp"].keyframe_insert("value", frame=12)
    own = keys.animation_data.action.name
    bpy.ops.ed.undo_push(message="Key")
    yield from call("edit_character_landmarks")
    ui.shot("landmarks-5-of-a-character")
    moved = np.array(addon("scene.landmark_mesh").read(points()))
    moved[48:68, 1] -= 25.0
    addon("scene.landmark_mesh").write(points(), moved)
    yield from call("apply_landmarks")
    character = characters()[0]
    keys = character.makeittalk.body.data.shape_keys
    arrays = addon("scene.bakes").mesh_of(character)
    seen["reshaped"] = {
        "message": session().message,
        "mouth": float(arrays.vertices[arrays.landmark_vertices[48:68], 1].mean()),
        "wanted": float(moved[48:68, 1].mean()),
        "action": keys.animation_data.action.name == own,
        "points": points() is None,
    }
    yield 1.0
    ui.shot("landmarks-6-reshaped")
    ui.key("Z", ctrl=True)
    yield from until(lambda: points() is not None, "one undo brings the points back")
    ui.key("Z", ctrl=True, shift=True)
    yield from until(lambda: points() is None, "redo reshapes again")
    yield 0.5


run(user(), seen, ui)
