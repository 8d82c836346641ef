"""A character as a file of another program's: it moves by one action, with a material that exporters know, for as long
as Blender's exporter needs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ...backend.makeittalk.exchange import storage, temporary
from ...backend.makeittalk.exchange.formats import motion_table
from .. import compat
from ..core import point_cache
from ..core.errors import AddonError
from . import amount_curves, bakes, evaluation, materials, merge, points, tables, textures
from .setup import frame_rate
from .shown import read, span


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes:
        label, description: for the user. suffix: of the file.
        write: takes the file, the character and its first and last frame, in a scene that is prepared.
        unlit: whether it can say that no light changes a material.
        bare: whether it holds bare numbers, for which nothing need be prepared.
    """

    label: str
    description: str
    suffix: str
    write: Callable[[Path, bpy.types.Collection, tuple[int, int]], None]
    unlit: bool = False
    bare: bool = False


def write(
    context: bpy.types.Context, character: bpy.types.Collection, kind: str, path: Path, lit: bool = False
) -> None:
    """Writes a character as a file; afterwards the scene is as it was.

    Args:
        kind: a key of `FORMATS`. lit: where the format can say so, the material is lit nevertheless.

    Raises:
        MakeItTalkError: the character cannot be seen, this Blender lacks the exporter, or the file cannot be written.
    """
    settings, chosen = character.makeittalk, FORMATS[kind]
    root, keys = bakes.owners_of(character)
    scene = context.scene
    frames = span((root, keys), scene) or (settings.start, settings.start)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(_moved_here(path))
        stack.enter_context(_pose_kept(root, keys))
        stack.enter_context(evaluation.frame_kept(scene))
        for item in (root, settings.body):
            stack.enter_context(evaluation.shown(character, item))
        if not chosen.bare:  # Blender's exporters stumble over what is no number
            points.check(character.name, root.matrix_world, settings.body.matrix_world)
            for places in (settings.body.data.vertices, *(block.points for block in keys.key_blocks)):
                points.check(character.name, points.read(places))
            stack.enter_context(_only(context, [settings.body, root]))
            stack.enter_context(_range(scene, frames))
            stack.enter_context(_one_action(character, frames))
            pictures = stack.enter_context(temporary.folder())
            change = materials.make_unlit if chosen.unlit and not lit else _make_lit
            for slot in settings.body.material_slots:
                if slot.material is not None and slot.material.node_tree is not None:
                    stack.enter_context(_changed_material(slot, change, pictures))
        chosen.write(folder / path.name, character, frames)


def _gltf(path: Path, character: bpy.types.Collection, _frames: tuple[int, int]) -> None:
    _call(
        "glTF",
        bpy.ops.export_scene.gltf,
        filepath=str(path),
        export_format="GLB",
        use_selection=True,
        export_animation_mode="ACTIVE_ACTIONS",
        export_nla_strips_merged_animation_name=character.name,
        export_frame_range=False,
        export_morph_normal=False,  # a face that no light changes needs none, and they double the file
    )


def _fbx(path: Path, _character: bpy.types.Collection, _frames: tuple[int, int]) -> None:
    _call(
        "FBX",
        bpy.ops.export_scene.fbx,
        filepath=str(path),
        use_selection=True,
        object_types={"ARMATURE", "MESH"},
        path_mode="COPY",
        embed_textures=True,
        add_leaf_bones=False,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
        bake_anim_simplify_factor=0.0,
    )


def _usd(path: Path, _character: bpy.types.Collection, _frames: tuple[int, int]) -> None:
    _call(
        "USD",
        bpy.ops.wm.usd_export,
        filepath=str(path),
        selected_objects_only=True,
        export_animation=True,
        evaluation_mode="VIEWPORT",  # what renders hide, for the sake of photoreal frames, is exported all the same
        convert_world_material=False,
    )


def _alembic(path: Path, _character: bpy.types.Collection, frames: tuple[int, int]) -> None:
    _call(
        "Alembic",
        bpy.ops.wm.alembic_export,
        filepath=str(path),
        start=frames[0],
        end=frames[1],
        selected=True,
        face_sets=True,
        as_background_job=False,
        evaluation_mode="VIEWPORT",
    )


