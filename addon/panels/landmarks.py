"""Landmarks: what can be done with those that are in the viewport."""

import bpy

from ..scene import landmark_mesh
from .main import Sidebar


class MAKEITTALK_PT_landmarks(Sidebar, bpy.types.Panel):
    bl_idname = "MAKEITTALK_PT_landmarks"
    bl_label = "Landmarks"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return landmark_mesh.active(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.enabled = not context.window_manager.makeittalk.running
        points = landmark_mesh.active(context)
        character = landmark_mesh.owner(context.scene, points)
        row = layout.row(align=True)
        row.scale_y = 1.4
        row.operator("makeittalk.apply_landmarks", text="Apply", icon="CHECKMARK")
        row.operator("makeittalk.cancel_landmarks", text="Cancel", icon="X")
        name = character.name if character is not None else bpy.path.basename(landmark_mesh.portrait(points))
        layout.label(text=f"of {name}", icon="USER", translate=False)
        found = landmark_mesh.found(points)
        if found > 1:
            row = layout.row(align=True)
            row.label(text="Face")
            for number in range(1, min(found, 8) + 1):
                row.operator("makeittalk.choose_face", text=str(number)).number = number
        column = layout.column(align=True)
        row = column.row(align=True)
        row.scale_y = 1.4 if not found else 1.0  # what to press next
        row.operator("makeittalk.click_landmarks", icon="RESTRICT_SELECT_OFF")
        column.operator("makeittalk.refine_landmarks", icon="SNAP_ON")
        column = layout.column(align=True)
        row = column.row(align=True)
        row.operator("makeittalk.mirror_landmarks", text="Mirror Left Half", icon="MOD_MIRROR").keep = "RIGHT"
        row.operator("makeittalk.mirror_landmarks", text="Right Half").keep = "LEFT"
        column.operator_menu_enum("makeittalk.reset_landmarks", "part", icon="LOOP_BACK")
        row = layout.row(align=True)
        row.operator("makeittalk.load_landmarks", icon="IMPORT")
        row.operator("makeittalk.save_landmarks", icon="EXPORT")


CLASSES = (MAKEITTALK_PT_landmarks,)
