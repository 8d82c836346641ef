"""The character's panel: amounts, take, timing, what the scene still lacks."""

import bpy

from ..core.remarks import plain
from ..operators import reasons
from ..scene import character as characters
from ..scene import gaze, setup, speech, view
from .main import OfCharacter, Sidebar
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

        reason = reasons.character_reason(context)
        if reason:  # linked, or one of its parts has gone
            draw_sentence(layout, context, reason.rstrip("."), "ERROR")
            return
        if chosen.makeittalk.merged:
            box = layout.box()
            draw_sentence(box, context, "Merged into one action; amounts act when it has layers again", "INFO")
            box.operator("makeittalk.split", icon="NLA")
        column = layout.column(align=True)
        column.enabled = not chosen.makeittalk.merged
        column.use_property_split = True  # with the dots that key an amount
        for name in ("lip", "head", "blink", "gaze"):
            column.prop(chosen.makeittalk.rig.makeittalk, name, slider=True)
        target = gaze.target(chosen)
        if target is not None:
            column.prop(target, f'["{gaze.FOLLOW}"]', text=gaze.FOLLOW, slider=True)
        column.prop(session, "smooth", slider=True)
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        if len(chosen.makeittalk.speeches) > 1:
            self._draw_speeches(column, chosen)
        column.prop(chosen.makeittalk.current, "start")
        self._draw_speech(layout, context, chosen)
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

    @staticmethod
    def _draw_speeches(layout: bpy.types.UILayout, chosen: bpy.types.Collection) -> None:
        row = layout.row()
        row.template_list(
            "MAKEITTALK_UL_speeches", "", chosen.makeittalk, "speeches", chosen.makeittalk, "active_speech", rows=2
        )
        row.operator("makeittalk.remove_speech", text="", icon="REMOVE")

    def _draw_speech(
        self, layout: bpy.types.UILayout, context: bpy.types.Context, chosen: bpy.types.Collection
    ) -> None:
        current = chosen.makeittalk.current
        if speech.is_missing(context.scene, current):
            draw_sentence(layout, context, "Its speech is not on the sequencer", "ERROR")
            layout.operator("makeittalk.restore_speech", icon="PLAY_SOUND")
        elif speech.is_apart(context.scene, current):
            frames = round(speech.apart(context.scene, current))
            text = f"The sound lies {abs(frames)} frames {'behind' if frames > 0 else 'before'} the lips"
            if not frames:
                text = "The lips move where the strip was cut"
            draw_sentence(layout, context, text, "ERROR")
            layout.operator("makeittalk.timing_from_strip", icon="TIME")

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
        if settings.notices:
            row = layout.row()
            column = row.column()
            for notice in settings.notices.splitlines():
                draw_sentence(column, context, notice, "INFO")
            row.operator("makeittalk.dismiss_notices", text="", icon="X", emboss=False)


class MAKEITTALK_PT_take(OfCharacter, bpy.types.Panel):
    bl_idname = "MAKEITTALK_PT_take"
    bl_label = "Take and Curves"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = not context.window_manager.makeittalk.running
        settings = characters.active(context).makeittalk
        layout.prop(settings.current, "seed")
        layout.prop(settings.current, "voice")
        layout.prop(settings, "weights")
        layout.operator("makeittalk.new_take", icon="FILE_REFRESH")
        layout.operator("makeittalk.replace_speech", icon="SPEAKER")
        layout.operator("makeittalk.add_speech", icon="ADD")
        layout.operator("makeittalk.edit_character_landmarks", icon="MESH_DATA")
        column = layout.column()
        column.prop(settings, "portrait")
        column.prop(settings.current, "recording")
        layout.separator()
        layout.prop(settings, "every_frame")
        column = layout.column(align=True)
        column.enabled = not settings.merged
        for name in ("nod", "turn", "tilt", "sway"):
            column.prop(settings.rig.makeittalk, name, slider=True)
        layout.label(text=f"Largest fit error {settings.residual:.2f} px at 256 px face width")


class MAKEITTALK_UL_speeches(bpy.types.UIList):
    """The recordings that a character says, one after another."""

    def draw_item(
        self,
        _context: bpy.types.Context,
        layout: bpy.types.UILayout,
        _data: bpy.types.PropertyGroup,
        item: bpy.types.PropertyGroup,
        _icon: int,
        _active_data: bpy.types.PropertyGroup,
        _active_property: str,
    ) -> None:
        name = plain(bpy.path.basename(item.recording)) or "Speech"
        layout.label(text=f"{item.start}–{speech.last_frame(item)}  {name}", icon="SPEAKER", translate=False)


CLASSES = (MAKEITTALK_UL_speeches, MAKEITTALK_PT_character, MAKEITTALK_PT_take)
