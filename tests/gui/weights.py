"""Runs inside a real Blender window: weights imported through the file browser, then chosen in panel and preferences.

    blender --enable-event-simulate --python weights.py -- ZIP CLONE FOLDER

CLONE is what a clone of the original repository would be. FOLDER receives the screenshots and `result.json`: what was
seen at each step, or the error that ended it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))  # Blender runs this file by its path
import window
from window import MODULE, Window, addon, arguments, browser, install, run, session

ARCHIVE, CLONE, FOLDER = arguments()
until = partial(window.until, limit=120.0)  # s for any one thing to happen
seen: dict[str, object] = {}
ui = Window(Path(FOLDER))


def choose(picture: str = "") -> Iterator[float]:
    """Opens the browser by the operator, goes into the clone's folder and accepts it."""
    with ui.viewport():
        assert bpy.ops.makeittalk.import_weights("INVOKE_DEFAULT") == {"RUNNING_MODAL"}
    shown, area = yield from until(browser, "the file browser is open")
    area.spaces.active.params.directory = CLONE.encode()
    yield 1.5
    if picture:
        ui.shot(picture)
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=shown, area=area, region=region):
        bpy.ops.file.execute("INVOKE_DEFAULT")
    yield from until(lambda: session().running, "the import has begun")


def user() -> Iterator[float]:
    """The user, who waits as many seconds as she yields."""
    yield 1.0
    install(ARCHIVE)
    for name, panels in (("MAKEITTALK_PT_options", "main"),):
        panel = getattr(addon(f"panels.{panels}"), name)
        bpy.utils.unregister_class(panel)
        panel.bl_options = set()  # open from the start
        bpy.utils.register_class(panel)
    ui.area.spaces.active.show_region_ui = True
    yield 0.5
    ui.region("UI").active_panel_category = "MakeItTalk"
    yield 0.5

    yield from choose("weights-1-browser")
    stages = set()
    yield from until(lambda: stages.add(session().stage) or "Converting" in session().stage, "it converts")
    ui.shot("weights-2-converting")
    ui.key("ESC")
    yield from until(lambda: not session().running, "the import has ended")
    menu = addon("properties.weight_sets")
    settings = bpy.context.scene.makeittalk
    seen["cancelled"] = [session().message, [item[1] for item in menu._items(settings, None)]]

    yield from choose()
    frames = 0

    def counted() -> bool:
        nonlocal frames
        frames += 1
        stages.add(session().stage.split()[0] if session().stage else "")
        return not session().running

    yield from until(counted, "the import has ended")
    seen["steps"], seen["stages"] = frames, sorted(stages)
    seen["imported"] = [session().message, [item[1] for item in menu._items(settings, None)]]
    settings.weights = "released"
    yield 0.5
    ui.rest()
    ui.scroll(12)
    yield 1.0
    ui.shot("weights-3-panel")
    seen["chosen"] = settings.weights_set

    preferences = bpy.context.preferences.addons[MODULE].preferences
    preferences.weights = "released"
    seen["preferred"] = preferences.weights_set
    bpy.ops.preferences.addon_show(module=MODULE)
    yield 2.0
    ui.shot("weights-4-preferences")


run(user(), seen, ui)
