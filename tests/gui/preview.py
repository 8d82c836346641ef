"""Runs inside a real Blender window: a preview is started, dragged, changed, stopped, started again and kept.

    blender --enable-event-simulate --python preview.py -- ZIP PORTRAIT SPEECH OTHER_PORTRAIT OTHER_SPEECH FOLDER

The others are what the backend has seen before, when it has just started. FOLDER receives the screenshots and
`result.json`: what was seen at each step, or the error that ended it.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))  # Blender runs this file by its path
import window
from window import Window, addon, arguments, characters, install, run, session

ARCHIVE, PORTRAIT, SPEECH, OTHER_PORTRAIT, OTHER_SPEECH, FOLDER = arguments()
until = partial(window.until, limit=120.0)  # s for any one thing to happen
seen: dict[str, Any] = {}
ui = Window(Path(FOLDER))


def preview() -> Any:
    return addon("jobs.long_job").current_job()


def press() -> None:
    """Presses Preview."""
    with ui.viewport():
        assert bpy.ops.makeittalk.preview("INVOKE_DEFAULT") == {"RUNNING_MODAL"}


def traces() -> dict[str, Any]:
    """All that a preview could leave behind."""
    kinds = ("objects", "meshes", "images", "actions", "sounds", "texts", "materials", "collections", "armatures")
    return {
        "data": {kind: sorted(item.name for item in getattr(bpy.data, kind)) for kind in kinds},
        "folders": sorted(path.name for path in Path(tempfile.gettempdir()).glob("makeittalk-*")),
        "running": session().running or session().previewing,
        "modal": len(ui.window.modal_operators),
        "frame": bpy.context.scene.frame_current,
        "range": [bpy.context.scene.frame_start, bpy.context.scene.frame_end],
        "dirty": bpy.data.is_dirty,
    }


def picture() -> np.ndarray:
    """What is on the screen of the preview's picture, (H, W, 3) floats 0–255, first row on top."""
    box, region = preview().overlay.layout.picture, ui.region("WINDOW")
    pixels = ui.shot("picture")
    left, bottom = region.x + round(box.left), region.y + round(box.bottom)
    return 255.0 * pixels[bottom : bottom + round(box.height), left : left + round(box.width)][::-1]


def pose(frame: float) -> Any:
    """What the preview shows on a frame, at the settings' amounts."""
    return preview().overlay.motion.pose(frame, preview()._amounts())


def values() -> np.ndarray:
    """The values of the shape keys on every frame, at the settings' amounts."""
    motion, amounts = preview().overlay.motion, preview()._amounts()
    return np.array([motion.key_values(frame, amounts) for frame in range(motion.frames)])


def widest() -> int:
    """The frame on which the face is furthest from the first one."""
    rest = pose(0.0).positions
    return max(range(preview().overlay.motion.frames), key=lambda frame: np.abs(pose(frame).positions - rest).sum())


def bar(share: float) -> tuple[int, int]:
    """A place on the bar of time, in the window."""
    box, region = preview().overlay.layout.bar, ui.region("WINDOW")
    return region.x + round(box.left + share * box.width), region.y + round(box.bottom + box.height / 2)


def drag(*shares: float) -> Iterator[float]:
    """Drags along the bar of time."""
    for number, share in enumerate(shares):
        x, y = bar(share)
        ui.move(x, y)
        yield 0.2
        if number == 0:
            ui.window.event_simulate(type="LEFTMOUSE", value="PRESS", x=x, y=y)
            yield 0.2
    ui.window.event_simulate(type="LEFTMOUSE", value="RELEASE", x=x, y=y)
    yield 0.4


