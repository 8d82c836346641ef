"""Retarget: whom the performance is put on, and what moves what there."""

import bpy

from ..scene import character as characters
from ..scene import grease_mouths, retarget
from .main import OfCharacter
from .text import draw_sentence


class MAKEITTALK_PT_retarget(OfCharacter, bpy.types.Panel):
    bl_idname = "MAKEITTALK_PT_retarget"
    bl_label = "Retarget"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.enabled = not context.window_manager.makeittalk.running
        settings = characters.active(context).makeittalk.retarget
        layout.prop(settings, "target")
        kind = retarget.kind(settings.target)
        reason = retarget.target_reason(settings.target) if settings.target is not None else ""
        if reason:
            draw_sentence(layout, context, reason, "ERROR")
            return
        if kind == retarget.MOUTHS:
            self._draw_mouths(layout, context, settings)
            return
        if kind:
            self._draw_list(layout, settings)
        self._draw_head(layout, settings)
        row = layout.row(align=True)
        row.scale_y = 1.3
        row.operator("makeittalk.bake_retarget", icon="NLA")
        row.operator("makeittalk.drive_retarget", icon="DRIVER")
        row.operator("makeittalk.remove_retarget", text="", icon="TRASH")

    @staticmethod
    def _draw_list(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
        row = layout.row(align=True)
        row.operator("makeittalk.match_retarget", icon="FILE_REFRESH")
        row.operator("makeittalk.load_retarget_preset", text="", icon="IMPORT")
        row.operator("makeittalk.save_retarget_preset", text="", icon="EXPORT")
        row = layout.row()
        row.template_list("MAKEITTALK_UL_mappings", "", settings, "rows", settings, "active_row", rows=5)
        column = row.column(align=True)
        column.operator("makeittalk.add_mapping", text="", icon="ADD")
        column.operator("makeittalk.remove_mapping", text="", icon="REMOVE")
        if 0 <= settings.active_row < len(settings.rows):
            chosen = settings.rows[settings.active_row]
            column = layout.column(align=True)
            column.use_property_split = True
            column.use_property_decorate = False
            column.prop(chosen, "target")
            column.prop(chosen, "meaning")
            column.prop(chosen, "gain")
            column.prop(chosen, "offset")

    @staticmethod
    def _draw_head(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
        column = layout.column(align=True)
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(settings, "head_target")
        if settings.head_target is None:
            return
        column.prop(settings, "head_bone")
        column.prop(settings, "head_turn")
        column.prop(settings, "head_move")
        column.prop(settings, "head_forward")
        column.prop(settings, "head_up")

    @staticmethod
    def _draw_mouths(layout: bpy.types.UILayout, context: bpy.types.Context, settings: bpy.types.PropertyGroup) -> None:
        layout.row().prop(settings, "mouths", expand=True)
        if reason := grease_mouths.reason(retarget.drawings(settings)):
            draw_sentence(layout, context, reason, "INFO")
        row = layout.row(align=True)
        row.scale_y = 1.3
        row.operator("makeittalk.bake_mouths", icon="NLA")
        row.operator("makeittalk.remove_retarget", text="", icon="TRASH")


class MAKEITTALK_UL_mappings(bpy.types.UIList):
    """What moves each shape key or bone of the target."""

    def draw_item(
        self,
        _context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: bpy.types.PropertyGroup,
        item: bpy.types.PropertyGroup,
        _icon: int,
        _active_data: bpy.types.PropertyGroup,
        _active_property: str,
    ) -> None:
        row = layout.row(align=True)
        row.prop(item, "use", text="")
        names = row.row(align=True)
        names.active = item.use
        names.alert = bool(item.target) and item.target not in retarget.names_of(data.target)
        names.label(text=item.target or "(choose a target)")
        names.label(text=item.meaning.partition(":")[2] or "–", icon="BACK")


CLASSES = (MAKEITTALK_UL_mappings, MAKEITTALK_PT_retarget)
