"""A retarget's list as a file that can be shared."""

from pathlib import Path
from typing import ClassVar

import bpy
from bpy.props import BoolProperty, StringProperty

from ..core import retarget_preset
from ..scene import retarget
from .file_dialog import JSON, JsonFile, with_json_suffix
from .retarget import list_reason, settings_of


class _PresetFile(JsonFile):
    """What both operators share."""

    filepath: StringProperty(name="File", description="The preset, JSON", subtype="FILE_PATH")
    what = "preset"

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return list_reason(context)

    def suggested(self, context: bpy.types.Context) -> str:
        return f"{bpy.path.clean_name(settings_of(context).target.name)}{JSON}"


class MAKEITTALK_OT_load_retarget_preset(_PresetFile, bpy.types.Operator):
    """Put a preset in the place of the list"""

    bl_idname = "makeittalk.load_retarget_preset"
    bl_label = "Load Preset"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def use(self, context: bpy.types.Context, path: Path) -> str:
        settings = settings_of(context)
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

    def use(self, context: bpy.types.Context, path: Path) -> str:
        settings = settings_of(context)
        path = with_json_suffix(path)
        retarget_preset.save(path, retarget.preset(settings))
        return f"{path.name} is written: {len(settings.rows)} rows."


CLASSES = (MAKEITTALK_OT_load_retarget_preset, MAKEITTALK_OT_save_retarget_preset)
