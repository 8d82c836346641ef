"""The character's panel: amounts, take, timing, what the scene still lacks."""

from typing import ClassVar

import bpy

from ..scene import character as characters
from ..scene import gaze, setup, view
from .main import Sidebar
from .text import draw_sentence


class MAKEITTALK_PT_character(Sidebar, bpy.types.Panel):
    bl_idname = "MAKEITTALK_PT_character"
    bl_label = "Character"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return characters.active(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        session = context.window_manager.makeittalk
        layout.enabled = not session.running
        chosen = characters.active(context)
        self._draw_choice(layout, context, chosen)
        if session.texture == "ASK" and view.hides_texture(context.space_data):
            box = layout.box()
            draw_sentence(box, context, "Solid shading does not show the portrait here", "SHADING_TEXTURE")
            row = box.row(align=True)
            row.operator("makeittalk.show_texture", text="Show It").show = True
            row.operator("makeittalk.show_texture", text="Leave It").show = False

        column = layout.column(align=True)
        column.use_property_split = True
        column.use_property_decorate = False
        for name in ("lip", "head", "blink", "gaze"):
            column.prop(chosen.makeittalk.rig.makeittalk, name, slider=True)
        target = gaze.target(chosen)
        if target is not None:
            column.prop(target, f'["{gaze.FOLLOW}"]', text=gaze.FOLLOW, slider=True)
        column.prop(session, "smooth", slider=True)
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(chosen.makeittalk, "start")
        self._draw_state(layout, context, chosen)

    def _draw_choice(
        self, layout: bpy.types.UILayout, context: bpy.types.Context, chosen: bpy.types.Collection
    ) -> None:
        row = layout.row(align=True)
        names = row.column(align=True)
        for item in characters.characters(context.scene):
            icon = "RADIOBUT_ON" if item == chosen else "RADIOBUT_OFF"
            names.operator("makeittalk.select_character", text=item.name, icon=icon).name = item.name
        row.operator("makeittalk.remove_character", text="", icon="TRASH")

    def _draw_state(self, layout: bpy.types.UILayout, context: bpy.types.Context, chosen: bpy.types.Collection) -> None:
        settings = chosen.makeittalk
        rate = setup.frame_rate(context.scene)
        if abs(settings.fps - rate) > 1e-3:
            text = f"Baked at {settings.fps:.5g} frames a second, the scene has {rate:.5g}"
            draw_sentence(layout, context, text, "ERROR")
            layout.operator("makeittalk.rebake", icon="FILE_REFRESH")
        lacking = setup.missing(context.scene, chosen)
        if lacking:
            box = layout.box()
            for phrase in lacking:
                draw_sentence(box, context, phrase.capitalize(), "DOT")
            box.operator("makeittalk.set_up_scene", icon="SCENE_DATA")
        for notice in settings.notices.splitlines():
            draw_sentence(layout, context, notice, "INFO")


class MAKEITTALK_PT_take(Sidebar, bpy.types.Panel):
    bl_idname = "MAKEITTALK_PT_take"
    bl_parent_id = "MAKEITTALK_PT_character"
    bl_label = "Take and Curves"
    bl_options: ClassVar[set[str]] = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = not context.window_manager.makeittalk.running
        settings = characters.active(context).makeittalk
        layout.prop(settings, "seed")
        layout.prop(settings, "voice")
        layout.operator("makeittalk.new_take", icon="FILE_REFRESH")
        layout.separator()
        layout.prop(settings, "every_frame")
        column = layout.column(align=True)
        for name in ("nod", "turn", "tilt", "sway"):
            column.prop(settings.rig.makeittalk, name, slider=True)
        layout.label(text=f"Largest fit error {settings.residual:.2f} px at 256 px face width")


CLASSES = (MAKEITTALK_PT_character, MAKEITTALK_PT_take)