def _mdd(path: Path, character: bpy.types.Collection, frames: tuple[int, int]) -> None:
    point_cache.write_mdd(path, _points(character, frames), frame_rate(bpy.context.scene), frames[0])


def _pc2(path: Path, character: bpy.types.Collection, frames: tuple[int, int]) -> None:
    point_cache.write_pc2(path, _points(character, frames), frames[0])


def _csv(path: Path, character: bpy.types.Collection, frames: tuple[int, int]) -> None:
    motion_table.write_live_link(path, tables.read(character, frames))


def _json(path: Path, character: bpy.types.Collection, frames: tuple[int, int]) -> None:
    motion_table.write_json(path, tables.read(character, frames))


FORMATS = {
    "GLB": Format("glTF", "One file for games and the web, one clip", ".glb", _gltf, unlit=True),
    "FBX": Format("FBX", "For game engines and other animation programs, pictures inside", ".fbx", _fbx),
    "USD": Format("USD", "For film pipelines, pictures beside it", ".usdc", _usd),
    "ABC": Format("Alembic", "Every vertex on every frame, without material", ".abc", _alembic),
    "MDD": Format("MDD", "A point cache: every vertex on every frame", ".mdd", _mdd, bare=True),
    "CSV": Format("CSV", "Live Link Face's table: ARKit's shapes and the head's angles", ".csv", _csv, bare=True),
    "JSON": Format("JSON", "Every shape key and the head by name, frame by frame", ".json", _json, bare=True),
    "PC2": Format("PC2", "A point cache: every vertex on every frame", ".pc2", _pc2, bare=True),
}


def _call(name: str, operator: Any, **arguments: Any) -> None:
    """Calls an exporter with those of the arguments that this Blender's has."""
    known = compat.operator_arguments(operator)
    if known is None:
        raise AddonError(f"This Blender has no {name} exporter.", "Enable it in the preferences, under Add-ons.")
    try:
        operator(**{key: value for key, value in arguments.items() if key in known})
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise AddonError(f"Blender's {name} exporter failed: {reason}", "Look at the console.") from error


def _points(character: bpy.types.Collection, frames: tuple[int, int]) -> np.ndarray:
    """The vertices (N, V, 3) of the mesh on its frames, in its own space."""
    scene, body = bpy.context.scene, character.makeittalk.body
    graph = bpy.context.evaluated_depsgraph_get()
    found = []
    for frame in range(frames[0], frames[1] + 1):
        scene.frame_set(frame)
        found.append(points.read(body.evaluated_get(graph).data.vertices))
        points.check(character.name, found[-1])
    return np.stack(found)


def _make_lit(material: bpy.types.Material) -> None:
    materials.set_lit(material, True)


@contextlib.contextmanager
def _pose_kept(root: bpy.types.Object, keys: bpy.types.Key) -> Iterator[None]:
    """Puts back what nobody has keyed: the values of the shape keys, the bones' places, and whether they show."""
    values = np.empty(len(keys.key_blocks), np.float32)
    keys.key_blocks.foreach_get("value", values)
    channels = ("location", "rotation_euler", "rotation_quaternion", "scale")
    bones = [(bone, {name: getattr(bone, name).copy() for name in channels}) for bone in root.pose.bones]
    position = root.data.pose_position
    root.data.pose_position = "POSE"
    try:
        yield
    finally:
        root.data.pose_position = position
        keys.key_blocks.foreach_set("value", values)
        for bone, kept in bones:
            for name, value in kept.items():
                setattr(bone, name, value)


@contextlib.contextmanager
def _only(context: bpy.types.Context, items: list[bpy.types.Object]) -> Iterator[None]:
    """Selects objects, the last one active, in Object Mode; then everything is selected as it was."""
    layer = context.view_layer
    active, selected = layer.objects.active, [item for item in layer.objects if item.select_get()]
    mode = active.mode if active is not None else "OBJECT"
    if mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    try:
        _select(layer, items, items[-1])
        yield
    finally:
        _select(layer, selected, active)
        if mode != "OBJECT":
            bpy.ops.object.mode_set(mode=mode)


