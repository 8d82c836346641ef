"""What a hostile .blend does to a character's objects, meshes, actions and pointers. Runs inside Blender.

Every function takes the character's collection and the `Places` of the case, and changes the file that is open.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
from extension import part

Spoil = Callable[[Any, Any], None]
VARIANTS: dict[str, Spoil] = {}
LARGE: set[str] = set()  # what takes seconds by itself


def variant(spoil: Spoil) -> Spoil:
    VARIANTS[spoil.__name__] = spoil
    return spoil


def _keys(character: Any) -> Any:
    return character.makeittalk.body.data.shape_keys


def _layers(character: Any) -> list[Any]:
    layers = part("addon.scene.layers")
    return [layer for owner in part("addon.scene.bakes").owners_of(character) for layer in layers.layers(owner)]


def _replace_data(item: Any, data: Any) -> None:
    """Puts an object of another kind where one was, with its marks and its name."""
    marks = {name: item[name] for name in item.keys() if isinstance(item[name], str)}  # noqa: SIM118 - no dictionary
    new, collections = bpy.data.objects.new("Other", data), item.users_collection
    for collection in collections:
        collection.objects.link(new)
    bpy.data.objects.remove(item)
    for name, value in marks.items():
        new[name] = value


@variant
def unspoilt(_character, _places):
    """Nothing: what a step refuses here it refuses to everybody."""


# The mesh


@variant
def mesh_without_vertices(character, _places):
    character.makeittalk.body.data.clear_geometry()


@variant
def mesh_without_vertices_or_keys(character, _places):
    character.makeittalk.body.shape_key_clear()
    character.makeittalk.body.data.clear_geometry()


@variant
def mesh_of_another(character, _places):
    """The shape of a cube, keys and all."""
    data = bpy.data.meshes.new("Cube")
    data.from_pydata([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 0, 1)], [], [(0, 1, 2), (0, 2, 3)])
    character.makeittalk.body.data = data


@variant
def mesh_of_another_with_keys(character, places):
    mesh_of_another(character, places)
    for name in ("Basis", "jawOpen", "mouthPucker"):
        character.makeittalk.body.shape_key_add(name=name)


@variant
def mesh_of_millions(character, _places):
    count = 1_000_000
    data = bpy.data.meshes.new("Many")
    data.vertices.add(count)
    data.vertices.foreach_set("co", np.zeros(3 * count, np.float32))
    character.makeittalk.body.data = data
    for name in ("Basis", "jawOpen"):
        character.makeittalk.body.shape_key_add(name=name)


LARGE.add("mesh_of_millions")


@variant
def subdivided_too_often(character, _places):
    for _time in range(2):
        more = character.makeittalk.body.modifiers.new("More", "SUBSURF")
        more.levels, more.render_levels = 1, 2


LARGE.add("subdivided_too_often")


@variant
def vertices_far_away(character, _places):
    for block in _keys(character).key_blocks:
        block.points.foreach_set("co", np.full(3 * len(block.points), np.inf, np.float32))


@variant
def vertices_nan(character, _places):
    data = character.makeittalk.body.data
    data.vertices.foreach_set("co", np.full(3 * len(data.vertices), np.nan, np.float32))
    for block in _keys(character).key_blocks:
        block.points.foreach_set("co", np.full(3 * len(block.points), np.nan, np.float32))


@variant
def no_shape_keys(character, _places):
    character.makeittalk.body.shape_key_clear()


@variant
def the_basis_alone(character, _places):
    body = character.makeittalk.body
    for block in list(_keys(character).key_blocks)[1:]:
        body.shape_key_remove(block)


@variant
def no_basis(character, _places):
    character.makeittalk.body.shape_key_remove(_keys(character).key_blocks[0])


@variant
def keys_renamed(character, _places):
    for number, block in enumerate(_keys(character).key_blocks):
        block.name = f'"]\\{number}.value'


@variant
def keys_swapped(character, _places):
    first, second = list(_keys(character).key_blocks)[1:3]
    first.name, second.name, first.name = "swap", first.name, second.name


@variant
def keys_many(character, _places):
    for _number in range(300):
        character.makeittalk.body.shape_key_add(name="jawOpen", from_mix=False)


@variant
def keys_without_a_range(character, _places):
    for block in _keys(character).key_blocks:
        block.slider_min, block.slider_max, block.value = 0.0, 0.0, 0.0
        block.mute = True


@variant
def keys_absolute(character, _places):
    _keys(character).use_relative = False


@variant
def keys_relative_in_a_circle(character, _places):
    blocks = _keys(character).key_blocks
    for before, block in itertools.pairwise(blocks):
        before.relative_key = block


@variant
def no_vertex_groups(character, _places):
    character.makeittalk.body.vertex_groups.clear()


@variant
def no_uv(character, _places):
    layers = character.makeittalk.body.data.uv_layers
    while len(layers):
        layers.remove(layers[0])


@variant
def no_materials(character, _places):
    character.makeittalk.body.data.materials.clear()


@variant
def empty_material_slots(character, _places):
    for slot in character.makeittalk.body.material_slots:
        slot.material = None


@variant
def materials_without_nodes(character, _places):
    for slot in character.makeittalk.body.material_slots:
        slot.material.node_tree.nodes.clear()


@variant
def body_of_another_kind(character, _places):
    _replace_data(character.makeittalk.body, bpy.data.cameras.new("Camera"))


@variant
def body_a_curve(character, _places):
    _replace_data(character.makeittalk.body, bpy.data.curves.new("Curve", "CURVE"))


@variant
def body_a_lattice_with_keys(character, _places):
    _replace_data(character.makeittalk.body, bpy.data.lattices.new("Lattice"))
    bpy.data.objects["Other"].shape_key_add(name="jawOpen")


@variant
def body_an_empty(character, _places):
    _replace_data(character.makeittalk.body, None)


# The rig


@variant
def rig_of_another_kind(character, _places):
    _replace_data(character.makeittalk.rig, bpy.data.lights.new("Light", "POINT"))


@variant
def rig_an_empty(character, _places):
    _replace_data(character.makeittalk.rig, None)


@variant
def rig_without_bones(character, _places):
    character.makeittalk.rig.data = bpy.data.armatures.new("None")


@variant
def bones_renamed(character, _places):
    for number, bone in enumerate(character.makeittalk.rig.data.bones):
        bone.name = f'"]\\{number}'


@variant
def bones_unmarked(character, _places):
    for number, bone in enumerate(character.makeittalk.rig.data.bones):
        bone.name = f"b{number}"
        for name in list(bone.keys()):
            bone[name] = 7


@variant
def bones_in_quaternions(character, _places):
    for bone in character.makeittalk.rig.pose.bones:
        bone.rotation_mode = "QUATERNION"


@variant
def rig_scaled_to_nothing(character, _places):
    character.makeittalk.rig.scale = (0.0, 0.0, 0.0)


@variant
def rig_far_away(character, _places):
    character.makeittalk.rig.location = (3e38, -3e38, math.nan)


@variant
def the_plane_is_no_plane(character, _places):
    item = bpy.data.objects.new("Plane", bpy.data.lights.new("Light", "POINT"))
    character.objects.link(item)
    item[part("addon.scene.parts").PART] = "plane"


@variant
def the_camera_is_no_camera(character, _places):
    item = bpy.data.objects.new("Camera", None)
    character.objects.link(item)
    item[part("addon.scene.parts").PART] = "camera"


@variant
def rig_and_body_are_one(character, _places):
    settings, mark = character.makeittalk, part("addon.scene.parts").PART
    settings.body[mark] = "rig"
    settings.rig[mark] = "body"


@variant
def marks_of_other_types(character, _places):
    mark = part("addon.scene.parts").PART
    for item, value in zip(character.objects, ([1, 2], {"a": 1}, 5, 2.5), strict=False):
        item[mark] = value


@variant
def parents_in_a_circle(character, _places):
    """Blender refuses the circle itself; constraints make one."""
    settings = character.makeittalk
    for item, other in ((settings.rig, settings.body), (settings.body, settings.rig)):
        item.constraints.new("CHILD_OF").target = other
    bone = settings.rig.pose.bones[0]
    bone.constraints.new("COPY_ROTATION").target = settings.body


@variant
def parts_elsewhere(character, _places):
    """In other collections, and none in the character's."""
    for item in list(character.objects):
        character.objects.unlink(item)
        bpy.context.scene.collection.objects.link(item)


