"""Landmarks by hand: shown, chosen, mirrored, put back, refined, applied and cancelled.

No postponed annotations here: Blender reads the annotations themselves.
"""

from typing import Any, ClassVar

import bpy
import numpy as np
from bpy.props import EnumProperty, FloatVectorProperty, IntProperty

from ...backend.makeittalk.exchange.constants import CLICKS
from ..core import landmark_parts
from ..jobs import landmarks
from ..jobs.task import Task
from ..scene import character as characters
from ..scene import landmark_mesh
from . import reasons
from .at_once import AtOnce
from .modal_job import Running

_ALL = "ALL"
_PARTS = (
    (_ALL, "All", "The whole face"),
    *((name, part.label, f"The {part.label.lower()}") for name, part in landmark_parts.PARTS.items()),
)


class _Sometimes(Running, AtOnce):
    """An operator that needs the backend only sometimes."""

    def at_once(self, context: bpy.types.Context) -> bool:
        """Whether it goes without the backend."""
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        return AtOnce.execute(self, context) if self.at_once(context) else Running.execute(self, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return AtOnce.execute(self, context) if self.at_once(context) else Running.invoke(self, context, event)


class MAKEITTALK_OT_edit_landmarks(_Sometimes, bpy.types.Operator):
    """Show the landmarks of the portrait in the viewport, to be moved or placed by clicks before it talks"""

    bl_idname = "makeittalk.edit_landmarks"
    bl_label = "Edit Landmarks"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        settings = context.scene.makeittalk
        if settings.is_placed:
            return reasons.busy_reason()
        return reasons.busy_reason() or reasons.file_reason(settings.portrait, "a portrait") or reasons.backend_reason()

    def at_once(self, context: bpy.types.Context) -> bool:
        return bool(context.scene.makeittalk.is_placed)

    def run(self, context: bpy.types.Context) -> str:
        landmarks.edit_placed(context)
        return "These are the landmarks that you have placed. Move them, then press Apply."

    def start(self, context: bpy.types.Context) -> Task:
        return landmarks.edit_portrait(context)


class MAKEITTALK_OT_edit_character_landmarks(AtOnce, bpy.types.Operator):
    """Show this character's landmarks over its portrait; Apply makes its face anew and leaves your own keys alone"""

    bl_idname = "makeittalk.edit_character_landmarks"
    bl_label = "Edit Landmarks"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return reasons.busy_reason() or reasons.character_reason(context)

    def run(self, context: bpy.types.Context) -> str:
        character = characters.active(context)
        landmarks.edit_character(context, character)
        return f"Move the landmarks of {character.name}, then press Apply."


class MAKEITTALK_OT_apply_landmarks(_Sometimes, bpy.types.Operator):
    """Take the landmarks as they are: for the next character, or for the one they belong to, which is made anew"""

    bl_idname = "makeittalk.apply_landmarks"
    bl_label = "Apply Landmarks"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        reason = reasons.busy_reason() or reasons.landmarks_reason(context)
        if reason or _owner(context) is None:
            return reason
        return reasons.backend_reason()

    def at_once(self, context: bpy.types.Context) -> bool:
        return _owner(context) is None

    def run(self, context: bpy.types.Context) -> str:
        landmarks.keep(context.scene, landmark_mesh.active(context))
        return "Make It Talk uses these landmarks."

    def start(self, context: bpy.types.Context) -> Task:
        return landmarks.apply(context, landmark_mesh.active(context), _owner(context))


class MAKEITTALK_OT_cancel_landmarks(AtOnce, bpy.types.Operator):
    """Take the landmarks out of the viewport; everything is as it was before they were edited"""

    bl_idname = "makeittalk.cancel_landmarks"
    bl_label = "Cancel Landmarks"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return reasons.busy_reason() or reasons.landmarks_reason(context)

    def run(self, context: bpy.types.Context) -> str:
        character = _owner(context)
        landmark_mesh.remove(landmark_mesh.active(context))
        if character is not None and character.makeittalk.rig is not None:
            characters.select(character.makeittalk.rig)
        return "The landmarks are as they were."


class MAKEITTALK_OT_drop_landmarks(AtOnce, bpy.types.Operator):
    """Forget the landmarks that were placed on this portrait, and let its face be detected"""

    bl_idname = "makeittalk.drop_landmarks"
    bl_label = "Forget Placed Landmarks"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return "" if context.scene.makeittalk.is_placed else "No landmarks were placed on this portrait."

    def run(self, context: bpy.types.Context) -> str:
        settings = context.scene.makeittalk
        settings.landmarks = settings.landmarks_of = ""
        settings.landmarks_image = None
        return "The portrait's face will be detected."


class MAKEITTALK_OT_mirror_landmarks(AtOnce, bpy.types.Operator):
    """Make one half of the face the mirror image of the other, about the line through its middle"""

    bl_idname = "makeittalk.mirror_landmarks"
    bl_label = "Mirror Landmarks"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    keep: EnumProperty(
        name="Keep",
        description="Which half stays as it is",
        items=(
            ("RIGHT", "Left of the Picture", "The person's right half, on the left of the picture"),
            ("LEFT", "Right of the Picture", "The person's left half, on the right of the picture"),
        ),
    )

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return reasons.busy_reason() or reasons.landmarks_reason(context)

    def run(self, context: bpy.types.Context) -> str:
        points = landmark_mesh.active(context)
        landmark_mesh.write(points, landmark_parts.mirrored(landmark_mesh.read(points), self.keep == "RIGHT"))
        return "The landmarks are mirrored."


class MAKEITTALK_OT_reset_landmarks(AtOnce, bpy.types.Operator):
    """Put a part of the face back to where its points were when editing began"""

    bl_idname = "makeittalk.reset_landmarks"
    bl_label = "Reset Part"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    part: EnumProperty(name="Part", description="What is put back", items=_PARTS)

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return reasons.busy_reason() or reasons.landmarks_reason(context)

    def run(self, context: bpy.types.Context) -> str:
        points = landmark_mesh.active(context)
        places, begun = landmark_mesh.read(points), landmark_mesh.begun(points)
        which = list(range(len(begun)) if self.part == _ALL else landmark_parts.PARTS[self.part].indices)
        places[which] = begun[which]
        landmark_mesh.write(points, places)
        return "The points are back where they were."


class MAKEITTALK_OT_choose_face(AtOnce, bpy.types.Operator):
    """Begin with another one of the faces that were found in the picture"""

    bl_idname = "makeittalk.choose_face"
    bl_label = "Choose Face"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    number: IntProperty(name="Face", description="Which one: 1 is the largest", default=1, min=1)

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        reason = reasons.busy_reason() or reasons.landmarks_reason(context)
        if reason:
            return reason
        many = landmark_mesh.found(landmark_mesh.active(context)) > 1
        return "" if many else "No other face was found in this picture."

    def run(self, context: bpy.types.Context) -> str:
        points = landmark_mesh.choose(context.scene, landmark_mesh.active(context), self.number - 1)
        if _owner(context) is None:
            context.scene.makeittalk.face = self.number
        return f"Face {self.number} of {landmark_mesh.found(points)} is shown."


class _OnLandmarks(Running):
    """What the operators share that ask the backend about the landmarks in the viewport."""

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return reasons.busy_reason() or reasons.landmarks_reason(context) or reasons.backend_reason()


class MAKEITTALK_OT_refine_landmarks(_OnLandmarks, bpy.types.Operator):
    """Move the landmarks onto the face that the detector sees where they are"""

    bl_idname = "makeittalk.refine_landmarks"
    bl_label = "Refine"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def start(self, context: bpy.types.Context) -> Task:
        return landmarks.refine(context, landmark_mesh.active(context))


class MAKEITTALK_OT_place_landmarks(_OnLandmarks, bpy.types.Operator):
    """Lay a face through seven places: middles of the eyes, tip of the nose, corners and middle of the mouth, chin"""

    bl_idname = "makeittalk.place_landmarks"
    bl_label = "Place Landmarks"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    clicks: FloatVectorProperty(
        name="Clicks",
        description="x and y of each place in pixels of the picture, from its upper left corner",
        size=2 * len(CLICKS),
        options={"SKIP_SAVE"},
    )

    def start(self, context: bpy.types.Context) -> Task:
        clicks = np.array(self.clicks[:], float).reshape(-1, 2)
        return landmarks.place(context, landmark_mesh.active(context), clicks)


def _owner(context: bpy.types.Context) -> Any:
    """The character whose landmarks are worked on; None for those of the next one's portrait."""
    points = landmark_mesh.active(context)
    return landmark_mesh.owner(context.scene, points) if points is not None else None


CLASSES = (
    MAKEITTALK_OT_edit_landmarks,
    MAKEITTALK_OT_edit_character_landmarks,
    MAKEITTALK_OT_apply_landmarks,
    MAKEITTALK_OT_cancel_landmarks,
    MAKEITTALK_OT_drop_landmarks,
    MAKEITTALK_OT_mirror_landmarks,
    MAKEITTALK_OT_reset_landmarks,
    MAKEITTALK_OT_choose_face,
    MAKEITTALK_OT_refine_landmarks,
    MAKEITTALK_OT_place_landmarks,
)
