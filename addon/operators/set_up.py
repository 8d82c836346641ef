"""Set Up Scene: a tick box a thing, each saying what it would change.

No postponed annotations here: Blender reads the annotations themselves.
"""

from typing import ClassVar

import bpy
from bpy.props import BoolProperty

from ..scene import character as characters
from ..scene import setup
from . import reasons

_DIALOG_WIDTH = 420  # px at Blender's interface scale 1: the longest line, two resolutions, fits


class MAKEITTALK_OT_set_up_scene(reasons.Reasoned, bpy.types.Operator):
    """Fit this scene to the character; asks what of it: frame range, colours, playback, camera, resolution"""

    bl_idname = "makeittalk.set_up_scene"
    bl_label = "Set Up Scene"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    frame_range: BoolProperty(name="Frame Range", description="Let it hold the speech; it only grows", default=True)
    colours: BoolProperty(
        name="Colours", description="Show the picture's own colours: Standard, no look, no exposure", default=True
    )
    sync: BoolProperty(name="Playback", description="Leave out frames rather than fall behind the sound", default=True)
    camera: BoolProperty(name="Camera", description="Make a camera that frames the portrait the scene's", default=True)
    resolution: BoolProperty(name="Resolution", description="Render as many pixels as the picture has", default=True)

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return reasons.character_reason(context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        self.changes = self._changes(context)  # kept: once they are made, nothing is left to say
        for name, change in self.changes.items():
            setattr(self, name, bool(change))
        return context.window_manager.invoke_props_dialog(self, width=_DIALOG_WIDTH)

    def draw(self, context: bpy.types.Context) -> None:
        changes = getattr(self, "changes", None) or self._changes(context)
        for step in setup.STEPS:
            self.layout.prop(self, step.name, text=f"{step.label}: {changes[step.name] or 'fits already'}")

    @staticmethod
    def _changes(context: bpy.types.Context) -> dict[str, str]:
        character = characters.active(context)
        return {step.name: step.change(context.scene, character) for step in setup.STEPS}

    def execute(self, context: bpy.types.Context) -> set[str]:
        character = characters.active(context)
        for step in setup.STEPS:
            if getattr(self, step.name):
                step.apply(context.scene, character)
        return {"FINISHED"}


CLASSES = (MAKEITTALK_OT_set_up_scene,)