@variant
def no_parts(character, _places):
    for item in list(character.objects):
        bpy.data.objects.remove(item)


@variant
def hidden_in_every_way(character, _places):
    character.hide_viewport = character.hide_render = character.hide_select = True
    for item in character.objects:
        item.hide_viewport = item.hide_select = True


@variant
def excluded(character, _places):
    bpy.context.view_layer.layer_collection.children[character.name].exclude = True


# Actions and strips


@variant
def a_million_keys(character, _places):
    layer = _layers(character)[1]
    curve = layer.curves.fcurves[0]
    count = 1_000_000
    curve.keyframe_points.add(count)
    total = len(curve.keyframe_points)
    points = np.zeros((total, 2), np.float32)
    points[:, 0] = np.arange(total)
    curve.keyframe_points.foreach_set("co", points.ravel())
    curve.update()


LARGE.add("a_million_keys")


def _spoil_keys(character, value: float, column: int) -> None:
    for layer in _layers(character):
        for curve in layer.curves.fcurves:
            points = np.empty(2 * len(curve.keyframe_points), np.float32)
            curve.keyframe_points.foreach_get("co", points)
            points[column::2] = value
            curve.keyframe_points.foreach_set("co", points)


@variant
def keys_nan(character, _places):
    _spoil_keys(character, math.nan, 1)


