"""The add-on's preferences.

No postponed annotations here: Blender reads the annotations themselves.
"""

import bpy
from bpy.props import IntProperty, StringProperty

PACKAGE = __package__.rpartition(".")[0]  # the extension's own name, whatever it is loaded as


class MakeItTalkPreferences(bpy.types.AddonPreferences):
    bl_idname = PACKAGE

    python: StringProperty(
        name="Backend Python",
        description="The Python 3.11 that has the makeittalk backend's packages (torch and others); "
        "empty takes the environment variable MAKEITTALK_PYTHON",
        subtype="FILE_PATH",
    )
    idle_minutes: IntProperty(
        name="End When Idle (minutes)",
        description="The backend ends after this time without work and gives its memory back; 0 keeps it",
        default=10,
        min=0,
        soft_max=120,
    )

    def draw(self, _context: bpy.types.Context) -> None:
        from . import connection  # it reads these preferences itself

        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "python")
        layout.prop(self, "idle_minutes")
        text, icon = connection.status()
        layout.label(text=text, icon=icon)
        row = layout.row()
        row.label(text=f"Log: {connection.log_path()}")
        row.operator("makeittalk.restart_backend", icon="FILE_REFRESH")


def get() -> MakeItTalkPreferences | None:
    """The preferences, or None where the extension is loaded without being enabled as an add-on."""
    found = bpy.context.preferences.addons.get(PACKAGE)
    return found.preferences if found is not None else None


def register() -> None:
    bpy.utils.register_class(MakeItTalkPreferences)


def unregister() -> None:
    bpy.utils.unregister_class(MakeItTalkPreferences)
