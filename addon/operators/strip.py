"""A recording that lies on the sequencer already becomes the speech."""

from pathlib import Path
from typing import ClassVar

import bpy
from bpy.props import EnumProperty

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from .. import compat
from ..core.errors import AddonError
from ..scene import output_folders, sound, speech_strip, strips
from . import reasons

_FOLDER = "speech"  # of copies, beside the .blend
_shown: list[tuple[str, str, str]] = []  # Blender does not keep the texts of a list that is made anew


def _strips(_self: bpy.types.Operator, context: bpy.types.Context | None) -> list[tuple[str, str, str]]:
    found = speech_strip.sound_strips(context.scene) if context is not None else []
    _shown[:] = [(strip.name, strip.name, f"Starts on frame {compat.strip_span(strip)[0]}") for strip in found]
    return _shown


class MAKEITTALK_OT_speech_from_strip(reasons.Reasoned, bpy.types.Operator):
    """Make a sound strip of the sequencer the speech: the character speaks where the strip lies, and shares it"""

    bl_idname = "makeittalk.speech_from_strip"
    bl_label = "Speech from the Sequencer"
    bl_property = "strip"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    strip: EnumProperty(name="Strip", description="The sound strip", items=_strips)

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        if reasons.busy_reason():
            return reasons.busy_reason()
        return "" if speech_strip.sound_strips(context.scene) else "There is no sound strip in this scene's sequencer."

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene, settings = context.scene, context.scene.makeittalk
        strip = next((item for item in speech_strip.sound_strips(scene) if item.name == self.strip), None)
        if strip is None:
            return self.fail(context, AddonError(f"There is no sound strip called {self.strip}.", "Choose another."))
        start = compat.strip_span(strip)[0]
        message = f"{strip.name} is the speech now, from frame {start}."
        path = speech_strip.whole_file(scene, strip)
        if path is None:
            saved = bool(bpy.data.filepath)
            folder = Path(bpy.path.abspath("//") if saved else bpy.app.tempdir) / _FOLDER
            path = speech_strip.unused(folder, bpy.path.clean_name(strip.name))
            try:
                output_folders.check(folder)
                speech_strip.write_copy(scene, strip, path)
            except MakeItTalkError as error:
                return self.fail(context, error)
            message += f" What it sounds like was written to {path}."
            if not saved:
                message += " Save the .blend first to keep that file."
        settings.speech = sound.relative(str(path)) if bpy.data.filepath else str(path)
        settings.strip, settings.strip_frames = strips.identity(strip), compat.strip_length(strip)
        settings.at_current_frame, settings.start = False, start
        return self.tell(context, message)


CLASSES = (MAKEITTALK_OT_speech_from_strip,)
