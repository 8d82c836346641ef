"""Brings a character's curves into the Graph Editor: the right object, the right mode, the right layer."""

from __future__ import annotations

import contextlib

import bpy

from .. import compat
from ..core import regions
from ..core.errors import AddonError
from . import bakes, ghost_curves, layers, own_layer, rig

HEAD, FACE = "HEAD", "FACE"
_LOWEST = 200  # px: what is lower shows no curves
_LOWER = 0.4  # of a viewport that is split
_UNFOLDED = 24  # curves that are listed one by one; of more only the groups
_GIVES_WAY = ("DOPESHEET_EDITOR", "NLA_EDITOR", "OUTLINER", "FILE_BROWSER")  # what a Graph Editor may take the place of


def edit_own(character: bpy.types.Collection, part: str) -> int:
    """Selects what carries the animator's own curves of the head or the face, and enters its mode.

    The editing of a generated strip ends: Blender shows the action of an object or the edited strip, never both.

    Returns:
        How many curves there are to see.
    """
    root, keys = own_layer.prepare(character)
    owner = root if part == HEAD else keys
    _enter(character, part)
    holder = compat.assigned_curves(owner)
    for curve in holder.fcurves:
        own_layer.tidy(holder, curve)
    _set_aside(owner)
    return len([curve for curve in holder.fcurves if curve.keyframe_points])


def edit_generated(character: bpy.types.Collection, name: str) -> str:
    """Has Blender edit one generated strip, whose curves it then shows; the layers above play on where it can.

    Args:
        name: of a part, such as "Lips".

    Returns:
        What it moves, HEAD or FACE.

    Raises:
        AddonError: there is no such layer.
    """
    root, keys = bakes.owners_of(character)
    for owner, part in ((root, HEAD), (keys, FACE)):
        found = next((layer for layer in layers.layers(owner) if layer.part == name), None)
        if found is None:
            continue
        layers.leave_tweak_mode(owner)
        _enter(character, part)
        _set_aside(owner)
        animation = owner.animation_data
        for track in animation.nla_tracks:
            for strip in track.strips:
                strip.select = strip == found.strip
        animation.nla_tracks.active = found.track
        if not _tweak_full_stack(owner):
            animation.use_tweak_mode = True
        return part
    raise AddonError(f"{character.name} has no generated layer called {name}.", "Press Re-bake.")


def show(context: bpy.types.Context, character: bpy.types.Collection, part: str, open_editor: bool) -> bool:
    """Sets the window's Graph Editors to show the curves of what is selected, and behind the animator's own ones those
    that are generated for the same channels.

    Args:
        part: which is selected, HEAD or FACE. open_editor: turn another editor into a Graph Editor where there is none.

    Returns:
        Whether there is a Graph Editor.
    """
    areas = list(context.screen.areas) if context.screen is not None else []
    found = [area for area in areas if area.type == "GRAPH_EDITOR" and area.spaces.active.mode == "FCURVES"]
    if not found and open_editor:
        area = _make_room(context, areas)
        if area is not None:
            area.ui_type = "FCURVES"
            space, found = area.spaces.active, [area]
            space.show_region_ui = False  # its panels would take half of the width
            space.show_extrapolation = False
            space.use_only_selected_keyframe_handles = True
    owner = bakes.owners_of(character)[0 if part == HEAD else 1]
    for area in found:
        filters = area.spaces.active.dopesheet
        filters.show_only_selected = True
        filters.filter_text = ""
        for name in ("show_armatures", "show_transforms", "show_shapekeys", "show_meshes"):
            if hasattr(filters, name):
                setattr(filters, name, True)
        area.spaces.active.use_normalization = False
        region = next((item for item in area.regions if item.type == "WINDOW"), None)
        if region is not None and not bpy.app.background:
            ghost_curves.draw(area, region, owner)
            with context.temp_override(area=area, region=region), contextlib.suppress(RuntimeError):
                _unfold(owner)
                bpy.ops.graph.view_all()
        area.tag_redraw()
    return bool(found)


def _unfold(owner: bpy.types.ID) -> None:
    """Opens the list of channels down to the curves of the action, or to its groups where the curves are many.

    What only refines is not drawn.
    """
    holder = compat.assigned_curves(owner)
    bpy.ops.anim.channels_expand(all=True)
    for group in holder.groups if holder is not None else ():
        group.show_expanded_graph = len(holder.fcurves) <= _UNFOLDED and group.name != regions.DETAIL
        for curve in group.channels if group.name == regions.DETAIL else ():
            curve.hide = True


def _set_aside(owner: bpy.types.ID) -> None:
    """Hides the influences of generated strips: keys on them would be overwritten, those on amounts are not."""
    for layer in layers.layers(owner):
        curve = layer.strip.fcurves.find("influence")
        if curve is not None:
            curve.hide = curve.lock = True


def _make_room(context: bpy.types.Context, areas: list[bpy.types.Area]) -> bpy.types.Area | None:
    """An area for a Graph Editor: one that gives way and is high enough, else the lower part of a viewport."""
    free = [area for area in areas if area.type in _GIVES_WAY]
    best = min(free, key=lambda area: (_GIVES_WAY.index(area.type), -area.width * area.height), default=None)
    views = [area for area in areas if area.type == "VIEW_3D"]
    if (best is not None and best.height >= _LOWEST) or not views or bpy.app.background:
        return best
    view = max(views, key=lambda area: area.width * area.height)
    region = next(item for item in view.regions if item.type == "WINDOW")
    with context.temp_override(area=view, region=region):
        bpy.ops.screen.area_split(direction="HORIZONTAL", factor=_LOWER)
    return min(set(context.screen.areas) - set(areas), key=lambda area: area.y, default=best)


def _enter(character: bpy.types.Collection, part: str) -> None:
    settings = character.makeittalk
    layer = bpy.context.view_layer
    if layer.objects.active is not None and layer.objects.active.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    target = settings.rig if part == HEAD else settings.body
    if target.name not in layer.objects or not target.visible_get():
        raise AddonError(f"{target.name} is hidden.", "Show it in the Outliner.")
    for item in layer.objects:
        item.select_set(item == target)
    layer.objects.active = target
    if part == HEAD:
        bpy.ops.object.mode_set(mode="POSE")
        compat.select_bone(target, rig.head_bone(target))


def _tweak_full_stack(owner: bpy.types.ID) -> bool:
    """Edits the selected strip with the layers above it still playing, which only an operator of the NLA editor can."""
    window = bpy.context.window
    if bpy.app.background or window is None or not window.screen.areas:
        return False
    area = max(window.screen.areas, key=lambda area: area.width * area.height)
    before = area.type
    try:
        area.type = "NLA_EDITOR"
        region = next(item for item in area.regions if item.type == "WINDOW")
        with bpy.context.temp_override(window=window, area=area, region=region):
            bpy.ops.nla.tweakmode_enter(use_upper_stack_evaluation=True)
    except RuntimeError:
        return False
    finally:
        area.type = before
    return owner.animation_data.use_tweak_mode
