"""Runs inside a real Blender window: a user chooses a list in the file browser, takes steps back, stops another run.

    blender --enable-event-simulate --python make_list.py -- ZIP LIST FOLDER

FOLDER receives the screenshots and `result.json`: what was seen at each step, or the error that ended it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))  # Blender runs this file by its path
import window
from window import Window, arguments, browser, characters, install, run, session

ARCHIVE, LIST, FOLDER = arguments()
until = partial(window.until, limit=120.0)  # s for any one thing to happen
seen: dict[str, object] = {}
ui = Window(Path(FOLDER))


def names() -> list[str]:
    return sorted(item.name for item in characters())


def choose() -> Iterator[float]:
    """Presses the button and names the list in the browser."""
    with bpy.context.temp_override(window=ui.window, area=ui.area, region=ui.region("UI")):
        assert bpy.ops.makeittalk.make_from_list("INVOKE_DEFAULT") == {"RUNNING_MODAL"}
    shown, area = yield from until(browser, "the file browser")
    yield 1.0
    parameters = area.spaces.active.params
    parameters.directory, parameters.filename = os.fsencode(os.path.dirname(LIST)), os.path.basename(LIST)
    yield 0.5
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=shown, area=area, region=region):
        bpy.ops.file.execute()
    yield from until(lambda: session().running, "the job starts")


def user() -> Iterator[float]:
    """The user, who waits as many seconds as she yields."""
    yield 1.0
    install(ARCHIVE)
    ui.area.spaces.active.show_region_ui = True
    yield 0.5
    ui.region("UI").active_panel_category = "MakeItTalk"
    yield 1.0
    ui.shot("list-1-panel")
    yield from choose()
    yield from until(lambda: session().stage.startswith(("1 of 3", "2 of 3")), "the first line is under way")
    yield 0.5
    ui.shot("list-2-progress")
    seen["stage"] = session().stage
    yield from until(lambda: not session().running, "the list is made")
    yield 1.0
    ui.shot("list-3-done")
    seen["made"], seen["message"] = names(), session().message
    for step in ("one back", "two back", "three back"):
        ui.key("Z", ctrl=True)
        yield 1.0
        seen[step] = names()
    yield from choose()
    yield from until(lambda: len(characters()) == 1, "the first character")
    yield 0.3
    ui.key("ESC")
    yield from until(lambda: not session().running, "ESC cancels")
    yield 1.0
    seen["stopped"], seen["said"] = names(), session().message
    ui.key("Z", ctrl=True)
    yield 1.0
    seen["stopped, one back"] = names()


run(user(), seen, ui)
