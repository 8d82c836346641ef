"""What Blender is asked to tell of: files that are opened, and amounts that are keyed."""

from __future__ import annotations

import bpy
from bpy.app.handlers import persistent

from . import character as characters
from . import edit_list, performance, upgrade


def register() -> None:
    bpy.app.handlers.load_post.append(_opened)
    bpy.app.handlers.depsgraph_update_post.append(_keyed)
    edit_list.register()
    bpy.app.timers.register(_opened)  # the file that is open now: while add-ons are enabled no data can be touched


def unregister() -> None:
    edit_list.unregister()
    bpy.app.handlers.load_post.remove(_opened)
    bpy.app.handlers.depsgraph_update_post.remove(_keyed)
    if bpy.app.timers.is_registered(_opened):
        bpy.app.timers.unregister(_opened)


@persistent
def _opened(*_arguments: object) -> None:
    """Brings characters of older files up to date."""
    for collection in bpy.data.collections:
        if collection.makeittalk.is_character and collection.library is None:
            upgrade.bring_up_to_date(collection)


@persistent
def _keyed(scene: bpy.types.Scene, graph: bpy.types.Depsgraph) -> None:
    """Lets the generated layers follow amounts whose keys somebody has changed."""
    changed = {update.id.original for update in graph.updates if isinstance(update.id, bpy.types.Action)}
    if not changed:
        return
    for character in characters.characters(scene):
        rig = character.makeittalk.rig
        if rig is not None and rig.animation_data is not None and rig.animation_data.action in changed:
            performance.follow_keyed_amounts(character)
