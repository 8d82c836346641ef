"""The character's pictures, packed so that the .blend stands alone."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from ..core.errors import AddonError


def portrait_image(name: str, path: Path) -> bpy.types.Image:
    """Loads and packs the prepared portrait.

    Raises:
        AddonError: Blender cannot read the picture.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AddonError(f"{path.name} cannot be read.", "Run Make It Talk again.") from error
    # Not loaded from its file: the .blend would keep the temporary folder's path, which is private and never the same.
    image = bpy.data.images.new(name, 1, 1, alpha=True)
    image.source = "FILE"
    image.filepath_raw = f"//{bpy.path.clean_name(name)}.png"  # where it would be unpacked to
    image.pack(data=data, data_len=len(data))
    if not image.size[0]:
        bpy.data.images.remove(image)
        raise AddonError(f"Blender cannot read {path.name}.", "Run Make It Talk again.")
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
        data = bytes(image.packed_file.data) if image.packed_file is not None else source.read_bytes()
    except OSError as error:
        raise AddonError(f"The picture {source} of {image.name} cannot be read.", "Put it back.") from error
    try:
        path.write_bytes(data)
    except OSError as error:
        raise AddonError(f"{path.name} cannot be written to the temporary folder.", "Free some space.") from error


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
