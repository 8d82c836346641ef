"""A retarget's list as a file that can be shared."""

from pathlib import Path
from typing import ClassVar

import bpy
from bpy.props import BoolProperty, StringProperty

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..core import retarget_preset
from ..core.errors import AddonError
from ..jobs.connection import redraw_panels
from ..scene import character as characters
from ..scene import retarget
from . import reasons
from .retarget import list_reason


class _PresetFile(reasons.Reasoned):
    """What both operators share: a file, asked for in a browser where none is named."""

    filepath: StringProperty(name="File", description="The preset, JSON", subtype="FILE_PATH")
    filter_glob: StringProperty(default=f"*{retarget_preset.SUFFIX}", options={"HIDDEN"})

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return list_reason(context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        if not self.filepath:
            folder = Path(bpy.data.filepath).parent if bpy.data.filepath else Path.home()
            target = characters.active(context).makeittalk.retarget.target
            self.filepath = str(folder / f"{bpy.path.clean_name(target.name)}{retarget_preset.SUFFIX}")
        context.window_manager.fileselect_add(self)  # type: ignore[arg-type]
        return {"RUNNING_MODAL"}

    def run(self, settings: bpy.types.PropertyGroup, path: Path) -> str:
        """Does the work and returns a sentence for the user.

        Raises:
            MakeItTalkError: it cannot be done.
        """
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            if not self.filepath:
                raise AddonError("No file is named.", "Name a preset.")
            message = self.run(characters.active(context).makeittalk.retarget, Path(bpy.path.abspath(self.filepath)))
        except MakeItTalkError as error:
            return self.fail(context, error)
        context.window_manager.makeittalk.say(message)
        self.report({"INFO"}, message)  # type: ignore[attr-defined]
        redraw_panels()
        return {"FINISHED"}


class MAKEITTALK_OT_load_retarget_preset(_PresetFile, bpy.types.Operator):
    """Put a preset in the place of the list"""

    bl_idname = "makeittalk.load_retarget_preset"
    bl_label = "Load Preset"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def run(self, settings: bpy.types.PropertyGroup, path: Path) -> str:
        given = retarget_preset.load(path)
        lacking = retarget.take_preset(settings, given)
        told = f"{path.name} is loaded: {len(given.rows)} rows."
        return f"{told} {settings.target.name} has nothing for {lacking} of them." if lacking else told


class MAKEITTALK_OT_save_retarget_preset(_PresetFile, bpy.types.Operator):
    """Write the list, with the head's bone, as a file for others"""

    bl_idname = "makeittalk.save_retarget_preset"
    bl_label = "Save Preset"
    bl_options: ClassVar[set[str]] = {"REGISTER"}

    check_existing: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def run(self, settings: bpy.types.PropertyGroup, path: Path) -> str:
        suffix = retarget_preset.SUFFIX
        path = path if path.suffix.lower() == suffix else path.with_name(f"{path.name}{suffix}")
        retarget_preset.save(path, retarget.preset(settings))
        return f"{path.name} is written: {len(settings.rows)} rows."


CLASSES = (MAKEITTALK_OT_load_retarget_preset, MAKEITTALK_OT_save_retarget_preset)
