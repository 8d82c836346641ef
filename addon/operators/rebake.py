"""Re-bake: smoothing, the scene's rate and the density of keys, applied to the generated curves."""

from typing import ClassVar

import bpy

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..jobs.rebake import Rebake
from ..scene import character as characters
from ..scene.setup import frame_rate
from . import reasons


class MAKEITTALK_OT_rebake(reasons.Reasoned, bpy.types.Operator):
    """Bake this character's generated motion again at the scene's frame rate; your own keys stay as they are"""

    bl_idname = "makeittalk.rebake"
    bl_label = "Re-bake"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return reasons.busy_reason() or reasons.character_reason(context) or reasons.backend_reason()

    def execute(self, context: bpy.types.Context) -> set[str]:
        session = context.window_manager.makeittalk
        try:
            character = characters.active(context)
            for spoken in character.makeittalk.speeches:
                rebake = Rebake(character, spoken, frame_rate(context.scene))
                rebake.wait()
                rebake.apply()
        except MakeItTalkError as error:
            return self.fail(context, error)
        session.say("Re-baked.")
        self.report({"INFO"}, session.message)
        return {"FINISHED"}


CLASSES = (MAKEITTALK_OT_rebake,)
