"""Landmarks as a file: face.json out of the viewport and into it."""

from pathlib import Path
from typing import ClassVar

import bpy
from bpy.props import BoolProperty, StringProperty

from ...backend.makeittalk.exchange.formats import Face
from ..core.errors import AddonError
from ..scene import landmark_mesh, textures
from . import reasons
from .file_dialog import JsonFile, with_json_suffix


class _FaceFile(JsonFile):
    """What both operators share."""

    filepath: StringProperty(name="File", description="The face.json", subtype="FILE_PATH")
    what = "face.json"

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return reasons.busy_reason() or reasons.landmarks_reason(context)

    def suggested(self, _context: bpy.types.Context) -> str:
        return "face.json"


class MAKEITTALK_OT_load_landmarks(_FaceFile, bpy.types.Operator):
    """Take the landmarks from a face.json of this portrait"""

    bl_idname = "makeittalk.load_landmarks"
    bl_label = "Load face.json"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def use(self, context: bpy.types.Context, path: Path) -> str:
        landmark_mesh.replace(landmark_mesh.active(context), Face.load(path))
        return f"The landmarks are those of {path.name}."


class MAKEITTALK_OT_save_landmarks(_FaceFile, bpy.types.Operator):
    """Write the landmarks as they are as a face.json, with the portrait beside it, for the command line"""

    bl_idname = "makeittalk.save_landmarks"
    bl_label = "Save face.json"
    bl_options: ClassVar[set[str]] = {"REGISTER"}

    check_existing: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def use(self, context: bpy.types.Context, path: Path) -> str:
        points = landmark_mesh.active(context)
        face = landmark_mesh.face_of(points)
        path = with_json_suffix(path)
        if not path.parent.is_dir():
            raise AddonError(f"The folder {path.parent} does not exist.", "Name another one.")
        face.image = path.with_suffix(".png")
        textures.write_picture(landmark_mesh.picture(points).data, face.image)
        face.save(path)
        return f"{path.name} and {face.image.name} are written."


CLASSES = (MAKEITTALK_OT_load_landmarks, MAKEITTALK_OT_save_landmarks)
