"""The only file that knows Blender's versions apart (4.2 to 5.x)."""

from __future__ import annotations

from typing import Any

import bpy

SLOTTED_ACTIONS = bpy.app.version >= (4, 4, 0)


#: Options of a file path's property: that "//" may stand for the .blend's folder has to be said since 4.5.
PATH_OPTIONS = {"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5, 0) else set()


def new_action(owner: bpy.types.ID, name: str) -> Any:
    """Gives `owner` a new action.

    Args:
        owner: an animatable datablock (an object, a mesh's shape keys).
        name: the action's name.

    Returns:
        What holds the action's `fcurves` and `groups`: a channelbag, or before 4.4 the action itself.
    """
    animation = owner.animation_data_create()
    action = bpy.data.actions.new(name)
    animation.action = action
    if not SLOTTED_ACTIONS:
        return action
    slot = action.slots.new(id_type=owner.id_type, name=owner.name)
    animation.action_slot = slot
    strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True)


def assigned_curves(owner: bpy.types.ID) -> Any | None:
    """What holds the `fcurves` and `groups` of the action that `owner` plays now, or None without one."""
    animation = owner.animation_data
    if animation is None or animation.action is None:
        return None
    if not SLOTTED_ACTIONS:
        return animation.action
    slot = animation.action_slot
    if slot is None:
        return None
    for layer in animation.action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(slot)
            if bag is not None:
                return bag
    return None


def sequencer_strips(scene: bpy.types.Scene, create: bool = False) -> Any | None:
    """The strips of the scene's sequencer; None where it has no sequencer and `create` is False."""
    editor = scene.sequence_editor
    if editor is None:
        if not create:
            return None
        editor = scene.sequence_editor_create()
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def compositor_tree(scene: bpy.types.Scene) -> bpy.types.NodeTree:
    """The scene's compositor, made with what a new one shows where there is none: the rendered picture.

    From 5.0 it is a node group that scenes share; before that every scene has its own.
    """
    if bpy.app.version < (5, 0, 0):
        if not scene.use_nodes:
            scene.use_nodes = True
        assert scene.node_tree is not None
        return scene.node_tree
    if scene.compositing_node_group is None:
        tree = bpy.data.node_groups.new("Compositor", "CompositorNodeTree")
        tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        rendered, output = tree.nodes.new("CompositorNodeRLayers"), tree.nodes.new("NodeGroupOutput")
        output.location = (400, 0)
        tree.links.new(rendered.outputs["Image"], output.inputs["Image"])
        scene.compositing_node_group = tree
    return scene.compositing_node_group


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
