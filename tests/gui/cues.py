"""Runs inside a real Blender window: words and phones marked, mouth shapes exported through the file browser.

    blender --enable-event-simulate --python cues.py -- ZIP ASSETS FOLDER

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
from window import Window, addon, arguments, browser, characters, install, run, session

ARCHIVE, ASSETS, FOLDER = arguments()
until = partial(window.until, limit=120.0)  # s for any one thing to happen
seen: dict[str, object] = {}
ui = Window(Path(FOLDER))


def names() -> list[str]:
    return [marker.name for marker in sorted(bpy.context.scene.timeline_markers, key=lambda marker: marker.frame)]


def user() -> Iterator[float]:
    """The animator, who waits as many seconds as she yields."""
    yield 1.0
    install(ARCHIVE)
    for name, panels in (("MAKEITTALK_PT_cues", "cues"), ("MAKEITTALK_PT_export", "export")):
        panel = getattr(addon(f"panels.{panels}"), name)
        bpy.utils.unregister_class(panel)
        panel.bl_options = set()  # open from the start
        bpy.utils.register_class(panel)
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

    characters()[0].makeittalk.current.words = (Path(ASSETS) / "speech.txt").read_text().strip()
    with ui.viewport():
        seen["mark words"] = list(bpy.ops.makeittalk.mark_words("INVOKE_DEFAULT"))
    yield from until(lambda: not session().running, "words are marked")
    seen["words"] = names()
    known = {area.as_pointer() for area in ui.window.screen.areas}
    with ui.viewport():
        bpy.ops.screen.area_split(direction="HORIZONTAL", factor=0.35)
    yield 0.5
    timeline = next(area for area in ui.window.screen.areas if area.as_pointer() not in known)
    if timeline.y > ui.area.y:  # the new one may be either half
        timeline = ui.area
    timeline.ui_type = "TIMELINE"
    timeline.spaces.active.show_region_ui = timeline.spaces.active.show_region_channels = False
    yield 0.5
    region = next(region for region in timeline.regions if region.type == "WINDOW")
    bpy.context.scene.frame_current = 40
    with bpy.context.temp_override(window=ui.window, area=timeline, region=region):
        bpy.ops.action.view_all()
    ui.scroll(30)
    yield 1.0
    ui.shot("cues-1-words")
    bpy.ops.ed.undo()
    yield 0.5
    seen["undone"] = names()
    bpy.ops.ed.redo()
    yield 0.5
    seen["redone"] = names()

    with ui.viewport():
        bpy.ops.makeittalk.mark_phones("INVOKE_DEFAULT")
    yield 0.0
    ui.key("ESC")
    yield from until(lambda: not session().running, "it is cancelled, or done")
    seen["cancelled"] = [session().message, len(names())]

    with ui.viewport():
        seen["browser"] = list(bpy.ops.makeittalk.export_visemes("INVOKE_DEFAULT"))
    shown, area = yield from until(browser, "the file browser is open")
    yield 1.0
    ui.shot("cues-2-export")
    region = next(region for region in area.regions if region.type == "WINDOW")
    area.spaces.active.params.directory = FOLDER.encode()
    area.spaces.active.params.filename = "shapes.tsv"
    with bpy.context.temp_override(window=shown, area=area, region=region):
        bpy.ops.file.execute("INVOKE_DEFAULT")
    yield from until(lambda: session().running or (Path(FOLDER) / "shapes.tsv").is_file(), "the export has begun")
    seen["beside the user's work"] = session().running
    yield from until(lambda: not session().running, "the shapes are written")
    yield 0.5
    seen["told"] = session().message
    seen["file"] = (Path(FOLDER) / "shapes.tsv").read_text()
    ui.shot("cues-3-exported")


run(user(), seen, ui)
