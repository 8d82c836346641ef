"""Photoreal frames in the scene: a plane where the portrait is, showing on frame f of the scene the picture of f."""

from __future__ import annotations

import os
from pathlib import Path

import bpy
import numpy as np

from .. import compat
from ..core.coordinates import points_to_blender
from ..core.errors import AddonError
from . import materials
from .sound import relative


def show(character: bpy.types.Collection, picture: Path, first: int, last: int) -> bpy.types.Object:
    """Shows a sequence of pictures on the character's plane, which is made the first time.

    Args:
        character: the character's collection.
        picture: the file of frame `first`; its digits are the frame's number.
        first, last: the frames that there are.

    Returns:
        The plane.

    Raises:
        AddonError: Blender cannot read the picture.
    """
    settings = character.makeittalk
    plane = plane_of(character)
    texture = _own_texture(plane) if plane is not None else None
    if plane is None or texture is None:
        image = _load(f"{character.name} Photoreal", picture)
        if plane is None:
            plane = _new_plane(character)
            settings.plane = plane
        plane.data.materials.clear()
        plane.data.materials.append(materials.picture_material(image.name, image, transparent=True))
        materials.set_lit(plane.data.materials[0], settings.lit)
        texture = _texture(plane)
    image = texture.image
    image.filepath = _stored_path(picture)
    image.source = "SEQUENCE"
    image.reload()  # pictures of the last run may still be in memory
    user = texture.image_user
    # Blender numbers the files frame − start + 1 + offset.
    user.frame_start, user.frame_offset, user.frame_duration = first, first - 1, last - first + 1
    user.use_auto_refresh, user.use_cyclic = True, False
    settings.show_photoreal = True
    switch(character)
    return plane


def plane_of(character: bpy.types.Collection) -> bpy.types.Object | None:
    """The plane with the photoreal frames, or None."""
    return character.makeittalk.plane


def switch(character: bpy.types.Collection) -> None:
    """Shows the plane or the mesh, in the viewport and in renders, as the character's settings say."""
    settings, plane = character.makeittalk, plane_of(character)
    if plane is None or settings.body is None:
        return
    for item, hidden in ((plane, not settings.show_photoreal), (settings.body, settings.show_photoreal)):
        item.hide_viewport = item.hide_render = hidden


def shown_files(character: bpy.types.Collection) -> tuple[int, list[Path]]:
    """The frame of the scene on which the first of the plane's pictures is shown, and all of them.

    Raises:
        AddonError: there is no plane, or pictures are missing.
    """
    plane = plane_of(character)
    texture = _texture(plane) if plane is not None else None
    if texture is None:
        raise AddonError(f"{character.name} has no photoreal frames.", "Press Photoreal Frames first.")
    path = Path(bpy.path.abspath(texture.image.filepath))
    if not path.name:
        raise AddonError(f"{character.name} does not know where its frames are.", "Press Photoreal Frames again.")
    digits = path.stem.rpartition("_")[2]
    user = texture.image_user
    low = user.frame_offset + 1
    files = [
        path.with_name(f"{path.stem.removesuffix(digits)}{number:0{max(1, len(digits))}d}{path.suffix}")
        for number in range(low, low + user.frame_duration)
    ]
    lost = next((file for file in files if not os.path.isfile(file)), None)
    if lost is not None:
        raise AddonError(f"{lost} is missing.", "Press Photoreal Frames again.")
    return user.frame_start, files


def add_to_compositor(scene: bpy.types.Scene, character: bpy.types.Collection) -> bpy.types.Node:
    """Gives the scene's compositor an Image node with the frames, unconnected; the one that is there is set anew.

    Raises:
        AddonError: there are no frames.
    """
    plane = plane_of(character)
    texture = _texture(plane) if plane is not None else None
    if texture is None:
        raise AddonError(f"{character.name} has no photoreal frames.", "Press Photoreal Frames first.")
    nodes = compat.compositor_tree(scene).nodes
    node = next((item for item in nodes if item.type == "IMAGE" and item.image == texture.image), None)
    if node is None:
        node = nodes.new("CompositorNodeImage")
        node.image = texture.image
        node.location = (0, -420)
    user = texture.image_user
    node.frame_duration, node.frame_start, node.frame_offset = user.frame_duration, user.frame_start, user.frame_offset
    node.use_auto_refresh, node.use_cyclic = True, False
    return node


def move(character: bpy.types.Collection, frames: int) -> None:
    """Shifts what is shown in time, as the character's curves are."""
    plane = plane_of(character)
    texture = _own_texture(plane) if plane is not None else None
    if texture is not None:
        texture.image_user.frame_start += frames


def _texture(plane: bpy.types.Object) -> bpy.types.ShaderNodeTexImage | None:
    """The node that holds the sequence; None where somebody has given the plane another material."""
    for material in plane.data.materials:
        nodes = material.node_tree.nodes if material is not None and material.node_tree is not None else ()
        for node in nodes:
            if isinstance(node, bpy.types.ShaderNodeTexImage) and node.image and node.image.source == "SEQUENCE":
                return node
    return None


def _own_texture(plane: bpy.types.Object) -> bpy.types.ShaderNodeTexImage | None:
    """The same, with a material and pictures that no copy of the character shows."""
    before = _texture(plane)
    for slot in range(len(plane.data.materials)):
        materials.own(plane.data, slot)
    found = _texture(plane)
    if found is not None and found != before:
        found.image = found.image.copy()
    return found


def _load(name: str, picture: Path) -> bpy.types.Image:
    try:
        image = bpy.data.images.load(_stored_path(picture), check_existing=False)
    except RuntimeError as error:
        raise AddonError(f"Blender cannot read {picture}.", "Press Photoreal Frames again.") from error
    image.name = name
    image.source = "SEQUENCE"
    image.alpha_mode = "STRAIGHT"
    image.colorspace_settings.name = "sRGB"
    return image


def _new_plane(character: bpy.types.Collection) -> bpy.types.Object:
    """A rectangle that covers the portrait at rest, its face towards −Y, hanging on the rig."""
    settings = character.makeittalk
    size = np.array(settings.image_size[:])
    width, height = (int(side) for side in size)
    corners = np.array([(0, height, 0), (width, height, 0), (width, 0, 0), (0, 0, 0)])
    mesh = bpy.data.meshes.new(f"{character.name} Photoreal")
    mesh.from_pydata(points_to_blender(corners, size).tolist(), [], [(0, 1, 2, 3)])
    layer = mesh.uv_layers.new(name="UVMap", do_init=False)
    layer.uv.foreach_set("vector", np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32).reshape(-1))
    mesh.update()
    plane = bpy.data.objects.new(mesh.name, mesh)
    character.objects.link(plane)
    plane.parent = settings.rig
    return plane


def _stored_path(picture: Path) -> str:
    """Relative to the .blend where that has been saved, so that both can move together."""
    return relative(str(picture)) if bpy.data.filepath else str(picture)
