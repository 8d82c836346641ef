"""Re-bake: the amounts, the scene's rate and the density of keys, applied to the curves."""

from typing import ClassVar

import bpy
from bpy.props import BoolProperty

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..jobs.rebake import Rebake, kept_message
from ..scene import character as characters
from ..scene.setup import frame_rate
from . import reasons


class MAKEITTALK_OT_rebake(reasons.Reasoned, bpy.types.Operator):
    """Bake this character's motion again with its amounts at the scene's frame rate"""

    bl_idname = "makeittalk.rebake"
    bl_label = "Re-bake"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    overwrite: BoolProperty(
        name="Overwrite Edits",
        description="Bake over the curves that you have edited too; without it they stay as they are",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: "MAKEITTALK_OT_rebake") -> str:
        if properties.overwrite:
            return "Bake over the curves that you have edited too"
        return cls.__doc__ or ""

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return reasons.busy_reason() or reasons.character_reason(context) or reasons.backend_reason()

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.overwrite:
            return context.window_manager.invoke_confirm(self, event)
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        session = context.window_manager.makeittalk
        try:
            rebake = Rebake(characters.active(context), frame_rate(context.scene), self.overwrite)
            rebake.wait()
            kept = rebake.apply()
        except MakeItTalkError as error:
            return self.fail(context, error)
        session.say(kept_message(kept) or "Re-baked.")
        self.report({"INFO"}, session.message)
        return {"FINISHED"}


CLASSES = (MAKEITTALK_OT_rebake,)
