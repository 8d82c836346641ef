"""The list of edits as the panel draws it: made anew a moment after something changed, never while drawing."""

from __future__ import annotations

import bpy
from bpy.app.handlers import persistent

from . import character as characters
from . import edits
from .setup import frame_rate

_WAIT = 0.3  # s after a change; many come one after another while a key is dragged
_known: dict[int, tuple[edits.Edit, ...]] = {}  # by the character's session identifier
_stale: set[int] = set()


def shown(character: bpy.types.Collection) -> tuple[edits.Edit, ...]:
    """The edits of a character as they were found last; where they may have changed they are looked for soon."""
    uid = character.session_uid
    if uid not in _known or uid in _stale:
        _schedule()
    return _known.get(uid, ())


def refresh(scene: bpy.types.Scene) -> None:
    """Looks for the edits of every character of a scene that may have changed."""
    for character in characters.characters(scene):
        uid = character.session_uid
        if uid not in _known or uid in _stale:
            _known[uid] = tuple(edits.edits(character, frame_rate(scene)))
            _stale.discard(uid)


def forget() -> None:
    """Has every list made anew."""
    _stale.update(_known)


def register() -> None:
    for handlers in _events():
        handlers.append(_all_changed)
    bpy.app.handlers.depsgraph_update_post.append(_changed)


def unregister() -> None:
    for handlers in _events():
        handlers.remove(_all_changed)
    bpy.app.handlers.depsgraph_update_post.remove(_changed)
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    _known.clear()
    _stale.clear()


def _events() -> tuple[list, ...]:
    return bpy.app.handlers.undo_post, bpy.app.handlers.redo_post


@persistent
def _all_changed(*_arguments: object) -> None:
    forget()


@persistent
def _changed(_scene: bpy.types.Scene, graph: bpy.types.Depsgraph) -> None:
    if _known and any(isinstance(update.id, bpy.types.Action) for update in graph.updates):
        forget()


def _schedule() -> None:
    if not bpy.app.timers.is_registered(_look):
        bpy.app.timers.register(_look, first_interval=_WAIT)


def _look() -> None:
    if bpy.context.scene is None:
        return
    refresh(bpy.context.scene)
    manager = bpy.context.window_manager
    for window in manager.windows if manager is not None else ():
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()