def user() -> Iterator[float]:
    """The user, who waits as many seconds as she yields."""
    yield 1.0
    install(ARCHIVE)
    ui.area.spaces.active.show_region_ui = True
    yield 0.5
    ui.region("UI").active_panel_category = "MakeItTalk"
    # Beside the .blend, so that their paths are relative.
    path = Path(PORTRAIT).parent / "kept.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    settings = bpy.context.scene.makeittalk
    settings.portrait, settings.speech, settings.seed = OTHER_PORTRAIT, OTHER_SPEECH, 3
    yield 0.5
    ui.shot("preview-0-ready")
    # The first one starts the backend, which loads its networks.
    press()
    yield from until(lambda: preview().overlay.pictures, "the first picture of a backend that starts")
    yield from until(lambda: preview().whole, "all is predicted")
    ui.key("ESC")
    yield from until(lambda: not session().running, "it ends")
    settings.portrait, settings.speech = f"//{Path(PORTRAIT).name}", f"//{Path(SPEECH).name}"
    bpy.ops.ed.undo_push(message="Fill the fields")
    yield 0.5
    seen["before"] = traces()

    begun = time.monotonic()
    press()
    job = preview()
    yield from until(lambda: job.overlay.pictures, "the first picture")
    seen["first picture"] = job.first_picture
    yield from until(lambda: job.playback.until > 0.0, "the first speech")
    seen["first speech"] = time.monotonic() - begun
    seen["provisional"] = {"until": job.playback.until, "seconds": job.playback.seconds, "note": job.overlay.note}
    yield from until(lambda: job.playback.place > 1.1, "it plays on")  # where the mouth is open
    ui.shot("preview-1-streamed")
    yield from until(lambda: job.whole, "all is predicted")
    seen["whole"] = {"until": job.playback.until, "seconds": job.playback.seconds, "note": job.overlay.note}
    place, now = job.playback.place, time.monotonic()
    yield 1.0
    seen["plays"] = [(job.playback.place - place) % job.playback.seconds, time.monotonic() - now]
    ui.shot("preview-2-whole")

    ui.key("SPACE")
    yield 0.3
    seen["paused"] = not job.playback.playing
    yield from drag(0.1, 0.3, 0.45)
    seen["dragged"] = job.playback.place / job.playback.seconds
    ui.rest()
    frame = round(job.playback.place * 24)
    ui.key("RIGHT_ARROW")
    yield 0.3
    seen["stepped"] = [frame, job.playback.place * 24]
    job.playback.seek(widest() / 24)
    yield 0.5
    shown = picture()
    drawn = job.overlay._picture.read().astype(float)[..., :3]
    seen["screen is what was drawn"] = float(np.abs(shown - drawn).mean()) if shown.shape == drawn.shape else -1.0
    ui.shot("preview-3-widest")
    settings.lip = 0.0
    yield 0.5
    seen["lips away"] = float(np.abs(picture() - shown).max())
    settings.lip = 1.0
    yield 0.5
    seen["lips back"] = float(np.abs(picture() - shown).mean())
    before = values()
    settings.smooth = 3.0
    yield from until(lambda: not np.array_equal(values(), before), "it is baked again")
    settings.smooth = 1.0
    yield from until(lambda: job.whole, "and again")
    seen["smoothing back"] = bool(np.array_equal(values(), before))
    head = pose(60.0).head
    job.playback.play()
    settings.seed = 11
    seen["note"] = yield from until(lambda: "new take" in job.overlay.note and job.overlay.note, "it says so")
    seen["plays meanwhile"] = job.playback.playing and not job.whole and job.overlay.motion is not None
    yield from until(lambda: job.whole, "another seed is predicted")
    seen["another seed"] = float(np.abs(pose(60.0).head - head)[:3, :3].max())
    settings.seed = 3
    yield from until(lambda: job.whole and job._wanted.rest[-1] == 3, "the first one again")
    ui.rest()
    ui.key("ESC")
    yield from until(lambda: not session().running, "ESC ends it")
    yield 0.5
    seen["after"] = traces()
    seen["stopped"] = {"message": session().message, "error": session().is_error}
    ui.shot("preview-4-stopped")
    ui.key("Z", ctrl=True)
    yield 1.0
    seen["undone"] = bpy.context.scene.makeittalk.portrait  # the step before the fields were filled
    ui.key("Z", ctrl=True, shift=True)
    yield 1.0
    seen["redone"] = bpy.context.scene.makeittalk.portrait

    # An undo that takes the portrait away ends it, and so does a viewport that becomes another editor.
    press()
    yield from until(lambda: preview().overlay.pictures, "a picture")
    ui.key("Z", ctrl=True)
    yield from until(lambda: not session().running, "the undo is noticed")
    yield 0.5
    seen["undone while it ran"] = {"message": session().message, "traces": traces()}
    ui.rest()
    yield 1.0
    ui.key("ESC")  # the error's popup
    yield 0.5
    ui.key("Z", ctrl=True, shift=True)
    yield 0.5
    press()
    yield from until(lambda: preview().overlay.pictures, "a picture")
    area = ui.area
    area.type = "TEXT_EDITOR"
    yield from until(lambda: not session().running, "the viewport is missed")
    area.type = "VIEW_3D"
    yield 0.5
    seen["no viewport"] = {"message": session().message, "traces": traces()}

    # A backend that dies is a sentence, and nothing stays.
    settings = bpy.context.scene.makeittalk  # undo has replaced it
    settings.seed = 21
    press()
    yield from until(lambda: preview()._coming.job.fraction > 0.0, "the backend is at it")
    os.kill(addon("jobs.connection").current().process.pid, signal.SIGKILL)
    yield from until(lambda: not session().running, "the death is noticed")
    yield 0.5
    seen["killed"] = {"message": session().message, "hint": session().hint, "error": session().is_error} | {
        "traces": traces()
    }
    ui.rest()
    yield 1.0
    ui.key("ESC")  # the error's popup
    yield 0.5

    # Opening a file ends it.
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    press()
    yield from until(lambda: preview().overlay.pictures, "a picture")
    job = preview()
    with ui.viewport():
        bpy.ops.wm.open_mainfile(filepath=str(path))
    yield 1.0
    seen["opened"] = {"handler": job.overlay._handler is None, "job": preview() is None} | {"traces": traces()}

    ui.area.spaces.active.show_region_ui = True
    press()
    job = preview()
    yield from until(lambda: job.playback.until > 0.0, "the first speech")
    bpy.context.scene.makeittalk.lip = 1.5
    ui.key("RET")
    yield 0.2
    yield from until(lambda: characters() or session().is_error, "it is kept")
    yield 1.0
    character = characters()[0]
    bpy.context.scene.frame_set(40)
    yield 0.7
    ui.shot("preview-5-kept")
    seen["kept"] = {
        "name": character.name,
        "lip": character.makeittalk.lip,
        "seed": character.makeittalk.seed,
        "frames": character.makeittalk.frames,
        "message": session().message,
        "traces": traces(),
    }
    ui.key("Z", ctrl=True)
    yield from until(lambda: not characters(), "one undo takes it away")
    ui.key("Z", ctrl=True, shift=True)
    yield from until(lambda: bool(characters()), "redo brings it back")
    yield 0.5
    # Blender is quit while one plays.
    press()
    yield from until(lambda: preview().overlay.pictures, "a picture")


run(user(), seen, ui)
