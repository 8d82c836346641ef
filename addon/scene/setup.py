"""The scene around a character: rate, range, colours, sync, camera and view."""

from __future__ import annotations

import bpy
import numpy as np

from .. import compat
from . import camera, speech

_DEFAULT_OBJECTS = {"Camera": "CAMERA", "Cube": "MESH", "Light": "LIGHT"}
_DEFAULT_RANGE = (1, 250)


def frame_rate(scene: bpy.types.Scene) -> float:
    """Frames a second."""
    return scene.render.fps / scene.render.fps_base


def is_untouched(scene: bpy.types.Scene) -> bool:
    """Whether a scene is as a new file has it, so that setting it up takes nothing from anybody.

    It holds at most Blender's own cube, light and camera, unmoved; nothing is animated, no strip lies in the
    sequencer, the frame range is the usual one.
    """
    if compat.sequencer_strips(scene) or (scene.frame_start, scene.frame_end) != _DEFAULT_RANGE:
        return False
    if scene.animation_data is not None and scene.animation_data.action is not None:
        return False
    return all(_is_default(item) for item in scene.objects)


def _is_default(item: bpy.types.Object) -> bool:
    if _DEFAULT_OBJECTS.get(item.name) != item.type or item.animation_data is not None or item.modifiers:
        return False
    if item.type != "MESH":
        return True
    unmoved = all(abs(value) < 1e-6 for value in (*item.location, *item.rotation_euler))
    return unmoved and len(item.data.vertices) == 8 and tuple(item.scale) == (1.0, 1.0, 1.0)


def missing(scene: bpy.types.Scene, character: bpy.types.Collection) -> list[str]:
    """What of the scene does not fit the character, as short phrases; empty where all is set up."""
    first, last = speech.span(character)
    found = []
    if scene.frame_start > first or scene.frame_end < last:
        found.append(f"frame range ends before the speech (frame {last})")
    if scene.view_settings.view_transform != "Standard":
        found.append("view transform changes the portrait's colours")
    if scene.sync_mode != "AUDIO_SYNC":
        found.append("playback is not held to the sound")
    if _camera_of(character) is None or scene.camera != _camera_of(character):
        found.append("camera does not frame the portrait")
    return found


def set_up(scene: bpy.types.Scene, character: bpy.types.Collection, fresh: bool) -> None:
    """Fits the scene to the character.

    Args:
        scene: the character's scene.
        character: the character's collection.
        fresh: the scene was untouched before the character came: its range becomes the speech's, Blender's cube
            makes room, the viewports show the portrait. Otherwise the range only grows.
    """
    settings = character.makeittalk
    first, last = speech.span(character)
    if fresh:
        scene.frame_start, scene.frame_end = max(0, first), max(0, last)
        scene.frame_set(first)
        _make_room(scene, character)
    else:
        scene.frame_start = max(0, min(scene.frame_start, first))
        scene.frame_end = max(scene.frame_end, last)
    # None of the exposure or look of the user's may stand between the portrait's pixels and the render's.
    view = scene.view_settings
    view.view_transform, view.look, view.exposure, view.gamma = "Standard", "None", 0.0, 1.0
    scene.sync_mode = "AUDIO_SYNC"
    size = np.array(settings.image_size[:], np.int64)
    found = _camera_of(character)
    if found is None:
        found = camera.new_camera(f"{character.name} Camera", size, settings.rig, character)
        settings.camera = found
    scene.camera = found
    render = scene.render
    render.resolution_x, render.resolution_y = camera.resolution(size)
    render.resolution_percentage = 100
    if fresh:
        _show()


def _camera_of(character: bpy.types.Collection) -> bpy.types.Object | None:
    return character.makeittalk.camera


def _make_room(scene: bpy.types.Scene, character: bpy.types.Collection) -> None:
    cube = scene.objects.get("Cube")
    if cube is not None and cube.name not in character.all_objects:
        cube.hide_render = True
        cube.hide_viewport = True


def _show() -> None:
    """Turns the viewports to the camera, showing the picture's own colours; there are none in the background."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type != "VIEW_3D":
                continue
            space = area.spaces.active
            shading = space.shading
            shading.type, shading.light, shading.color_type = "SOLID", "FLAT", "TEXTURE"
            space.region_3d.view_perspective = "CAMERA"
