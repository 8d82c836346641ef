"""Preview, Keep and Stop: the speech in the viewport before anything is made."""

from typing import Any, ClassVar

import bpy

from ..jobs.connection import redraw_panels
from ..jobs.long_job import LongJob, current_job
from ..jobs.preview import Preview
from . import reasons
from .modal_job import Running

_KEYS = "Space: Play or Pause     Drag the bar, Left and Right, Home, End: Go to     Enter: Keep     Esc: Stop"
_PANEL = 0.2  # s between two drawings of the panel


class MAKEITTALK_OT_preview(Running, bpy.types.Operator):
    """Play portrait and speech in the viewport before anything is made; amounts, seed and voice act while it plays"""

    bl_idname = "makeittalk.preview"
    bl_label = "Preview"
    bl_options: ClassVar[set[str]] = {"REGISTER"}  # what is kept is the undo step, and a preview leaves none

    tick = 1.0 / 60.0
    _dragging: bool = False
    _resume: bool = False  # whether it plays on when the mouse is let go
    _panel: float = 0.0

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return reasons.busy_reason() or reasons.material_reason(context.scene.makeittalk) or reasons.backend_reason()

    def start(self, context: bpy.types.Context) -> LongJob:
        areas = [area for area in context.window.screen.areas if area.type == "VIEW_3D"] if context.window else []
        if not areas or bpy.app.background:
            raise reasons.no_window()
        own = context.area if context.area in areas else None
        return Preview(context, own or max(areas, key=lambda area: area.width * area.height))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        result = super().invoke(context, event)
        if result == {"RUNNING_MODAL"}:
            context.workspace.status_text_set(_KEYS)
        return result

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self.fail(context, reasons.no_window())

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        preview = self._task
        if not isinstance(preview, Preview) or current_job() is not preview:
            return self._end(context, super().modal(context, event))
        if event.type == "TIMER":
            return self._end(context, self._step(context, preview))
        if preview.cancelled:
            return {"PASS_THROUGH"}
        if event.type == "ESC" and event.value == "PRESS":
            preview.cancel()
            return {"RUNNING_MODAL"}
        region = preview.overlay.region(context.window)
        if region is None:
            return {"PASS_THROUGH"}
        used = self._key(preview, region, event) or self._mouse(preview, region, event)
        if used:
            preview.overlay.redraw()
        return {"RUNNING_MODAL"} if used else {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        super().cancel(context)
        self._end(context, {"CANCELLED"})

    def _step(self, context: bpy.types.Context, preview: Preview) -> set[str]:
        """What is done at every tick."""
        if preview.overlay.region(context.window) is None:
            preview.cancel()
        try:
            finished = preview.poll()
        except BaseException:  # nobody would end it any more
            preview.close()
            raise
        if not finished:
            preview.overlay.follow()
            self._panel += self.tick
            if self._panel > _PANEL:
                self._panel = 0.0
                redraw_panels()
            return {"PASS_THROUGH"}
        redraw_panels()
        result = self._finish(context, preview)
        if result == {"FINISHED"}:
            bpy.ops.ed.undo_push(message="Keep Preview")
        return result

    def _end(self, context: bpy.types.Context, result: set[str]) -> set[str]:
        """Takes timer and status line away where the operator ends."""
        if not result & {"PASS_THROUGH", "RUNNING_MODAL"}:
            self._stop_timer(context)
            if context.workspace is not None:
                context.workspace.status_text_set(None)
        return result

    def _key(self, preview: Preview, region: bpy.types.Region, event: bpy.types.Event) -> bool:
        """Acts on a key that is pressed over the view; whether it is one of the preview's."""
        if event.value != "PRESS" or event.ctrl or event.alt or event.shift or not _over(region, event):
            return False
        playback, motion = preview.playback, preview.overlay.motion
        fps = motion.fps if motion is not None else 24.0
        if event.type == "SPACE":
            playback.pause() if playback.playing else playback.play()
        elif event.type in {"RET", "NUMPAD_ENTER"}:
            preview.keep()
        elif event.type in {"LEFT_ARROW", "RIGHT_ARROW"}:
            playback.pause()
            frame = round(playback.place * fps) + (1 if event.type == "RIGHT_ARROW" else -1)
            playback.seek(frame / fps, aloud=True)
        elif event.type in {"HOME", "END"}:
            playback.seek(0.0 if event.type == "HOME" else playback.until)
        else:
            return False
        return True

    def _mouse(self, preview: Preview, region: bpy.types.Region, event: bpy.types.Event) -> bool:
        """Acts on the mouse on the preview's own parts; whether it was on one."""
        playback, overlay = preview.playback, preview.overlay
        x, y = event.mouse_x - region.x, event.mouse_y - region.y
        if self._dragging and event.type == "MOUSEMOVE":
            playback.seek(overlay.time_at(x), aloud=True)
            return True
        if event.type != "LEFTMOUSE":
            return False
        if event.value == "RELEASE":
            dragged, self._dragging = self._dragging, False
            if dragged and self._resume:
                playback.play()
            return dragged
        part = overlay.part_at(x, y) if _over(region, event) else ""
        if part == "bar":
            self._dragging, self._resume = True, playback.playing
            playback.pause()
            playback.seek(overlay.time_at(x), aloud=True)
        elif part in {"button", "picture"}:
            playback.pause() if playback.playing else playback.play()
        return bool(part)


class MAKEITTALK_OT_keep_preview(reasons.Reasoned, bpy.types.Operator):
    """Make the character that the preview shows, without predicting anything again"""

    bl_idname = "makeittalk.keep_preview"
    bl_label = "Keep Preview"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}  # the preview's own operator makes it

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        return reasons.preview_reason()

    def execute(self, _context: bpy.types.Context) -> set[str]:
        preview: Any = current_job()
        preview.keep()
        return {"FINISHED"}


class MAKEITTALK_OT_stop_preview(reasons.Reasoned, bpy.types.Operator):
    """End the preview; nothing of it stays"""

    bl_idname = "makeittalk.stop_preview"
    bl_label = "Stop Preview"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        return reasons.preview_reason()

    def execute(self, _context: bpy.types.Context) -> set[str]:
        preview: Any = current_job()
        preview.cancel()
        return {"FINISHED"}


def _over(region: bpy.types.Region, event: bpy.types.Event) -> bool:
    """Whether the mouse is over a region and over none that covers it."""
    area = next((item for item in bpy.context.window.screen.areas if region in item.regions.values()), None)
    over = [
        item.type
        for item in (area.regions if area is not None else ())
        if item.x <= event.mouse_x < item.x + item.width and item.y <= event.mouse_y < item.y + item.height
    ]
    return over == ["WINDOW"]


CLASSES = (MAKEITTALK_OT_preview, MAKEITTALK_OT_keep_preview, MAKEITTALK_OT_stop_preview)
