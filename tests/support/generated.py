"""The generated layers of a character, for tests."""

from __future__ import annotations

import bpy
import numpy as np
from extension import part


def layer(character, name: str):
    """The generated layer of a part, such as "Lips"."""
    layers = part("addon.scene.layers")
    owners = part("addon.scene.bakes").owners_of(character)
    return next(found for owner in owners for found in layers.layers(owner) if found.part == name)


def curve(character, name: str, path: str, index: int = 0):
    """A curve of a generated layer."""
    return layer(character, name).curves.fcurves.find(path, index=index)


def changed(character) -> list[str]:
    """The identifiers of the generated curves that somebody has changed."""
    actions, layers = part("addon.scene.actions"), part("addon.scene.layers")
    return [
        name
        for owner in part("addon.scene.bakes").owners_of(character)
        for found in layers.layers(owner)
        if layers.BAKED in found.strip.action
        for name in actions.changed(found.curves, found.strip.action[layers.BAKED])
    ]


def shown(character) -> dict[str, np.ndarray]:
    """What Blender shows on every frame of a character's speech, by path and index: shape keys and the head."""
    settings, scene = character.makeittalk, bpy.context.scene
    head, blocks = settings.rig.pose.bones["head"], settings.body.data.shape_keys.key_blocks[1:]
    found: dict[str, list[float]] = {}
    frame = scene.frame_current
    for number in range(settings.start, settings.start + settings.frames):
        scene.frame_set(number)
        for block in blocks:
            found.setdefault(f'key_blocks["{block.name}"].value[0]', []).append(block.value)
        for channel in ("location", "rotation_euler"):
            for axis, value in enumerate(getattr(head, channel)):
                found.setdefault(f'pose.bones["head"].{channel}[{axis}]', []).append(value)
    scene.frame_set(frame)
    return {path: np.array(values) for path, values in found.items()}


def key(owner, path: str, value: float, index: int = 0, frame: float = 1.0):
    """Puts a key into the animator's own action, on top of what is generated, and returns its curve."""
    curves = part("addon.compat").assigned_curves(owner).fcurves
    found = curves.find(path, index=index) or curves.new(path, index=index)
    found.keyframe_points.insert(frame, value)
    found.update()
    return found