@variant
def keys_infinite(character, _places):
    _spoil_keys(character, math.inf, 1)


@variant
def keys_at_nan(character, _places):
    _spoil_keys(character, math.nan, 0)


@variant
def keys_at_infinity(character, _places):
    _spoil_keys(character, math.inf, 0)


@variant
def own_keys_far_away(character, _places):
    keys = character.makeittalk.rig
    keys.keyframe_insert("location", frame=1_048_574)
    keys.keyframe_insert("location", frame=-1_048_574)


@variant
def own_keys_nan(character, _places):
    root = character.makeittalk.rig
    for name in ("location", "makeittalk.lip", "makeittalk.still"):
        root.keyframe_insert(name, frame=3)
    for curve in part("addon.compat").assigned_curves(root).fcurves:
        curve.keyframe_points[0].co = math.nan, math.nan


@variant
def no_curves(character, _places):
    for layer in _layers(character):
        layer.curves.fcurves.clear()


@variant
def curves_of_other_things(character, _places):
    for layer in _layers(character):
        for curve in layer.curves.fcurves:
            curve.data_path = 'nothing["'


@variant
def curves_of_the_folder(character, _places):
    """Curves of the animator's that move what no animator would.

    Their array index stays 0: with one far beyond an array's end Blender 4.5 itself writes over its memory when the
    file is played.
    """
    root = character.makeittalk.rig
    root.keyframe_insert("location", frame=1)
    curves = part("addon.compat").assigned_curves(root).fcurves
    for path in ("makeittalk.lip", "name", "[", '["', "hide_viewport", "a" * 5000, 'pose.bones["\\"]'):
        curves.new(path, index=0).keyframe_points.insert(1, 1.0)


@variant
def actions_gone(character, _places):
    for layer in list(_layers(character)):
        bpy.data.actions.remove(layer.strip.action)


@variant
def strips_gone(character, _places):
    for owner in part("addon.scene.bakes").owners_of(character):
        for track in list(owner.animation_data.nla_tracks):
            owner.animation_data.nla_tracks.remove(track)


@variant
def no_animation_data(character, _places):
    for owner in part("addon.scene.bakes").owners_of(character):
        owner.animation_data_clear()


@variant
def layers_of_other_types(character, _places):
    layers = part("addon.scene.layers")
    for layer, value in zip(list(_layers(character)), ([1, 2], {"a": 1}, 5, 2.5, "", "x" * 5000) * 9, strict=False):
        for name in (layers.PART, layers.SPEECH, layers.GAIN, layers.BAKED):
            layer.strip.action[name] = value


@variant
def layers_with_gains(character, _places):
    layers = part("addon.scene.layers")
    for layer, value in zip(list(_layers(character)), (0.0, math.nan, math.inf, -1.0, 1e-300) * 9, strict=False):
        layer.strip.action[layers.GAIN] = value


@variant
def layers_twice(character, _places):
    for layer in list(_layers(character)):
        track = layer.strip.id_data.animation_data.nla_tracks.new()
        new = track.strips.new("Again", 1, layer.strip.action)
        if hasattr(new, "action_slot"):
            new.action_slot = layer.strip.action_slot


@variant
def layers_of_the_other_owner(character, _places):
    """The rig plays what the shape keys play, by their slots."""
    first, second = part("addon.scene.bakes").owners_of(character)
    for owner, other in ((first, second), (second, first)):
        for track in list(other.animation_data.nla_tracks)[:2]:
            new = owner.animation_data.nla_tracks.new().strips.new("Other", 1, track.strips[0].action)
            if hasattr(new, "action_slot"):
                new.action_slot = next(iter(new.action_suitable_slots), None)


@variant
def strips_scaled(character, _places):
    for layer, scale in zip(list(_layers(character)), (1e-4, 30.0, 0.01) * 9, strict=False):
        layer.strip.scale = scale


@variant
def strips_repeated(character, _places):
    for layer in list(_layers(character))[:3]:
        layer.strip.repeat, layer.strip.use_reverse = 20.0, True


@variant
def strips_moved_far(character, _places):
    for layer in list(_layers(character)):
        layer.strip.frame_start_ui = -500_000


@variant
def in_tweak_mode(character, _places):
    for owner in part("addon.scene.bakes").owners_of(character):
        animation = owner.animation_data
        animation.nla_tracks.active = animation.nla_tracks[0]
        animation.nla_tracks[0].strips[0].select = True
        animation.use_tweak_mode = True


@variant
def meta_strips_and_locked_tracks(character, _places):
    for owner in part("addon.scene.bakes").owners_of(character):
        for track in owner.animation_data.nla_tracks:
            track.lock = track.mute = True
