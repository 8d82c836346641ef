"""Runs inside a real Blender window: the first minute with the add-on, with a screenshot of each state.

    blender --enable-event-simulate --python first_minute.py -- ZIP ASSETS FOLDER

ASSETS holds the embedded portrait and recording. FOLDER receives the screenshots and `result.json`: what was seen at
each step, or the error that ended it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))  # Blender runs this file by its path
import window
from window import Window, arguments, characters, install, run, session

ARCHIVE, ASSETS, FOLDER = arguments()
until = partial(window.until, limit=120.0)  # s for any one thing to happen
seen: dict[str, object] = {}
ui = Window(Path(FOLDER))


def fields() -> dict[str, str]:
    settings = bpy.context.scene.makeittalk
    return {name: Path(getattr(settings, name)).name for name in ("portrait", "speech")}


def drop(name: str) -> None:
    """What Blender does when a file manager drops a file onto the viewport."""
    ui.rest()
    with ui.viewport():
        bpy.ops.wm.drop_import_file("INVOKE_DEFAULT", True, directory=f"{ASSETS}/", files=[{"name": name}])


def example() -> Iterator[float]:
    with ui.viewport():
        assert bpy.ops.makeittalk.try_example("INVOKE_DEFAULT") == {"RUNNING_MODAL"}
    yield from until(lambda: not session().running, "the example is made")
    yield 1.0


def user() -> Iterator[float]:
    """The user, who waits as many seconds as she yields."""
    yield 1.0
    install(ARCHIVE)
    ui.area.tag_redraw()
    yield 0.5

    drop("speech.flac")  # nobody else takes sound here
    yield from until(lambda: fields()["speech"] == "speech.flac", "the dropped recording is taken")
    yield 1.0
    seen["sidebar"] = ui.area.spaces.active.show_region_ui, ui.region("UI").active_panel_category
    ui.shot("first-1-dropped-speech")
    drop("portrait_cartoon.png")
    yield 1.0
    ui.shot("first-2-choice")
    region = ui.region("WINDOW")
    ui.click(region.x + region.width // 3, region.y + region.height // 2)  # the menu opens at the last choice
    yield 1.0
    ui.shot("first-3-dropped-portrait")
    seen["dropped"] = fields() | {"message": session().message}
    ui.key("Z", ctrl=True)
    yield 0.5
    seen["undone"] = fields()
    bpy.context.scene.makeittalk.portrait = bpy.context.scene.makeittalk.speech = ""
    bpy.ops.ed.undo_push(message="Empty the fields")
    ui.area.tag_redraw()
    yield 0.7
    ui.shot("first-4-empty")

    with ui.viewport():
        assert bpy.ops.makeittalk.try_example("INVOKE_DEFAULT") == {"RUNNING_MODAL"}
    yield from until(lambda: session().fraction > 0.02, "the example gets on")
    ui.key("ESC")
    yield from until(lambda: not session().running, "ESC cancels the example")
    yield 0.5
    seen["cancelled"] = {"message": session().message, "characters": len(characters()), **fields()}

    yield from example()
    screen = ui.window.screen
    seen["example"] = {"message": session().message, "characters": len(characters()), **fields()}
    seen["playing"] = screen.is_animation_playing
    before = bpy.context.scene.frame_current
    yield 1.0
    seen["moved"] = bpy.context.scene.frame_current - before
    ui.shot("first-5-playing")
    bpy.ops.screen.animation_cancel()
    yield 0.3
    ui.key("Z", ctrl=True)
    yield from until(lambda: not characters(), "one undo takes the example away")
    seen["example undone"] = fields()

    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=False)
    yield 1.0
    bpy.context.preferences.view.show_splash = False
    cube = bpy.context.scene.objects["Cube"]
    cube.scale = (0.8, 0.8, 0.8)
    camera = bpy.context.scene.camera
    ui.area.spaces.active.show_region_ui = True
    yield 0.5
    ui.region("UI").active_panel_category = "MakeItTalk"
    yield from example()
    bpy.ops.screen.animation_cancel()
    yield 1.0
    ui.shot("first-6-scene-with-work")
    root = characters()[0].makeittalk.rig
    space = ui.area.spaces.active
    seen["worked"] = {
        "place": [*root.location, *root.rotation_euler],
        "same camera": bpy.context.scene.camera == camera,
        "looks at": list(space.region_3d.view_location),
        "colour": space.shading.color_type,
    }
    with ui.viewport():
        bpy.ops.makeittalk.show_texture()
    yield 1.0
    seen["worked"]["colour then"] = space.shading.color_type
    ui.shot("first-7-texture")


run(user(), seen, ui)
