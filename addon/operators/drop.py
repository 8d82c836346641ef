"""Pictures and recordings that are dropped onto the 3D viewport: they fill the panel's fields."""

import os
from typing import ClassVar

import bpy
from bpy.props import CollectionProperty, StringProperty

from ...backend.makeittalk.exchange import suffixes
from ..jobs.connection import redraw_panels
from ..scene import view

_GIVEN: set[str] = {"HIDDEN", "SKIP_SAVE"}  # Blender fills these in; the next drop starts empty


class _Dropped:
    """What the two operators share; Blender gives the files in one of three ways."""

    filepath: StringProperty(subtype="FILE_PATH", options=_GIVEN)
    directory: StringProperty(subtype="DIR_PATH", options=_GIVEN)
    files: CollectionProperty(type=bpy.types.OperatorFileListElement, options=_GIVEN)

    def paths(self) -> list[str]:
        """The files that were dropped, in their order."""
        if self.files:
            return [os.path.join(self.directory, item.name) for item in self.files]
        return [self.filepath] if self.filepath else []

    def fill(self, context: bpy.types.Context, field: str, what: str, fits: list[str]) -> set[str]:
        """Puts the first of the files that fit into a field, says so, and shows the panel."""
        if not fits:
            self.report({"ERROR"}, f"None of the files is {what}.")  # type: ignore[attr-defined]
            return {"CANCELLED"}
        path = fits[0]
        setattr(context.scene.makeittalk, field, path)
        message = f"{os.path.basename(path)} is the {field} now."
        if len(fits) > 1:
            message += f" The other {len(fits) - 1} were left out: one is enough."
        context.window_manager.makeittalk.say(message)
        self.report({"INFO"}, message)  # type: ignore[attr-defined]
        view.open_tab(context, "MakeItTalk")
        redraw_panels()
        return {"FINISHED"}


class MAKEITTALK_OT_take_portrait(_Dropped, bpy.types.Operator):
    """Make this picture the portrait of the next character"""

    bl_idname = "makeittalk.take_portrait"
    bl_label = "Take as MakeItTalk Portrait"
    bl_options: ClassVar[set[str]] = {"UNDO", "INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        fits = [path for path in self.paths() if suffixes.is_portrait(path)]
        return self.fill(context, "portrait", "a picture that can be read", fits)


class MAKEITTALK_OT_take_speech(_Dropped, bpy.types.Operator):
    """Make this recording the speech of the next character"""

    bl_idname = "makeittalk.take_speech"
    bl_label = "Take as MakeItTalk Speech"
    bl_options: ClassVar[set[str]] = {"UNDO", "INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        fits = [path for path in self.paths() if suffixes.is_speech(path)]
        return self.fill(context, "speech", "a recording or a film", fits)


class _InViewport:
    """Where the handlers are offered: Blender asks when files hover, and lets the user choose where several answer."""

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type == "VIEW_3D"


class MAKEITTALK_FH_portrait(_InViewport, bpy.types.FileHandler):
    bl_idname = "MAKEITTALK_FH_portrait"
    bl_label = "MakeItTalk portrait"
    bl_import_operator = MAKEITTALK_OT_take_portrait.bl_idname
    bl_file_extensions = ";".join(suffixes.PORTRAIT)


class MAKEITTALK_FH_speech(_InViewport, bpy.types.FileHandler):
    bl_idname = "MAKEITTALK_FH_speech"
    bl_label = "MakeItTalk speech"
    bl_import_operator = MAKEITTALK_OT_take_speech.bl_idname
    bl_file_extensions = ";".join(suffixes.SPEECH)


CLASSES = (
    MAKEITTALK_OT_take_portrait,
    MAKEITTALK_OT_take_speech,
    MAKEITTALK_FH_portrait,
    MAKEITTALK_FH_speech,
)
