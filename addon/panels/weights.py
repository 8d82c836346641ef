"""The menu of weight sets with its buttons."""

from __future__ import annotations

import bpy

from ...backend.makeittalk.exchange.data_folder import imported_names


def draw_weights(layout: bpy.types.UILayout, owner: bpy.types.PropertyGroup | bpy.types.AddonPreferences) -> None:
    """The menu of an owner of `weights`, and the buttons that import a set and remove the chosen one."""
    row = layout.row(align=True)
    row.prop(owner, "weights")
    row.operator("makeittalk.import_weights", text="", icon="IMPORT")
    if owner.weights_set in imported_names():
        row.operator("makeittalk.remove_weights", text="", icon="TRASH").name = owner.weights_set
