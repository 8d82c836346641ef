"""Place by Clicks: seven clicks in the viewport, each asked for beside the pointer."""

from typing import Any, ClassVar

import blf
import bpy
import gpu
from bpy_extras import view3d_utils
from gpu_extras.batch import batch_for_shader
from mathutils import Vector
from mathutils.geometry import intersect_line_plane

from ...backend.makeittalk.exchange.constants import CLICKS
from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..scene import landmark_mesh
from . import reasons

_COLOUR, _SHADOW = (1.0, 0.16, 0.5, 1.0), (0.0, 0.0, 0.0, 0.8)
_DOT, _TEXT = 11.0, 16.0  # px at Blender's interface scale 1
_BESIDE = 18.0  # px from the pointer to its text


class MAKEITTALK_OT_click_landmarks(reasons.Reasoned, bpy.types.Operator):
    """Click the middles of both eyes, the tip of the nose, the corners and the middle of the mouth, and the chin"""

    bl_idname = "makeittalk.click_landmarks"
    bl_label = "Place by Clicks"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}  # the placing that follows is the undo step

    _drawing: Any = None

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return reasons.busy_reason() or reasons.landmarks_reason(context) or reasons.backend_reason()

    def execute(self, context: bpy.types.Context) -> set[str]:
        self.report({"ERROR"}, "It needs a window to click in; scripts call makeittalk.place_landmarks.")
        return {"CANCELLED"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        area = context.area
        if area is None or area.type != "VIEW_3D":
            return self.execute(context)
        try:
            points = landmark_mesh.active(context)
            self._picture, self._points = landmark_mesh.picture(points).name, points.name
        except MakeItTalkError as error:
            return self.fail(context, error)
        self._clicks: list[tuple[float, float]] = []
        self._area, self._mouse = area, (event.mouse_x, event.mouse_y)
        self._drawing = bpy.types.SpaceView3D.draw_handler_add(self._draw, (), "WINDOW", "POST_PIXEL")
        context.window_manager.modal_handler_add(self)
        context.window.cursor_modal_set("CROSSHAIR")
        self._ask(context)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self._mouse = (event.mouse_x, event.mouse_y)
        if self._picture not in bpy.data.objects or self._points not in bpy.data.objects:
            return self._end(context, {"CANCELLED"})
        if event.type == "ESC" and event.value == "PRESS":
            context.window_manager.makeittalk.say("No point was placed.")
            return self._end(context, {"CANCELLED"})
        if event.type in {"BACK_SPACE", "RIGHTMOUSE"} and event.value == "PRESS":
            self._clicks = self._clicks[:-1]
        elif event.type == "LEFTMOUSE" and event.value == "PRESS":
            region = self._region(event)
            if region is None:
                return {"PASS_THROUGH"}
            place = self._place(region, (event.mouse_x - region.x, event.mouse_y - region.y))
            if place is not None:
                self._clicks.append(place)
        elif event.type != "MOUSEMOVE":
            return {"PASS_THROUGH"}  # the view can be moved meanwhile
        if len(self._clicks) == len(CLICKS):
            clicks = [value for place in self._clicks for value in place]
            self._end(context, {"FINISHED"})
            bpy.ops.makeittalk.place_landmarks("INVOKE_DEFAULT", clicks=clicks)
            return {"FINISHED"}
        self._ask(context)
        return {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator itself: another file is opened, or Blender quits."""
        self._end(context, {"CANCELLED"})

    def _ask(self, context: bpy.types.Context) -> None:
        self._area.header_text_set(self._prompt() + "     Backspace: the last one again     Esc: cancel")
        self._area.tag_redraw()

    def _prompt(self) -> str:
        return f"Click the {CLICKS[len(self._clicks)]} ({len(self._clicks) + 1} of {len(CLICKS)})"

    def _end(self, context: bpy.types.Context, result: set[str]) -> set[str]:
        if self._drawing is not None:
            bpy.types.SpaceView3D.draw_handler_remove(self._drawing, "WINDOW")
            self._drawing = None
            context.window.cursor_modal_restore()
            self._area.header_text_set(None)
            self._area.tag_redraw()
        return result

    def _region(self, event: bpy.types.Event) -> bpy.types.Region | None:
        """The region of the viewport that the pointer is over, where it is the view itself."""
        x, y = event.mouse_x, event.mouse_y
        over = [
            region
            for region in self._area.regions
            if region.x <= x < region.x + region.width and region.y <= y < region.y + region.height
        ]
        return over[0] if [region.type for region in over] == ["WINDOW"] else None

    def _place(self, region: bpy.types.Region, at: tuple[int, int]) -> tuple[float, float] | None:
        """Where the picture is seen at a place of the region, px of the picture."""
        space = self._area.spaces.active.region_3d
        origin = view3d_utils.region_2d_to_origin_3d(region, space, at)
        way = view3d_utils.region_2d_to_vector_3d(region, space, at)
        back = bpy.data.objects[self._picture].matrix_world.inverted()
        start = back @ origin
        hit = intersect_line_plane(start, start + back.to_3x3() @ way, Vector(), Vector((0.0, 0.0, 1.0)))
        if hit is None:
            return None
        width, height = landmark_mesh.size(bpy.data.objects[self._points])
        return (hit.x * height + width / 2, height / 2 - hit.y * height)

    def _draw(self) -> None:
        region = bpy.context.region
        if bpy.context.area != self._area or self._picture not in bpy.data.objects or region is None:
            return
        scale = bpy.context.preferences.system.ui_scale
        width, height = landmark_mesh.size(bpy.data.objects[self._points])
        matrix = bpy.data.objects[self._picture].matrix_world
        space = self._area.spaces.active.region_3d
        seen = [
            view3d_utils.location_3d_to_region_2d(
                region, space, matrix @ Vector(((x - width / 2) / height, (height / 2 - y) / height, 0.0))
            )
            for x, y in self._clicks
        ]
        dots = [place for place in seen if place is not None]
        if dots:
            shader = gpu.shader.from_builtin("UNIFORM_COLOR")
            for colour, size in ((_SHADOW, 1.4 * _DOT), (_COLOUR, _DOT)):
                gpu.state.point_size_set(size * scale)
                shader.uniform_float("color", colour)
                batch_for_shader(shader, "POINTS", {"pos": [(*place, 0.0) for place in dots]}).draw(shader)
            gpu.state.point_size_set(1.0)
        if len(self._clicks) < len(CLICKS):
            blf.size(0, _TEXT * scale)
            blf.enable(0, blf.SHADOW)
            blf.shadow(0, 5, *_SHADOW)
            blf.color(0, 1.0, 1.0, 1.0, 1.0)
            x, y = self._mouse[0] - region.x, self._mouse[1] - region.y
            # Towards the middle of the view: the sidebar may lie over its edge.
            beside = (
                _BESIDE * scale if x < region.width / 2 else -_BESIDE * scale - blf.dimensions(0, self._prompt())[0]
            )
            blf.position(0, x + beside, y + _BESIDE * scale, 0)
            blf.draw(0, self._prompt())
            blf.disable(0, blf.SHADOW)


CLASSES = (MAKEITTALK_OT_click_landmarks,)
