"""Photoreal Frames, and what can be done with them."""

from typing import ClassVar

import bpy
from bpy.props import StringProperty

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..jobs import photoreal
from ..jobs.task import Task
from ..scene import character as characters
from ..scene import photo_plane, picture_strip
from . import reasons
from .at_once import AtOnce
from .modal_job import Running


class MAKEITTALK_OT_photoreal_frames(Running, bpy.types.Operator):
    """Draw photoreal frames of this character as it moves now, edits included; only what is missing or has changed"""

    bl_idname = "makeittalk.photoreal_frames"
    bl_label = "Photoreal Frames"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    weights: StringProperty(
        name="Weights",
        description="A network of your own training (.safetensors); empty for the character's weights",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return (
            reasons.busy_reason()
            or reasons.character_reason(context)
            or _motion_reason(context, characters.active(context))
            or reasons.weights_reason(characters.active(context).makeittalk.weights_set)
            or reasons.backend_reason()
        )

    def start(self, context: bpy.types.Context) -> Task:
        return photoreal.start(context, characters.active(context), self.weights)


class MAKEITTALK_OT_allow_folder(AtOnce, bpy.types.Operator):
    """Let frames be written into the folder that this .blend names, from now on, for every .blend on this machine"""

    bl_idname = "makeittalk.allow_folder"
    bl_label = "Write There"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        reason = reasons.busy_reason() or reasons.character_reason(context)
        if reason:
            return reason
        return "" if photoreal.folder_reason(characters.active(context)) else "Frames may be written there already."

    def run(self, context: bpy.types.Context) -> str:
        return f"Frames are written into {photoreal.allow_folder(characters.active(context))}."


class _WithFrames(reasons.Reasoned):
    """What the operators that use finished frames share; they say what is done with them."""

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return reasons.busy_reason() or reasons.character_reason(context) or _frames_reason(context)

    def use(self, scene: bpy.types.Scene, character: bpy.types.Collection) -> None:
        """Uses the frames.

        Raises:
            MakeItTalkError: they cannot be used.
        """
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            self.use(context.scene, characters.active(context))
        except MakeItTalkError as error:
            return self.fail(context, error)
        return {"FINISHED"}


class MAKEITTALK_OT_photoreal_strip(_WithFrames, bpy.types.Operator):
    """Put the photoreal frames into the video sequencer, in step with the speech"""

    bl_idname = "makeittalk.photoreal_strip"
    bl_label = "Add to Sequencer"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def use(self, scene: bpy.types.Scene, character: bpy.types.Collection) -> None:
        first, files = photo_plane.shown_files(character)
        picture_strip.place(scene, character, files, first)


class MAKEITTALK_OT_photoreal_compositor(_WithFrames, bpy.types.Operator):
    """Add the photoreal frames to the scene's compositor as an image node, which you connect as you like"""

    bl_idname = "makeittalk.photoreal_compositor"
    bl_label = "Use in Compositor"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def use(self, scene: bpy.types.Scene, character: bpy.types.Collection) -> None:
        photo_plane.add_to_compositor(scene, character)


def _motion_reason(context: bpy.types.Context, character: bpy.types.Collection) -> str:
    """Why a character's motion cannot be read now."""
    settings = character.makeittalk
    if settings.body is None or settings.rig is None or settings.body.type != "MESH":
        return f"{character.name} has lost its mesh or its rig."
    if "EDIT" in (settings.body.mode, settings.rig.mode):
        return "Leave Edit Mode first."
    try:
        photoreal.frame_range(context.scene, character)
    except MakeItTalkError as error:
        return str(error)
    return ""


def _frames_reason(context: bpy.types.Context) -> str:
    """Why there are no photoreal frames to use."""
    found = photo_plane.plane_of(characters.active(context))
    return "" if found is not None else "Press Photoreal Frames first."


CLASSES = (
    MAKEITTALK_OT_photoreal_frames,
    MAKEITTALK_OT_allow_folder,
    MAKEITTALK_OT_photoreal_strip,
    MAKEITTALK_OT_photoreal_compositor,
)
