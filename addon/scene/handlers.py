"""What Blender is asked to tell of: files that are opened, amounts that are keyed, characters that are copied."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import bpy
from bpy.app.handlers import persistent

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from . import base_layer, copies, edit_list, kept_paths, kept_values, layers, performance, upgrade
from . import character as characters

_SETTLED = 0.2  # s after a copy was made and moved before it becomes a character
_known_objects = 0


def register() -> None:
    bpy.app.handlers.load_post.append(_opened)
    bpy.app.handlers.depsgraph_update_post.append(_updated)
    edit_list.register()
    kept_paths.register()
    bpy.app.timers.register(_opened)  # the file that is open now: while add-ons are enabled no data can be touched


def unregister() -> None:
    kept_paths.unregister()
    edit_list.unregister()
    bpy.app.handlers.load_post.remove(_opened)
    bpy.app.handlers.depsgraph_update_post.remove(_updated)
    for timer in (_opened, _settle):
        if bpy.app.timers.is_registered(timer):
            bpy.app.timers.unregister(timer)


@persistent
def _opened(*_arguments: object) -> None:
    """Brings characters of older files, and of other Blenders, up to date."""
    for scene in bpy.data.scenes:
        if scene.library is None:
            kept_values.put_right_scene(scene)
    for collection in bpy.data.collections:
        if collection.makeittalk.is_character and collection.library is None:
            with _told():
                _bring_up_to_date(collection)


def _bring_up_to_date(character: bpy.types.Collection) -> None:
    kept_values.put_right(character)
    upgrade.bring_up_to_date(character)
    body = character.makeittalk.body
    keys = body.data.shape_keys if body is not None else None
    if keys is not None and any(True for _ in layers.layers(keys)):
        base_layer.ensure(character, character.makeittalk.start)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Shows in the panel what is wrong with one character, for the others' sake: nobody has pressed anything."""
    try:
        yield
    except MakeItTalkError as error:
        bpy.context.window_manager.makeittalk.say(error.message, error.hint, error=True)


@persistent
def _updated(scene: bpy.types.Scene, graph: bpy.types.Depsgraph) -> None:
    global _known_objects
    changed = {update.id.original for update in graph.updates if isinstance(update.id, bpy.types.Action)}
    if changed:
        _follow_amounts(scene, changed)
    if len(bpy.data.objects) != _known_objects:
        _known_objects = len(bpy.data.objects)
        for character in characters.characters(scene):  # appended, perhaps
            if character.library is None:
                kept_values.put_right(character)
        if bpy.app.background:
            with _told():
                copies.settle(scene)
        elif not bpy.app.timers.is_registered(_settle):
            bpy.app.timers.register(_settle, first_interval=_SETTLED)


def _follow_amounts(scene: bpy.types.Scene, changed: set[bpy.types.ID]) -> None:
    """Lets the generated layers follow amounts whose keys somebody has changed."""
    for character in characters.characters(scene):
        rig = character.makeittalk.rig
        if rig is not None and rig.animation_data is not None and rig.animation_data.action in changed:
            with _told():
                performance.follow_keyed_amounts(character)


def _settle() -> float | None:
    """Makes characters of copies, once the user has put them where they belong."""
    window = bpy.context.window_manager.windows[0]
    if len(window.modal_operators):
        return _SETTLED
    made = False
    with _told():
        made = bool(copies.settle(window.scene))
    if made:
        bpy.ops.ed.undo_push(message="Copy of a Character")
    return None
