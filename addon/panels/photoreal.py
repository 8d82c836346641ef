"""The panel of a character's photoreal frames."""

import bpy

from ..jobs import photoreal
from ..operators.photoreal import MAKEITTALK_OT_photoreal_frames
from ..scene import character as characters
from ..scene import photo_plane
from .main import Sidebar
from .text import draw_sentence


class MAKEITTALK_PT_photoreal(Sidebar, bpy.types.Panel):
    bl_idname = "MAKEITTALK_PT_photoreal"
    bl_parent_id = "MAKEITTALK_PT_character"
    bl_label = "Photoreal Frames"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.enabled = not context.window_manager.makeittalk.running
        chosen = characters.active(context)
        settings = chosen.makeittalk
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(settings, "photo_range")
        column.prop(settings, "photo_folder")
        column.prop(settings, "photo_film")
        foreign = photoreal.folder_reason(chosen)
        if foreign:
            box = layout.box()
            draw_sentence(box, context, foreign, "ERROR")
            box.operator("makeittalk.allow_folder")
        row = layout.row()
        row.scale_y = 1.4 if settings.style == "photo" else 1.0  # a photo is made for them
        row.operator("makeittalk.photoreal_frames", icon="RENDER_ANIMATION")
        reason = MAKEITTALK_OT_photoreal_frames.disabled_reason(context)
        if reason and layout.enabled:
            draw_sentence(layout, context, reason, "INFO")
        if photo_plane.plane_of(chosen) is not None:
            layout.prop(settings, "show_photoreal", toggle=True, icon="IMAGE_PLANE")
            column = layout.column(align=True)  # side by side their names would not fit a narrow sidebar
            column.operator("makeittalk.photoreal_strip", icon="SEQUENCE")
            column.operator("makeittalk.photoreal_compositor", icon="NODE_COMPOSITING")


CLASSES = (MAKEITTALK_PT_photoreal,)
