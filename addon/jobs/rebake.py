"""New curves for other smoothing or another rate: asked of the backend while the user goes on, one undo step."""

from __future__ import annotations

import time
from pathlib import Path

import bpy

from ...backend.makeittalk.exchange import protocol
from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..scene import character as characters
from ..scene import performance
from ..scene.setup import frame_rate
from . import connection
from .backend_job import BackendJob

_DEBOUNCE = 0.03  # s without another change before the backend is asked
_TICK = 0.02  # s


class Rebake(BackendJob):
    """One re-bake of one character, under way.

    Args:
        character: the character's collection.
        spoken: which of its speeches.
        fps: the scene's rate.

    Raises:
        MakeItTalkError: the backend cannot be started, or what the file keeps is damaged.
    """

    def __init__(self, character: bpy.types.Collection, spoken: bpy.types.PropertyGroup, fps: float) -> None:
        super().__init__(protocol.RebakeData)
        self.uid, self.speech = character.session_uid, spoken.uid
        self.smooth = character.makeittalk.smooth
        try:
            motion, mesh = characters.kept_files(character, spoken)
        except BaseException:
            self.discard()
            raise
        self.submit(
            protocol.Rebake(motion=str(motion), mesh=str(mesh), folder=str(self.folder), fps=fps, smooth=self.smooth)
        )

    def apply(self) -> None:
        """Writes the finished job's curves; whatever the animator keyed stays on top of them.

        Raises:
            MakeItTalkError: the job failed, or the character has gone.
        """
        try:
            data = self.answer()
            character, spoken = characters.found_speech(self.uid, self.speech)
            performance.write(character, Path(data.bake), spoken)
        finally:
            self.discard()


_Which = tuple[int, str]  # session identifier of the character, identity of the speech
_due: dict[_Which, float] = {}  # when to re-bake
_running: dict[_Which, Rebake] = {}


def schedule(character: bpy.types.Collection) -> None:
    """Re-bakes a character soon, after the last of the changes that come in quick succession.

    Without a window there are no timers: scripts call the operator, which blocks.
    """
    if bpy.app.background:
        return
    for spoken in character.makeittalk.speeches:
        _due[character.session_uid, spoken.uid] = time.monotonic() + _DEBOUNCE
    if not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=_TICK)


def _tick() -> float | None:
    session = bpy.context.window_manager.makeittalk
    try:
        _start_due()
        _take_finished()
    except MakeItTalkError as error:
        session.say(error.message, error.hint, error=True)
        connection.redraw_panels()
    return _TICK if _due or _running else None


def _start_due() -> None:
    now = time.monotonic()
    for which in [which for which, when in _due.items() if when <= now]:
        if which in _running:
            _running[which].cancel()  # its answer is out of date: ask again when it has ended
            continue
        client = connection.current()
        if client is not None and client.alive and client.busy:
            continue  # a job of the user's goes first
        del _due[which]
        uid, identity = which
        character = characters.find(uid)
        speeches = character.makeittalk.speeches if character is not None else ()
        for spoken in [item for item in speeches if item.uid == identity]:
            _running[which] = Rebake(character, spoken, frame_rate(bpy.context.scene))


def _take_finished() -> None:
    session = bpy.context.window_manager.makeittalk
    for which, rebake in list(_running.items()):
        if not rebake.poll():
            continue
        del _running[which]
        character = characters.find(rebake.uid)
        if rebake.cancelled or character is None:
            rebake.discard()
            continue
        if character.makeittalk.smooth != rebake.smooth:  # an undo came in between
            rebake.discard()
            schedule(character)
            continue
        rebake.apply()
        session.say("")
        connection.redraw_panels()
        bpy.ops.ed.undo_push(message="Re-bake")


def unregister() -> None:
    _due.clear()
    for rebake in _running.values():
        rebake.discard()
    _running.clear()
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
