"""Make from List: a character of every line of a CSV file.

No postponed annotations here: Blender reads the annotations themselves.
"""

from pathlib import Path
from typing import ClassVar

import bpy
from bpy.props import StringProperty

from ..core.errors import AddonError
from ..jobs.make_list import ListJob
from . import reasons
from .modal_job import Running


class MAKEITTALK_OT_make_from_list(Running, bpy.types.Operator):
    """Make a character of every line of a list: a CSV file with the columns portrait, audio, and any option"""

    bl_idname = "makeittalk.make_from_list"
    bl_label = "Make from List…"
    bl_options: ClassVar[set[str]] = {"UNDO"}  # not in the panel of the last operation, which would run it anew

    filepath: StringProperty(name="List", description="A CSV file, a line a character", subtype="FILE_PATH")
    filter_glob: StringProperty(default="*.csv", options={"HIDDEN"})

    _browsed = False

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        return reasons.busy_reason() or reasons.backend_reason()

    def start(self, context: bpy.types.Context) -> ListJob:
        if not self.filepath:
            raise AddonError("No file is named.", "Name a list of shots.")
        return ListJob(context, Path(bpy.path.abspath(self.filepath)))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.filepath:
            return super().invoke(context, event)
        self._browsed = True
        context.window_manager.fileselect_add(self)  # type: ignore[arg-type]
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        if not self._browsed or context.window is None:
            return super().execute(context)
        # The browser calls this; it may take hours, so it is begun anew beside the user's work.
        path = self.filepath
        bpy.app.timers.register(lambda: _begin(path), first_interval=0.0)
        return {"CANCELLED"}  # nothing has happened yet, so there is nothing to undo


def _begin(path: str) -> None:
    """Runs the operator as its button would, in the first window."""
    window = bpy.context.window_manager.windows[0]
    with bpy.context.temp_override(window=window):
        if bpy.ops.makeittalk.make_from_list.poll():
            bpy.ops.makeittalk.make_from_list("INVOKE_DEFAULT", filepath=path)


CLASSES = (MAKEITTALK_OT_make_from_list,)
