"""Runs inside a real Blender window: a user's session, by simulated mouse and keys, with a screenshot of each state.

    blender --enable-event-simulate --python drive.py -- ZIP PORTRAIT SPEECH NETWORK FOLDER

NETWORK holds weights for photoreal frames. FOLDER receives the screenshots and `result.json`: what was seen at each
step, or the error that ended it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))  # Blender runs this file by its path
import window
from window import Window, addon, arguments, characters, install, run, session

ARCHIVE, PORTRAIT, SPEECH, NETWORK, FOLDER = arguments()
until = partial(window.until, limit=90.0)  # s for any one thing to happen
seen: dict[str, object] = {}
ui = Window(Path(FOLDER))


def state() -> dict[str, object]:
    """What matters of this moment."""
    said = session()
    return {
        "running": said.running,
        "fraction": round(said.fraction, 3),
        "stage": said.stage,
        "message": said.message,
        "hint": said.hint,
        "is_error": said.is_error,
        "characters": [item.name for item in characters()],
        "objects": len(bpy.data.objects),
        "range": [bpy.context.scene.frame_start, bpy.context.scene.frame_end],
        "backend": addon("jobs.connection").status()[0],
    }


def press(halted: bool = False) -> Iterator[float]:
    """Clicks Make It Talk and waits until the backend is at work; one that is halted has been asked at least."""
    ui.rest()  # an error's popup closes behind the mouse
    yield 0.8
    x, y = yield from ui.big_button("before-click")
    ui.move(x, y - 3)
    yield 0.3
    ui.click(x, y)
    yield from until(lambda: session().running, "the job starts")
    yield from until(lambda: halted or session().fraction > 0.02, "the job gets on")
    yield 0.2


def photoreal() -> Iterator[float]:
    """Starts Photoreal Frames as its button does and waits until frames are drawn."""
    with bpy.context.temp_override(window=ui.window, area=ui.area, region=ui.region("UI")):
        assert bpy.ops.makeittalk.photoreal_frames("INVOKE_DEFAULT", weights=NETWORK) == {"RUNNING_MODAL"}
    yield from until(lambda: session().stage.startswith("Frame ") or not session().running, "frames are drawn")
    yield 0.1


def photoreal_files() -> dict[str, int]:
    """When each frame of the active character was written."""
    addon_job = addon("jobs.photoreal")
    folder, _kept = addon_job.output_folder(addon("scene.character").active(bpy.context))
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.png")}


def face_curve() -> list[float]:
    character = addon("scene.character").active(bpy.context)
    block = character.makeittalk.body.data.shape_keys.key_blocks["jawOpen"]
    found = []
    for frame in range(1, 100, 3):
        bpy.context.scene.frame_set(frame)
        found.append(block.value)
    return found


def user() -> Iterator[float]:
    """The user, who waits as many seconds as she yields."""
    yield 1.0
    install(ARCHIVE)
    bpy.context.scene.frame_set(1)
    ui.area.spaces.active.show_region_ui = True
    yield 0.5
    ui.region("UI").active_panel_category = "MakeItTalk"
    yield 0.5
    ui.shot("1-panel-empty")
    seen["empty"] = state()
    settings = bpy.context.scene.makeittalk
    settings.portrait, settings.speech = PORTRAIT, SPEECH
    ui.area.tag_redraw()
    yield 0.5
    ui.shot("2-panel-ready")

    yield from press()
    ui.shot("3-progress")
    seen["progress"] = state()
    ui.key("ESC")
    yield from until(lambda: not session().running, "ESC cancels")
    yield 0.5
    ui.shot("4-cancelled")
    seen["cancelled"] = state()

    yield from press()
    yield from until(lambda: not session().running, "the job ends")
    yield 1.5
    ui.shot("5-done")
    seen["done"] = state()
    assert characters(), session().message
    bpy.context.scene.frame_set(40)
    yield 1.0
    ui.shot("6-speaking")

    ui.key("Z", ctrl=True)
    yield from until(lambda: not characters(), "one undo takes the character away")
    seen["undone"] = state()
    ui.key("Z", ctrl=True, shift=True)
    yield from until(lambda: bool(characters()), "redo brings it back")
    yield 0.5

    before = face_curve()
    for amount in (0.9, 0.7, 0.5):  # a drag
        characters()[0].makeittalk.lip = amount
        yield 0.1
    seen["opening"] = [max(before) - min(before), max(face_curve()) - min(face_curve())]
    characters()[0].makeittalk.lip = 1.0
    seen["amount turned back"] = face_curve() == before
    for amount in (1.3, 1.7, 2.0):  # a drag
        session().smooth = amount
        yield 0.1
    yield from until(lambda: face_curve() != before, "the smoothing re-bakes")
    yield 0.5
    ui.shot("7-rebaked")
    ui.key("Z", ctrl=True)
    yield from until(lambda: session().smooth == 1.0, "one undo turns the smoothing back")
    seen["undone rebake"] = face_curve() == before
    yield 0.5

    pid = addon("jobs.connection").current().process.pid
    os.kill(pid, signal.SIGSTOP)  # it knows portrait and speech, and might be done before it is killed
    yield from press(halted=True)
    os.kill(pid, signal.SIGKILL)
    yield from until(lambda: not session().running, "the death is noticed")
    yield 0.5
    ui.shot("8-killed")
    seen["killed"] = state()
    yield from press()
    yield from until(lambda: not session().running, "the next run ends")
    yield 1.5
    ui.shot("9-recovered")
    seen["recovered"] = state()

    bpy.ops.makeittalk.select_character(name=characters()[0].name)  # the one that the camera sees
    scene, settings = bpy.context.scene, addon("scene.character").active(bpy.context).makeittalk
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 20, 59
    settings.photo_range = "PREVIEW"
    scene.frame_set(45)
    yield from photoreal()
    ui.shot("10-photoreal-progress")
    seen["photoreal progress"] = state()
    ui.key("ESC")
    yield from until(lambda: not session().running, "ESC cancels the frames")
    yield 0.5
    kept = photoreal_files()
    seen["photoreal cancelled"] = state() | {"frames": len(kept), "frame": scene.frame_current}
    yield from photoreal()
    yield from until(lambda: not session().running, "the frames are finished")
    yield 1.5
    ui.scroll(40)
    yield 1.0
    ui.shot("11-photoreal")
    files = photoreal_files()
    seen["photoreal"] = state() | {
        "frames": len(files),
        "kept": all(files[name] == when for name, when in kept.items()),
        "shown": settings.show_photoreal and settings.plane is not None and settings.body.hide_viewport,
    }
    ui.key("Z", ctrl=True)
    shown = lambda: addon("scene.photo_plane").plane_of(addon("scene.character").active(bpy.context))  # noqa: E731
    yield from until(lambda: shown() is None, "one undo takes the plane away")
    ui.key("Z", ctrl=True, shift=True)
    yield from until(lambda: shown() is not None, "redo brings it back")
    yield 0.5
    ui.shot("12-photoreal-redone")


run(user(), seen, ui)
