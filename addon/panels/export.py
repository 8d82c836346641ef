"""The panel of what leaves MakeItTalk: lit material, one action, files for other programs."""

from typing import ClassVar

import bpy

from ..scene import character as characters
from .main import Sidebar


class MAKEITTALK_PT_export(Sidebar, bpy.types.Panel):
    bl_idname = "MAKEITTALK_PT_export"
    bl_parent_id = "MAKEITTALK_PT_character"
    bl_label = "Export"
    bl_options: ClassVar[set[str]] = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.enabled = not context.window_manager.makeittalk.running
        settings = characters.active(context).makeittalk
        layout.operator("makeittalk.export_character", icon="EXPORT")
        layout.operator("makeittalk.export_visemes", icon="OUTLINER_OB_SPEAKER")
        layout.prop(settings, "lit")
        if not settings.merged:
            layout.operator("makeittalk.merge", icon="NLA_PUSHDOWN")


CLASSES = (MAKEITTALK_PT_export,)
