"""The only file that knows Blender's versions apart (4.2 to 5.x)."""

from __future__ import annotations

from typing import Any

import bpy

SLOTTED_ACTIONS = bpy.app.version >= (4, 4, 0)

#: A strip's frames have other names since 5.1; the old ones go with 6.0.
_NEW_STRIP_NAMES = bpy.app.version >= (5, 1, 0)

#: What a shape key's value is where nothing says otherwise: 0, but 1 in 5.0.
SHAPE_KEY_DEFAULT = float(bpy.types.ShapeKey.bl_rna.properties["value"].default)

LAST_FRAME = 1_048_574  # that Blender has; its negative is the first

#: Options of a file path's property: that "//" may stand for the .blend's folder has to be said since 4.5.
PATH_OPTIONS = {"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5, 0) else set()


def new_action(owner: bpy.types.ID, name: str) -> tuple[bpy.types.Action, Any | None]:
    """A new action for `owner`, which does not play it yet.

    Args:
        owner: an animatable datablock (an object, a mesh's shape keys).
        name: the action's name.

    Returns:
        The action, and its slot for `owner`; None before 4.4.
    """
    action = bpy.data.actions.new(name)
    return action, _new_slot(action, owner)


def assign_action(owner: bpy.types.ID, name: str, shared: bpy.types.Action | None = None) -> bpy.types.Action:
    """Gives `owner` a new action to play, or from 4.4 on a new slot of one that another datablock plays too."""
    action = shared if shared is not None and SLOTTED_ACTIONS else bpy.data.actions.new(name)
    slot = _new_slot(action, owner)
    owner.animation_data_create().action = action
    if slot is not None:
        owner.animation_data.action_slot = slot
    return action


def assign_slot(owner: bpy.types.ID) -> None:
    """Gives `owner` a slot, and room for curves in it, of the action that it has but does not play."""
    animation = owner.animation_data
    if not SLOTTED_ACTIONS or animation is None or animation.action is None:
        return
    action = animation.action
    if animation.action_slot is None:
        slot = next(iter(animation.action_suitable_slots), None)
        animation.action_slot = slot if slot is not None else _new_slot(action, owner)
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    strip.channelbag(animation.action_slot, ensure=True)


def select_bone(rig: bpy.types.Object, name: str) -> None:
    """Makes a bone the only selected and the active one of its armature; 5.0 has moved that to the pose."""
    for bone in rig.pose.bones if bpy.app.version >= (5, 0, 0) else rig.data.bones:
        bone.select = bone.name == name
    rig.data.bones.active = rig.data.bones[name]


def _new_slot(action: bpy.types.Action, owner: bpy.types.ID) -> Any | None:
    if not SLOTTED_ACTIONS:
        return None
    slot = action.slots.new(id_type=owner.id_type, name=owner.name)
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    strip.channelbag(slot, ensure=True)
    return slot


def action_curves(action: bpy.types.Action, slot: Any | None) -> Any | None:
    """What holds the `fcurves` and `groups` of an action's slot; None where it has nothing for it."""
    if not SLOTTED_ACTIONS:
        return action
    if slot is None:
        return None
    bags = (strip.channelbag(slot) for layer in action.layers for strip in layer.strips)
    return next((bag for bag in bags if bag is not None), None)


def strip_curves(strip: bpy.types.NlaStrip) -> Any | None:
    """What holds the `fcurves` and `groups` that an NLA strip plays, or None."""
    return action_curves(strip.action, strip.action_slot if SLOTTED_ACTIONS else None)


def assigned_curves(owner: bpy.types.ID) -> Any | None:
    """What holds the `fcurves` and `groups` of the action that `owner` plays now, or None without one."""
    animation = owner.animation_data
    if animation is None or animation.action is None:
        return None
    return action_curves(animation.action, animation.action_slot if SLOTTED_ACTIONS else None)


def stored(group: bpy.types.PropertyGroup, name: str) -> Any | None:
    """What a file holds under a property's name, where that property now reads from elsewhere."""
    if bpy.app.version < (5, 0, 0):
        return group.get(name)
    values = group.bl_system_properties_get()
    return None if values is None else values.get(name)


def store(group: bpy.types.PropertyGroup, name: str, value: Any) -> None:
    """Writes what a file holds under a property's name, without whatever else follows when that is set."""
    values = group if bpy.app.version < (5, 0, 0) else group.bl_system_properties_get(do_create=True)
    values[name] = value


def sequencer_strips(scene: bpy.types.Scene, create: bool = False) -> Any | None:
    """The strips of the scene's sequencer; None where it has no sequencer and `create` is False."""
    editor = scene.sequence_editor
    if editor is None:
        if not create:
            return None
        editor = scene.sequence_editor_create()
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def plays_sound() -> bool:
    """Whether this Blender was built with a sound system; the bpy wheels of 4.2 were not."""
    return bpy.app.build_options.audaspace


def strip_span(strip: Any) -> tuple[int, int]:
    """The frames that a strip covers on the timeline: its first, and the first behind it."""
    if _NEW_STRIP_NAMES:
        return strip.left_handle, strip.right_handle
    return strip.frame_final_start, strip.frame_final_end


def strip_length(strip: Any) -> int:
    """How many frames a strip covers on the timeline."""
    first, behind = strip_span(strip)
    return behind - first


def is_cut(strip: Any) -> bool:
    """Whether a strip plays less than its whole source, at either end."""
    if _NEW_STRIP_NAMES:
        cut = strip.left_handle_offset, strip.right_handle_offset, strip.content_trim_start, strip.content_trim_end
    else:
        cut = (
            *(strip.frame_offset_start, strip.frame_offset_end),
            *(strip.animation_offset_start, strip.animation_offset_end),
        )
    return any(abs(value) > 1e-6 for value in cut)


def strip_begin(strip: Any) -> float:
    """The frame on which the source of a strip begins, whatever its handles cut off."""
    return strip.content_start if _NEW_STRIP_NAMES else strip.frame_start


def move_strip(strip: Any, frames: float) -> None:
    """Shifts a strip in time, its handles with it."""
    if _NEW_STRIP_NAMES:
        strip.content_start += frames
    else:
        strip.frame_start += frames


def set_strip_length(strip: Any, frames: int) -> None:
    """Puts a strip's right handle `frames` behind its left one."""
    if _NEW_STRIP_NAMES:
        strip.duration = frames
    else:
        strip.frame_final_duration = frames


def compositor_tree(scene: bpy.types.Scene) -> bpy.types.NodeTree:
    """The scene's compositor, made with what a new one shows where there is none: the rendered picture.

    Before 5.0 every scene has a node tree of its own; then it names a node group; from 5.3 it has a list of effects,
    each with a node group, of which this takes the first.
    """
    if bpy.app.version < (5, 0, 0):
        if not scene.use_nodes:
            scene.use_nodes = True
        assert scene.node_tree is not None
        return scene.node_tree
    effects = scene.compositor_effects if bpy.app.version >= (5, 3, 0) else None
    if effects is None:
        tree = scene.compositing_node_group
    else:
        tree = next((effect.node_group for effect in effects if effect.node_group is not None), None)
    if tree is not None:
        return tree
    tree = bpy.data.node_groups.new("Compositor", "CompositorNodeTree")
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    rendered, output = tree.nodes.new("CompositorNodeRLayers"), tree.nodes.new("NodeGroupOutput")
    output.location = (400, 0)
    tree.links.new(rendered.outputs["Image"], output.inputs["Image"])
    if effects is None:
        scene.compositing_node_group = tree
    else:
        effects.new(tree.name).node_group = tree
    return tree


def dithered_transparency(material: bpy.types.Material) -> None:
    """Lets Eevee draw a material's transparency sorted pixel by pixel, as it has been able to since 4.2."""
    material.surface_render_method = "DITHERED"


def no_light_sampling(material: bpy.types.Material) -> None:
    """Tells Cycles that an emitting material is a picture, not a lamp: less noise, shorter renders."""
    settings = getattr(material, "cycles", None)  # absent where the Cycles add-on is off
    if settings is not None and hasattr(settings, "emission_sampling"):
        settings.emission_sampling = "NONE"


def use_nodes(material: bpy.types.Material) -> None:
    """Gives a new material a node tree; from 5.0 every material has one."""
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True


def operator_arguments(operator: Any) -> set[str] | None:
    """The names of an operator's arguments, which differ between versions; None where this Blender has none such."""
    try:
        return set(operator.get_rna_type().properties.keys())
    except KeyError:
        return None
