"""The add-on's preferences.

No postponed annotations here: Blender reads the annotations themselves.
"""

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from .jobs import connection
from .package import PACKAGE

_DEVICES = (
    ("auto", "Automatic", "The fastest that there is"),
    ("cuda", "GPU (CUDA, ROCm)", "A graphics card by NVIDIA, or by AMD under ROCm"),
    ("mps", "GPU (Apple)", "The graphics of an Apple chip"),
    ("cpu", "Processor", "The processor, which every machine has"),
)
_shown_devices: list[tuple[str, str, str]] = []  # Blender does not keep the texts of a list that is made anew


def _devices(_self: bpy.types.AddonPreferences, _context: bpy.types.Context | None) -> list[tuple[str, str, str]]:
    """The devices; those that the running backend has not found on this machine say so."""
    client = connection.current()
    found = client.devices if client is not None else []
    _shown_devices[:] = [
        (name, label if not found or name in ("auto", *found) else f"{label}: not here", text)
        for name, label, text in _DEVICES
    ]
    return _shown_devices


class MakeItTalkPreferences(bpy.types.AddonPreferences):
    bl_idname = PACKAGE

    python: StringProperty(
        name="Backend Python",
        description="The Python 3.11 that has the makeittalk backend's packages (torch and others); "
        "empty takes the environment variable MAKEITTALK_PYTHON",
        subtype="FILE_PATH",
    )
    device: EnumProperty(name="Device", description="What the networks run on", items=_devices)
    idle_minutes: IntProperty(
        name="End When Idle (minutes)",
        description="The backend ends after this time without work and gives its memory back; 0 keeps it",
        default=10,
        min=0,
        soft_max=120,
    )

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "python")
        layout.prop(self, "device")
        layout.prop(self, "idle_minutes")
        text, icon = connection.status()
        layout.label(text=text, icon=icon)
        row = layout.row()
        row.label(text=f"Log: {connection.log_path()}")
        row.operator("makeittalk.restart_backend", icon="FILE_REFRESH")


def register() -> None:
    bpy.utils.register_class(MakeItTalkPreferences)


def unregister() -> None:
    bpy.utils.unregister_class(MakeItTalkPreferences)