def _select(layer: bpy.types.ViewLayer, items: list[bpy.types.Object], active: bpy.types.Object | None) -> None:
    for item in layer.objects:
        item.select_set(item in items)
    layer.objects.active = active


@contextlib.contextmanager
def _range(scene: bpy.types.Scene, frames: tuple[int, int]) -> Iterator[None]:
    """Lets a scene last for some frames; exporters take it from there."""
    before = scene.frame_start, scene.frame_end, scene.use_preview_range
    scene.frame_start, scene.frame_end, scene.use_preview_range = max(0, frames[0]), max(0, frames[1]), False
    try:
        yield
    finally:
        scene.frame_start, scene.frame_end, scene.use_preview_range = before


@contextlib.contextmanager
def _one_action(character: bpy.types.Collection, frames: tuple[int, int]) -> Iterator[None]:
    """Lets a character move by one action alone, the NLA being off."""
    owners = bakes.owners_of(character)
    with contextlib.ExitStack() as stack:
        for owner in owners:
            stack.enter_context(_animation_kept(owner))
        made: list[bpy.types.Action] = []
        stack.callback(lambda: [bpy.data.actions.remove(action) for action in made])
        shown = read(owners, frames, set())
        made += merge.write(
            owners, shown, bakes.tolerances(character), character.name, without=f"{amount_curves.AMOUNTS}."
        )
        for owner in owners:
            owner.animation_data.use_nla = False
        yield


@contextlib.contextmanager
def _animation_kept(owner: bpy.types.ID) -> Iterator[None]:
    """Gives a datablock its action back, and how it plays that."""
    animation = owner.animation_data_create()
    tweaking = animation.use_tweak_mode
    if tweaking:
        animation.use_tweak_mode = False
    action, slot = animation.action, animation.action_slot if compat.SLOTTED_ACTIONS else None
    names = ("use_nla", "action_blend_type", "action_extrapolation", "action_influence")
    before = {name: getattr(animation, name) for name in names}
    try:
        yield
    finally:
        animation.action = action
        if slot is not None:
            animation.action_slot = slot
        for name, value in before.items():
            setattr(animation, name, value)
        if tweaking:
            animation.use_tweak_mode = True


@contextlib.contextmanager
def _changed_material(
    slot: bpy.types.MaterialSlot, change: Callable[[bpy.types.Material], None], folder: Path
) -> Iterator[None]:
    """Shows a changed copy of a material under its name, its pictures as files: not every exporter unpacks them."""
    material, name = slot.material, slot.material.name
    copy = material.copy()
    pictures: list[bpy.types.Image] = []
    try:
        material.name, copy.name = f"{name} before export", name
        change(copy)
        for node in copy.node_tree.nodes:
            if not isinstance(node, bpy.types.ShaderNodeTexImage) or node.image is None:
                continue
            if node.image.packed_file:
                node.image = _unpacked(node.image, folder)
                pictures.append(node.image)
            else:
                textures.check_file(node.image)
        slot.material = copy
        yield
    finally:
        slot.material = material
        bpy.data.materials.remove(copy)
        material.name = name
        for image in pictures:
            bpy.data.images.remove(image)


def _unpacked(image: bpy.types.Image, folder: Path) -> bpy.types.Image:
    suffix = ".jpg" if image.file_format == "JPEG" else f".{image.file_format.lower()}"
    path = folder / f"{bpy.path.clean_name(image.name)}{suffix}"
    textures.write_picture(image, path)
    found = bpy.data.images.load(str(path))
    found.alpha_mode, found.colorspace_settings.name = image.alpha_mode, image.colorspace_settings.name
    return found


@contextlib.contextmanager
def _moved_here(path: Path) -> Iterator[Path]:
    """A folder beside `path`, whose files move to where that is when the block ends well; it is gone afterwards.

    Raises:
        OutputError: the folder of `path` is missing or closed to writing, or the disk is full.
    """
    try:
        with temporary.folder_beside(path.parent) as folder:
            yield folder
            for file in sorted(item for item in folder.rglob("*") if item.is_file()):
                target = path.parent / file.relative_to(folder)
                target.parent.mkdir(exist_ok=True)
                file.replace(target)
    except OSError as error:
        raise storage.output_error(path, error) from error
