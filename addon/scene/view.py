"""The 3D viewport that the user looks through: where from, at what, and with which shading."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Euler, Quaternion, Vector

_LENS_WIDTH = 36.0  # mm: at a distance d, Blender's viewport shows d · 36 / lens to either side of its middle
_MARGIN = 1.35  # of what is framed
_FAR = 1000.0  # Blender units: from where a view without perspective looks
_UNDRAWN = 0.5  # shorter side over longer side of a viewport that no window has drawn yet


@dataclass
class Looking:
    """Where a viewport looks from.

    Attributes:
        eye: a place in the world; None where lines of sight are parallel.
        rotation: of the viewer, who looks along its −Z, up being +Y.
    """

    eye: Vector | None
    rotation: Quaternion

    @property
    def towards_viewer(self) -> Vector:
        """From what is looked at towards the viewer, length 1."""
        return self.rotation @ Vector((0.0, 0.0, 1.0))

    def eye_for(self, place: Vector) -> Vector:
        """Where a place is seen from."""
        return self.eye if self.eye is not None else place + _FAR * self.towards_viewer


def area_of(context: bpy.types.Context) -> bpy.types.Area | None:
    """The viewport the user is in, else the largest; None without one."""
    own: Any = context.area
    if own is not None and own.type == "VIEW_3D":
        return own
    found = [
        area for window in context.window_manager.windows for area in window.screen.areas if area.type == "VIEW_3D"
    ]
    return max(found, key=lambda area: area.width * area.height, default=None)


def looking(scene: bpy.types.Scene, area: bpy.types.Area) -> Looking:
    """Where a viewport looks from, through the scene's camera where it does so."""
    space = area.spaces.active
    region = space.region_3d
    seen_through = _camera(scene, area)
    if seen_through is not None:
        matrix = seen_through.matrix_world
        parallel = seen_through.data.type == "ORTHO"
        return Looking(None if parallel else matrix.to_translation(), matrix.to_quaternion())
    rotation = region.view_rotation.copy()
    eye = region.view_location + rotation @ Vector((0.0, 0.0, region.view_distance))
    return Looking(None if region.view_perspective == "ORTHO" else eye, rotation)


def frame(
    scene: bpy.types.Scene, area: bpy.types.Area, box: np.ndarray, front: Vector, steepest: float = math.radians(60)
) -> None:
    """Moves a viewport so that a box fills it, as View Selected does; nothing in the scene changes.

    A view through a camera that shows the whole box stays; one that does not goes on as a free view. The direction
    stays, except where it would show the box from too steep an angle: then the view turns to its front.

    Args:
        scene: the viewport's scene. area: the viewport.
        box: (2, 3), lowest and highest corner in the world.
        front: where the box's front looks, length 1, horizontal.
        steepest: the angle between the line of sight and the front that is still well seen.
    """
    region = area.spaces.active.region_3d
    view = looking(scene, area)
    turned = view.towards_viewer.dot(front) < math.cos(steepest)
    camera = _camera(scene, area)
    if camera is not None:
        if not turned and _sees(scene, camera, box):
            return
        region.view_perspective = "ORTHO" if camera.data.type == "ORTHO" else "PERSP"
        region.view_rotation = view.rotation
    if turned:
        region.view_rotation = Euler((math.pi / 2, 0.0, math.atan2(front.x, -front.y))).to_quaternion()
    region.view_location = Vector((box[0] + box[1]) / 2.0)
    radius = float(np.linalg.norm(box[1] - box[0])) / 2.0
    drawn = next((item for item in area.regions if item.type == "WINDOW"), None)
    sides = sorted((drawn.width, drawn.height)) if drawn is not None else (0, 0)
    narrow = sides[0] / sides[1] if sides[0] > 1 else _UNDRAWN
    region.view_distance = _MARGIN * radius * area.spaces.active.lens / _LENS_WIDTH / narrow


def face(area: bpy.types.Area, picture: bpy.types.Object) -> None:
    """Has a viewport look straight at an empty that shows a picture, which fills it; nothing in the scene changes."""
    region = area.spaces.active.region_3d
    region.view_perspective = "ORTHO"
    region.view_rotation = picture.matrix_world.to_quaternion()
    region.view_location = picture.matrix_world.to_translation()
    drawn = next((item for item in area.regions if item.type == "WINDOW"), None)
    sides = sorted((drawn.width, drawn.height)) if drawn is not None else (0, 0)
    narrow = sides[0] / sides[1] if sides[0] > 1 else _UNDRAWN
    half = 0.5 * picture.empty_display_size * max(picture.matrix_world.to_scale())
    region.view_distance = _MARGIN * half * area.spaces.active.lens / _LENS_WIDTH / narrow


def hides_texture(space: bpy.types.Space | None) -> bool:
    """Whether a viewport draws objects in one colour, so that a portrait is a grey relief."""
    if space is None or space.type != "VIEW_3D":
        return False
    return space.shading.type == "SOLID" and space.shading.color_type != "TEXTURE"


def show_texture(space: bpy.types.Space) -> None:
    """Has a viewport in Solid shading draw pictures; light and everything else stay as the user has them."""
    space.shading.color_type = "TEXTURE"


def open_tab(context: bpy.types.Context, category: str) -> None:
    """Opens the sidebar of the viewport the user is in at one of its tabs, as soon as Blender has drawn it."""
    area = context.area
    if bpy.app.background or area is None or area.type != "VIEW_3D":
        return
    area.spaces.active.show_region_ui = True
    window, screen, place = context.window, context.screen, (area.x, area.y)

    def choose() -> None:
        # Blender knows the tabs once the sidebar has been drawn; a closed window or an area that was joined is past.
        if window not in bpy.context.window_manager.windows[:] or window.screen != screen:
            return
        found = next((item for item in screen.areas if (item.x, item.y) == place and item.type == "VIEW_3D"), None)
        for region in found.regions if found is not None else ():
            if region.type == "UI":
                with contextlib.suppress(AttributeError, TypeError):  # no such tab, or one that cannot be chosen
                    region.active_panel_category = category
                region.tag_redraw()

    bpy.app.timers.register(choose, first_interval=0.2)


def _camera(scene: bpy.types.Scene, area: bpy.types.Area) -> bpy.types.Object | None:
    """The camera that a viewport looks through, or None."""
    space = area.spaces.active
    if space.region_3d.view_perspective != "CAMERA":
        return None
    camera = space.camera if space.use_local_camera else scene.camera
    return camera if camera is not None and camera.type == "CAMERA" else None


def _sees(scene: bpy.types.Scene, camera: bpy.types.Object, box: np.ndarray) -> bool:
    corners = [Vector((x, y, z)) for x in box[:, 0] for y in box[:, 1] for z in box[:, 2]]
    seen = [world_to_camera_view(scene, camera, corner) for corner in corners]
    return all(0.0 <= at.x <= 1.0 and 0.0 <= at.y <= 1.0 and at.z > 0.0 for at in seen)
