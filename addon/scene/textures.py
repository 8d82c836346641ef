"""The character's pictures, packed so that the .blend stands alone."""

from __future__ import annotations

import os
from pathlib import Path

import bpy
import numpy as np

from ...backend.makeittalk.exchange import storage
from ...backend.makeittalk.exchange.constants import MAX_DECODED_BYTES
from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..core.errors import AddonError


def portrait_image(name: str, path: Path) -> bpy.types.Image:
    """Packs the prepared portrait. Its file is a temporary one: the .blend does not learn where it lay.

    Raises:
        AddonError: Blender cannot read the picture.
    """
    unreadable = AddonError(f"Blender cannot read {path.name}.", "Run Make It Talk again.")
    try:
        data = storage.read_bytes(path, MAX_DECODED_BYTES)
    except MakeItTalkError as error:
        raise unreadable from error
    image = bpy.data.images.new(name, 1, 1, alpha=True)
    image.filepath_raw = f"//{bpy.path.clean_name(name)}.png"  # where it would be unpacked to
    image.pack(data=data, data_len=len(data))  # type: ignore[arg-type]  # bytes, whatever the stubs say
    image.source = "FILE"
    if not image.size[0]:
        bpy.data.images.remove(image)
        raise unreadable
    image.alpha_mode = "STRAIGHT"
    image.colorspace_settings.name = "sRGB"
    return image


def array_image(name: str, pixels: np.ndarray) -> bpy.types.Image:
    """Makes and packs a picture.

    Args:
        name: the datablock's name.
        pixels: (H, W, 4) uint8 sRGB, straight alpha, first row on top.
    """
    height, width = pixels.shape[:2]
    image = bpy.data.images.new(name, width, height, alpha=True)
    image.alpha_mode = "STRAIGHT"
    image.colorspace_settings.name = "sRGB"
    bottom_up = np.ascontiguousarray(pixels[::-1])
    image.pixels.foreach_set((bottom_up.astype(np.float32) / 255.0).reshape(-1))
    image.pack()
    return image


def write_picture(image: bpy.types.Image, path: Path) -> None:
    """Writes a picture's file, packed or beside the .blend, as it is.

    Raises:
        AddonError: the file is missing, or the copy cannot be written.
    """
    source = Path(bpy.path.abspath(image.filepath))
    try:
        packed = image.packed_file
        data = bytes(packed.data) if packed is not None else storage.read_bytes(source, MAX_DECODED_BYTES)
    except MakeItTalkError as error:  # gone, or no file but a device or a pipe
        raise AddonError(f"The picture {source} of {image.name} cannot be read.", "Put it back.") from error
    try:
        path.write_bytes(data)
    except OSError as error:
        raise AddonError(f"{path.name} cannot be written to the temporary folder.", "Free some space.") from error


def check_file(image: bpy.types.Image) -> None:
    """Sees to it that a picture that is not packed is a file or missing: a pipe would be waited for, a device read.

    Raises:
        AddonError: it is something else.
    """
    path = bpy.path.abspath(image.filepath, library=image.library)
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise AddonError(f"The picture {path} of {image.name} is no file.", "Choose another picture in its material.")


def portrait_of(character: bpy.types.Collection) -> bpy.types.Image:
    """The picture that the character's mesh shows.

    Raises:
        AddonError: it is gone.
    """
    slots = character.makeittalk.body.data.materials
    tree = slots[0].node_tree if len(slots) and slots[0] is not None else None
    for node in tree.nodes if tree is not None else ():
        if node.type == "TEX_IMAGE" and node.image is not None:
            return node.image
    raise AddonError(f"{character.name} has lost its portrait.", "Run Make It Talk again.")


def has_transparency(image: bpy.types.Image) -> bool:
    """Whether any pixel of the image lets something through."""
    if image.channels < 4:
        return False
    pixels = np.empty(image.size[0] * image.size[1] * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    return bool(pixels[3::4].min() < 1.0 - 0.5 / 255.0)
