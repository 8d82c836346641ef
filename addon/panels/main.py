"""The main panel: portrait, speech, the button, progress."""

from typing import ClassVar

import bpy

from ..operators import reasons
from ..operators.make import MAKEITTALK_OT_make_it_talk
from .backend import draw_install, draw_state, has_backend
from .text import draw_preview, draw_progress, draw_sentence
from .weights import draw_weights


class Sidebar:
    """Where the add-on's panels are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "MakeItTalk"


class OfCharacter(Sidebar):
    """A panel below the character's, closed until it is asked for."""

    bl_parent_id = "MAKEITTALK_PT_character"
    bl_options: ClassVar[set[str]] = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return not reasons.character_reason(context)


class MAKEITTALK_PT_main(Sidebar, bpy.types.Panel):
    bl_idname = "MAKEITTALK_PT_main"
    bl_label = "MakeItTalk"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        settings, session = context.scene.makeittalk, context.window_manager.makeittalk
        installed = has_backend()
        if not installed and not session.running:
            draw_install(layout.box(), context, session)
        column = layout.column()
        column.enabled = not session.running or session.previewing
        column.label(text="Portrait", icon="IMAGE_DATA")
        column.prop(settings, "portrait", text="")
        column.prop(settings, "face")
        row = column.row(align=True)
        row.operator("makeittalk.edit_landmarks", icon="MESH_DATA")
        if settings.is_placed:
            row.operator("makeittalk.drop_landmarks", text="", icon="X")
        column.label(text="Speech", icon="SPEAKER")
        row = column.row(align=True)
        row.prop(settings, "speech", text="")
        row.operator_menu_enum("makeittalk.speech_from_strip", "strip", text="", icon="SEQUENCE")
        if not settings.portrait and not settings.speech:
            row = column.row(align=True)
            row.scale_y = 1.3
            row.operator("makeittalk.try_example", icon="LIGHT_SUN").portrait = "cartoon"
            row.operator("makeittalk.try_example", text="", icon="IMAGE_RGB").portrait = "photo"
        column.separator()
        column.prop(settings, "style")

        layout.separator()
        if session.previewing:
            draw_preview(layout, session, settings)
        elif session.running:
            draw_progress(layout, session)
        else:
            row = layout.row()
            row.scale_y = 1.8 if installed else 1.0  # one big button: what to press next
            row.operator("makeittalk.make_it_talk", icon="PLAY")
            if installed:
                row = layout.row(align=True)
                row.operator("makeittalk.preview", icon="HIDE_OFF")
                row.operator("makeittalk.make_from_list", text="", icon="LINENUMBERS_ON")
            reason = MAKEITTALK_OT_make_it_talk.disabled_reason(context)
            if reason and installed:
                draw_sentence(layout, context, reason, "INFO")
        self._draw_message(layout, context, session)
        if installed:
            draw_state(layout, context, session)
        row = layout.row()
        row.alignment = "RIGHT"
        row.operator("makeittalk.report_problem", emboss=False, icon="TEXT")

    def _draw_message(
        self, layout: bpy.types.UILayout, context: bpy.types.Context, session: bpy.types.PropertyGroup
    ) -> None:
        if not session.message:
            return
        lines = layout.box().column(align=True)
        lines.alert = session.is_error  # the text only: an alarmed box is filled with the colour of a selection
        draw_sentence(lines, context, session.message, "ERROR" if session.is_error else "INFO")
        if session.hint:
            draw_sentence(lines, context, session.hint, "BLANK1")


class MAKEITTALK_PT_options(Sidebar, bpy.types.Panel):
    bl_idname = "MAKEITTALK_PT_options"
    bl_parent_id = "MAKEITTALK_PT_main"
    bl_label = "Options"
    bl_options: ClassVar[set[str]] = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        settings, session = context.scene.makeittalk, context.window_manager.makeittalk
        layout.enabled = not session.running or session.previewing
        column = layout.column()
        column.prop(settings, "at_current_frame")
        row = column.row()
        row.enabled = not settings.at_current_frame
        row.prop(settings, "start")
        column.prop(settings, "every_frame")
        column.prop(settings, "own_mouth")
        draw_weights(column, settings)
        column = layout.column(align=True)
        for name in ("lip", "head", "blink", "gaze", "smooth"):
            column.prop(settings, name, slider=True)
        column = layout.column()
        column.prop(settings, "draw_seed")
        row = column.row()
        row.enabled = not settings.draw_seed
        row.prop(settings, "seed")
        column.prop(settings, "voice")


CLASSES = (MAKEITTALK_PT_main, MAKEITTALK_PT_options)
