"""The strip of a character's speech: where it lies, put back, another recording."""

from typing import ClassVar

import bpy
from bpy.props import StringProperty

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from .. import compat
from ..jobs.connection import redraw_panels
from ..jobs.make import add_speech, replace_speech
from ..jobs.task import Task
from ..scene import character as characters
from ..scene import speech
from . import reasons
from .modal_job import Running


class MAKEITTALK_OT_timing_from_strip(reasons.Reasoned, bpy.types.Operator):
    """Move the lips to where the strip of this character's speech lies now"""

    bl_idname = "makeittalk.timing_from_strip"
    bl_label = "Take Timing from the Strip"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        reason = reasons.busy_reason() or reasons.character_reason(context)
        if reason:
            return reason
        strip = speech.strip_of(context.scene, characters.active(context).makeittalk.current)
        return "" if strip is not None else "Its speech is not on the sequencer."

    def execute(self, context: bpy.types.Context) -> set[str]:
        character = characters.active(context)
        apart = round(speech.apart(context.scene, character.makeittalk.current))
        characters.follow_strip(character, context.scene, apart)
        self.report({"INFO"}, f"{character.name} speaks from frame {character.makeittalk.start}.")
        redraw_panels()
        return {"FINISHED"}


class MAKEITTALK_OT_restore_speech(reasons.Reasoned, bpy.types.Operator):
    """Put this character's recording back on the sequencer, where the lips move"""

    bl_idname = "makeittalk.restore_speech"
    bl_label = "Restore Speech"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        reason = reasons.character_reason(context)
        if reason:
            return reason
        if not compat.plays_sound():
            return "This Blender was built without sound."
        missing = speech.is_missing(context.scene, characters.active(context).makeittalk.current)
        return "" if missing else "Its speech is on the sequencer."

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            speech.restore(context.scene, characters.active(context).makeittalk.current)
        except MakeItTalkError as error:
            return self.fail(context, error)
        redraw_panels()
        return {"FINISHED"}


class _Recording(Running):
    """What is asked for a recording, in a file browser where there is none."""

    filepath: StringProperty(name="Speech", description="The recording that it says", subtype="FILE_PATH")
    filter_glob: StringProperty(default=";".join(f"*{kind}" for kind in bpy.path.extensions_audio), options={"HIDDEN"})

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return (
            reasons.busy_reason()
            or reasons.character_reason(context)
            or reasons.source_reason(characters.active(context), speech=False)
            or reasons.backend_reason()
        )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.filepath:
            return super().invoke(context, event)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}


class MAKEITTALK_OT_replace_speech(_Recording, bpy.types.Operator):
    """Let this character say another recording from its start frame on; your own keys stay as they are"""

    bl_idname = "makeittalk.replace_speech"
    bl_label = "Replace Speech"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def start(self, context: bpy.types.Context) -> Task:
        return replace_speech(context, characters.active(context), self.filepath)


class MAKEITTALK_OT_add_speech(_Recording, bpy.types.Operator):
    """Let this character say a further recording from the playhead on; between its speeches it rests"""

    bl_idname = "makeittalk.add_speech"
    bl_label = "Add Speech at the Playhead"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def start(self, context: bpy.types.Context) -> Task:
        return add_speech(context, characters.active(context), self.filepath)


class MAKEITTALK_OT_remove_speech(reasons.Reasoned, bpy.types.Operator):
    """Remove the chosen speech with its strip and its generated motion; your own keys stay as they are"""

    bl_idname = "makeittalk.remove_speech"
    bl_label = "Remove Speech"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        reason = reasons.busy_reason() or reasons.character_reason(context)
        if reason:
            return reason
        count = len(characters.active(context).makeittalk.speeches)
        return "" if count > 1 else "It is the only speech: replace it, or remove the character."

    def execute(self, context: bpy.types.Context) -> set[str]:
        characters.say_less(context.scene, characters.active(context))
        redraw_panels()
        return {"FINISHED"}


CLASSES = (
    MAKEITTALK_OT_timing_from_strip,
    MAKEITTALK_OT_restore_speech,
    MAKEITTALK_OT_replace_speech,
    MAKEITTALK_OT_add_speech,
    MAKEITTALK_OT_remove_speech,
)
