"""The scene around a character: rate, range, colours, sync, camera and view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Step:
    """A thing of the scene that can be fitted to a character.

    Attributes:
        name: of the operator's argument. label: for the user.
        change: what it would change, such as "1–250 → 1–312"; empty where the scene fits already.
        apply: changes it. lacking: what the panel says where it does not fit, or None to say nothing.
    """

    name: str
    label: str
    change: Callable[[bpy.types.Scene, bpy.types.Collection], str]
    apply: Callable[[bpy.types.Scene, bpy.types.Collection], None]
    lacking: Callable[[bpy.types.Scene, bpy.types.Collection], str] | None = None


def missing(scene: bpy.types.Scene, character: bpy.types.Collection) -> list[str]:
    """What of the scene does not fit the character, as short phrases; empty where all is set up."""
    return [
        step.lacking(scene, character) for step in STEPS if step.lacking is not None and step.change(scene, character)
    ]


def set_up(scene: bpy.types.Scene, character: bpy.types.Collection) -> None:
    """Fits a scene that was untouched before the character came to it.

    Its range becomes the speech's, Blender's cube makes room, the viewports show the portrait.
    """
    for step in STEPS:
        step.apply(scene, character)
    first, last = speech.span(character)
    scene.frame_start, scene.frame_end = max(0, first), max(0, last)
    scene.frame_set(first)
    _make_room(scene, character)
    _show()


def _wanted_range(scene: bpy.types.Scene, character: bpy.types.Collection) -> tuple[int, int]:
    first, last = speech.span(character)
    return max(0, min(scene.frame_start, first)), max(scene.frame_end, last)


def _range_change(scene: bpy.types.Scene, character: bpy.types.Collection) -> str:
    before, after = (scene.frame_start, scene.frame_end), _wanted_range(scene, character)
    return "" if before == after else f"{before[0]}–{before[1]} → {after[0]}–{after[1]}"


def _apply_range(scene: bpy.types.Scene, character: bpy.types.Collection) -> None:
    scene.frame_start, scene.frame_end = _wanted_range(scene, character)


def _range_lacking(_scene: bpy.types.Scene, character: bpy.types.Collection) -> str:
    return f"frame range ends before the speech (frame {speech.span(character)[1]})"


def _colour_values(scene: bpy.types.Scene) -> tuple[str, str, float, float]:
    view = scene.view_settings
    return view.view_transform, view.look, view.exposure, view.gamma


def _colours_change(scene: bpy.types.Scene, _character: bpy.types.Collection) -> str:
    transform, look, exposure, gamma = _colour_values(scene)
    found = [transform] * (transform != "Standard") + [look] * (look != "None")
    found += [f"exposure {exposure:.3g}"] * (exposure != 0.0) + [f"gamma {gamma:.3g}"] * (gamma != 1.0)
    return f"{', '.join(found)} → Standard, as the picture is" if found else ""


def _apply_colours(scene: bpy.types.Scene, _character: bpy.types.Collection) -> None:
    # None of the exposure or look of the user's may stand between the portrait's pixels and the render's.
    view = scene.view_settings
    view.view_transform, view.look, view.exposure, view.gamma = "Standard", "None", 0.0, 1.0


def _sync_change(scene: bpy.types.Scene, _character: bpy.types.Collection) -> str:
    if scene.sync_mode == "AUDIO_SYNC":
        return ""
    modes = scene.bl_rna.properties["sync_mode"].enum_items
    return f"{modes[scene.sync_mode].name} → {modes['AUDIO_SYNC'].name}"


def _apply_sync(scene: bpy.types.Scene, _character: bpy.types.Collection) -> None:
    scene.sync_mode = "AUDIO_SYNC"


def _camera_change(scene: bpy.types.Scene, character: bpy.types.Collection) -> str:
    found = _camera_of(character)
    if found is not None and scene.camera == found:
        return ""
    after = found.name if found is not None else f"a new one, {_camera_name(character)}"
    return f"{scene.camera.name if scene.camera is not None else 'none'} → {after}"


def _apply_camera(scene: bpy.types.Scene, character: bpy.types.Collection) -> None:
    settings = character.makeittalk
    found = _camera_of(character)
    if found is None:
        size = np.array(settings.image_size[:], np.int64)
        found = camera.new_camera(_camera_name(character), size, settings.rig, character)
        settings.camera = found
    scene.camera = found


def _camera_name(character: bpy.types.Collection) -> str:
    return f"{character.name} Camera"


def _wanted_resolution(character: bpy.types.Collection) -> tuple[int, int, int]:
    return *camera.resolution(np.array(character.makeittalk.image_size[:], np.int64)), 100


def _resolution_change(scene: bpy.types.Scene, character: bpy.types.Collection) -> str:
    render = scene.render
    before = render.resolution_x, render.resolution_y, render.resolution_percentage
    after = _wanted_resolution(character)
    return "" if before == after else " → ".join(f"{x} × {y}, {percent} %" for x, y, percent in (before, after))


def _apply_resolution(scene: bpy.types.Scene, character: bpy.types.Collection) -> None:
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = _wanted_resolution(character)


#: What can be fitted, each by itself, in the order of the dialog.
STEPS = (
    Step("frame_range", "Frame range", _range_change, _apply_range, _range_lacking),
    Step(
        *("colours", "Colours", _colours_change, _apply_colours),
        lambda _scene, _character: "view transform changes the portrait's colours",
    ),
    Step(
        *("sync", "Playback", _sync_change, _apply_sync),
        lambda _scene, _character: "playback is not held to the sound",
    ),
    Step(
        *("camera", "Camera", _camera_change, _apply_camera),
        lambda _scene, _character: "camera does not frame the portrait",
    ),
    Step("resolution", "Resolution", _resolution_change, _apply_resolution),
)
