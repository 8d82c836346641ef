"""Runs inside a real Blender window: from the installed zip to a character that plays, by clicks that are counted.

    blender --enable-event-simulate --python install.py -- ZIP WHEELS MANNER FOLDER

WHEELS is a folder of wheels. MANNER is "whole", or "killed": Blender is killed in the middle of the installation.
FOLDER receives the screenshots and `result.json`: what was seen, or the error that ended it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))  # Blender runs this file by its path
import window
from window import MODULE, Window, addon, arguments, characters, install, run, session

ARCHIVE, WHEELS, MANNER, FOLDER = arguments()
INSTALLATION = 400.0  # s for it to happen
until = partial(window.until, limit=60.0)  # s for anything else to happen
seen: dict[str, object] = {"stages": []}
ui = Window(Path(FOLDER))
clicks = 0


def click(x: int, y: int) -> None:
    global clicks
    clicks += 1
    ui.click(x, y)


def find_tab() -> Iterator[float]:
    """Where the add-on's tab is: clicks its way down the sidebar's edge, which is not the user's way."""
    region = ui.region("UI")
    for y in range(region.y + region.height - 10, region.y, -12):
        ui.click(region.x + region.width - 8, y)
        yield 0.1
        if region.active_panel_category == "MakeItTalk":
            seen["tab"] = [region.x + region.width - 8, y - 10]
            region.active_panel_category = "View"
            yield 0.3
            return
    raise AssertionError("the tab is nowhere")


def press(name: str, least: int, most: int) -> Iterator[float]:
    """Clicks the tallest button between two heights, found in the screenshot `name`."""
    ui.rest()
    yield 0.8
    x, y = yield from ui.big_button(name, least, most)
    ui.move(x, y - 3)
    yield 0.3
    click(x, y)


def user() -> Iterator[float]:
    """The user, who waits as many seconds as she yields."""
    yield 1.0
    install(ARCHIVE)
    chosen = bpy.context.preferences.addons[MODULE].preferences
    seen["proposed"] = chosen.build
    chosen.wheels = WHEELS  # stands for the network
    ui.area.spaces.active.show_region_ui = True
    yield 1.0
    yield from find_tab()
    begun = time.monotonic()
    click(*seen["tab"])
    yield from until(lambda: ui.region("UI").active_panel_category == "MakeItTalk", "the tab opens")
    yield 0.5
    seen["before"] = addon("jobs.connection").status()[0]

    yield from press("install-1-panel", 28, 46)
    yield from until(lambda: session().running, "the installation starts")
    shots = 0
    while session().running:
        fraction, stage = session().fraction, session().stage
        if not seen["stages"] or seen["stages"][-1][1] != stage:
            seen["stages"].append([round(fraction, 3), stage, round(time.monotonic() - begun, 1)])
        if shots == 0 and fraction > 0.25:
            shots += 1
            ui.shot("install-2-progress")
        if MANNER == "killed" and stage.startswith("Unpacking") and fraction > 0.2:
            os.kill(os.getpid(), signal.SIGKILL)
        assert time.monotonic() - begun < INSTALLATION, f"the installation takes too long: {stage}"
        yield 0.05
    yield 1.0
    ui.shot("install-3-installed")
    seen["installed"] = {"message": session().message, "hint": session().hint, "is_error": session().is_error}
    assert not session().is_error, f"{session().message} {session().hint}"
    seen["seconds to install"] = round(time.monotonic() - begun, 1)

    yield from press("install-4-example", 24, 27)
    yield from until(lambda: session().running, "the example starts")
    yield from until(lambda: not session().running, "the example is made", limit=INSTALLATION)
    yield 1.0
    seen["seconds to the first character"] = round(time.monotonic() - begun, 1)
    seen["clicks"] = clicks
    seen["made"] = {"characters": [item.name for item in characters()], "message": session().message}
    seen["playing"] = ui.window.screen.is_animation_playing
    frame = bpy.context.scene.frame_current
    yield 2.0
    seen["moved"] = bpy.context.scene.frame_current - frame
    ui.shot("install-5-playing")
    seen["backend"] = addon("jobs.connection").current().command[0]
    bpy.ops.screen.animation_cancel()

    bpy.ops.makeittalk.test_backend()
    seen["tested"] = {"message": session().message, "is_error": session().is_error}
    yield 0.5
    with bpy.context.temp_override(window=ui.window):
        bpy.ops.preferences.addon_show(module=MODULE)
    yield 1.5
    ui.shot("install-6-preferences")


run(user(), seen, ui)
