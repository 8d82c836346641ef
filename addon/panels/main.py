"""The main panel: portrait, speech, the button, progress."""

from typing import ClassVar

import bpy

from ..jobs import connection
from ..operators.make import MAKEITTALK_OT_make_it_talk
from ..package import PACKAGE
from .text import draw_sentence


class Sidebar:
    """Where the add-on's panels are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "MakeItTalk"


class MAKEITTALK_PT_main(Sidebar, bpy.types.Panel):
    bl_idname = "MAKEITTALK_PT_main"
    bl_label = "MakeItTalk"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        settings, session = context.scene.makeittalk, context.window_manager.makeittalk
        column = layout.column()
        column.enabled = not session.running
        column.label(text="Portrait", icon="IMAGE_DATA")
        column.prop(settings, "portrait", text="")
        column.prop(settings, "face")
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
        if session.running:
            self._draw_progress(layout, session)
        else:
            row = layout.row()
            row.scale_y = 1.8
            row.operator("makeittalk.make_it_talk", icon="PLAY")
            reason = MAKEITTALK_OT_make_it_talk.disabled_reason(context)
            if reason:
                draw_sentence(layout, context, reason, "INFO")
        self._draw_message(layout, context, session)
        self._draw_backend(layout, context, session)
        row = layout.row()
        row.alignment = "RIGHT"
        row.operator("makeittalk.report_problem", emboss=False, icon="TEXT")

    def _draw_progress(self, layout: bpy.types.UILayout, session: bpy.types.PropertyGroup) -> None:
        column = layout.column(align=True)
        text = f"{session.stage}  {session.fraction:.0%}" if session.stage else f"{session.fraction:.0%}"
        column.progress(factor=session.fraction, type="BAR", text=text)
        if session.seconds_left >= 0.0:
            column.label(text=f"About {max(1, round(session.seconds_left))} s left")
        row = layout.row()
        row.scale_y = 1.4
        row.operator("makeittalk.cancel", icon="CANCEL", text="Cancel (Esc)")

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

    def _draw_backend(
        self, layout: bpy.types.UILayout, context: bpy.types.Context, session: bpy.types.PropertyGroup
    ) -> None:
        text, icon = connection.status()
        draw_sentence(layout, context, text, icon)
        client = connection.current()
        if client is not None and not client.alive and not session.running:
            layout.operator("makeittalk.restart_backend", icon="FILE_REFRESH")
        elif connection.no_python_reason() and client is None:
            layout.operator("preferences.addon_show", text="Open Preferences", icon="PREFERENCES").module = PACKAGE


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
        layout.enabled = not session.running
        column = layout.column()
        column.prop(settings, "at_current_frame")
        row = column.row()
        row.enabled = not settings.at_current_frame
        row.prop(settings, "start")
        column.prop(settings, "every_frame")
        column.prop(settings, "own_mouth")
        column = layout.column(align=True)
        for name in ("lip", "head", "blink", "smooth"):
            column.prop(settings, name, slider=True)
        column = layout.column()
        column.prop(settings, "draw_seed")
        row = column.row()
        row.enabled = not settings.draw_seed
        row.prop(settings, "seed")
        column.prop(settings, "voice")


CLASSES = (MAKEITTALK_PT_main, MAKEITTALK_PT_options)
