"""Renders characters, for tests that look at pixels."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np


def eevee_engine() -> str:
    """The identifier of Eevee in this Blender."""
    return "BLENDER_EEVEE" if bpy.app.version >= (5, 0, 0) else "BLENDER_EEVEE_NEXT"


def render(path: Path, engine: str = "CYCLES") -> np.ndarray:
    """The current frame as (H, W, 3) floats 0–255."""
    scene = bpy.context.scene
    scene.render.engine = engine
    if engine == "CYCLES":
        scene.cycles.samples = 8
        scene.cycles.use_denoising = False
    scene.render.use_sequencer = False  # else the sound strip's sequence is rendered
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    pixels = np.empty(image.size[0] * image.size[1] * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    pixels = pixels.reshape(image.size[1], image.size[0], image.channels)[::-1, :, :3] * 255.0
    bpy.data.images.remove(image)
    return pixels


def at_rest(character) -> None:
    rig, keys = character.makeittalk.rig, character.makeittalk.body.data.shape_keys
    rig.animation_data_clear()
    keys.animation_data_clear()
    for block in keys.key_blocks:
        block.value = 0.0
    for bone in rig.pose.bones:
        bone.location = bone.rotation_euler = (0.0, 0.0, 0.0)
