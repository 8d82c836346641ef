"""Runs inside a real Blender window: random steps of an animator's, with the window's own undo, redraws and timers.

    blender --enable-event-simulate --python random_steps.py -- ZIP ASSETS RECORDING SEED STEPS SECONDS FOLDER

FOLDER receives `result.json`: how many steps, edits and losses there were, or the error that ended them. It ends after
STEPS, or with the first step after SECONDS.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).parent))  # Blender runs this file by its path
import window
from torture import Torture
from window import MODULE, Window, addon, arguments, characters, install, run, session

ARCHIVE, ASSETS, RECORDING, SEED, STEPS, SECONDS, FOLDER = arguments()
until = partial(window.until, limit=120.0)  # s for any one thing to happen
seen: dict[str, object] = {}
ui = Window(Path(FOLDER))


def part(path: str) -> ModuleType:
    """A module of the installed extension."""
    return importlib.import_module(f"{MODULE}.{path}")


def ask(operator: Any, **arguments: str) -> Iterator[float]:
    """Runs an operator as a button does, which goes on beside the window's work, and what it has started."""
    with ui.viewport():
        done = operator("INVOKE_DEFAULT", **arguments)
    assert done in ({"FINISHED"}, {"RUNNING_MODAL"}), done
    baking = addon("jobs.rebake")
    yield from until(lambda: not (session().running or baking._due or baking._running), "the backend has answered")
    assert not session().is_error, session().message


def user() -> Iterator[float]:
    """The animator, who waits as many seconds as she yields."""
    yield 1.0
    install(ARCHIVE)
    yield 0.5
    bpy.context.preferences.edit.undo_steps = 256
    settings = bpy.context.scene.makeittalk
    settings.portrait, settings.speech = f"{ASSETS}/portrait_cartoon.png", f"{ASSETS}/speech.flac"
    settings.seed = 0
    yield from ask(bpy.ops.makeittalk.make_it_talk)
    yield from until(lambda: len(characters()) == 1, "the character is there")
    if bpy.context.screen.is_animation_playing:
        bpy.ops.screen.animation_cancel(restore_frame=False)
    made = Torture(part, int(SEED), Path(FOLDER), [Path(ASSETS) / "speech.flac", Path(RECORDING)], ask)
    end = time.monotonic() + float(SECONDS)
    for wait in made.steps(int(STEPS)):
        yield wait + 0.02  # Blender draws in between
        if time.monotonic() > end:
            break
    seen["steps"], seen["edits"], seen["summary"] = sum(made.done.values()), made.edits, made.summary
    seen["undone"] = made.done["undo"]


run(user(), seen, ui)
