"""Make It Talk, New Take and Cancel."""

from typing import ClassVar

import bpy

from ..jobs.connection import redraw_panels
from ..jobs.long_job import current_job
from ..jobs.make import make, retake
from ..jobs.task import Task
from ..scene import character as characters
from . import reasons
from .modal_job import Running


class MAKEITTALK_OT_make_it_talk(Running, bpy.types.Operator):
    """Turn the portrait and the speech into a talking character in this scene"""

    bl_idname = "makeittalk.make_it_talk"
    bl_label = "Make It Talk"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return reasons.busy_reason() or reasons.material_reason(context.scene.makeittalk) or reasons.backend_reason()

    def start(self, context: bpy.types.Context) -> Task:
        return make(context)


class MAKEITTALK_OT_new_take(Running, bpy.types.Operator):
    """Predict this character's motion again with its seed and voice; your own keys stay as they are"""

    bl_idname = "makeittalk.new_take"
    bl_label = "New Take"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return (
            reasons.busy_reason()
            or reasons.character_reason(context)
            or reasons.source_reason(characters.active(context))
            or reasons.backend_reason()
        )

    def start(self, context: bpy.types.Context) -> Task:
        return retake(context, characters.active(context))


class MAKEITTALK_OT_cancel(reasons.Reasoned, bpy.types.Operator):
    """Stop the job; nothing in the scene changes"""

    bl_idname = "makeittalk.cancel"
    bl_label = "Cancel"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        return "" if current_job() is not None else "No job is running."

    def execute(self, context: bpy.types.Context) -> set[str]:
        task = current_job()
        if task is not None:
            task.cancel()
        redraw_panels()
        return {"FINISHED"}


CLASSES = (MAKEITTALK_OT_make_it_talk, MAKEITTALK_OT_new_take, MAKEITTALK_OT_cancel)
