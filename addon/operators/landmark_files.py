"""Landmarks as a file: face.json out of the viewport and into it."""

from pathlib import Path
from typing import ClassVar

import bpy
from bpy.props import BoolProperty, StringProperty

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ...backend.makeittalk.exchange.formats import Face
from ..core.errors import AddonError
from ..jobs.connection import redraw_panels
from ..scene import landmark_mesh, textures
from . import reasons
from .file_dialog import home

_SUFFIX = ".json"


class _FaceFile(reasons.Reasoned):
    """What both operators share: a file, asked for in a browser where none is named."""

    filepath: StringProperty(name="File", description="The face.json", subtype="FILE_PATH")
    filter_glob: StringProperty(default=f"*{_SUFFIX}", options={"HIDDEN"})

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return reasons.busy_reason() or reasons.landmarks_reason(context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        if not self.filepath:
            self.filepath = str(home() / "face.json")
        context.window_manager.fileselect_add(self)  # type: ignore[arg-type]
        return {"RUNNING_MODAL"}

    def run(self, context: bpy.types.Context, path: Path) -> str:
        """Does the work and returns a sentence for the user.

        Raises:
            MakeItTalkError: it cannot be done.
        """
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            if not self.filepath:
                raise AddonError("No file is named.", "Name a face.json.")
            message = self.run(context, Path(bpy.path.abspath(self.filepath)))
        except MakeItTalkError as error:
            return self.fail(context, error)
        context.window_manager.makeittalk.say(message)
        self.report({"INFO"}, message)  # type: ignore[attr-defined]
        redraw_panels()
        return {"FINISHED"}


class MAKEITTALK_OT_load_landmarks(_FaceFile, bpy.types.Operator):
    """Take the landmarks from a face.json of this portrait"""

    bl_idname = "makeittalk.load_landmarks"
    bl_label = "Load face.json"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def run(self, context: bpy.types.Context, path: Path) -> str:
        landmark_mesh.replace(landmark_mesh.active(context), Face.load(path))
        return f"The landmarks are those of {path.name}."


class MAKEITTALK_OT_save_landmarks(_FaceFile, bpy.types.Operator):
    """Write the landmarks as they are as a face.json, with the portrait beside it, for the command line"""

    bl_idname = "makeittalk.save_landmarks"
    bl_label = "Save face.json"
    bl_options: ClassVar[set[str]] = {"REGISTER"}

    check_existing: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def run(self, context: bpy.types.Context, path: Path) -> str:
        points = landmark_mesh.active(context)
        face = landmark_mesh.face_of(points)
        path = path if path.suffix.lower() == _SUFFIX else path.with_name(f"{path.name}{_SUFFIX}")
        if not path.parent.is_dir():
            raise AddonError(f"The folder {path.parent} does not exist.", "Name another one.")
        face.image = path.with_suffix(".png")
        textures.write_picture(landmark_mesh.picture(points).data, face.image)
        face.save(path)
        return f"{path.name} and {face.image.name} are written."


CLASSES = (MAKEITTALK_OT_load_landmarks, MAKEITTALK_OT_save_landmarks)
