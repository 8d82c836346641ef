"""The add-on's preferences.

No postponed annotations here: Blender reads the annotations themselves.
"""

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from ..backend.makeittalk.exchange import locks
from .core.installation import Installation
from .core.pythons import proposed_build
from .jobs import connection
from .package import PACKAGE
from .panels import backend as backend_panel
from .panels.weights import draw_weights
from .properties.weight_sets import weights_menu

_DEVICES = (
    ("auto", "Automatic", "The fastest that there is"),
    ("cuda", "GPU (CUDA, ROCm)", "A graphics card by NVIDIA, or by AMD under ROCm"),
    ("mps", "GPU (Apple)", "The graphics of an Apple chip"),
    ("cpu", "Processor", "The processor, which every machine has"),
)
_shown_devices: list[tuple[str, str, str]] = []  # Blender does not keep the texts of a list that is made anew
_PLATFORM = locks.platform_name()
_BUILDS = [(build.name, build.label, build.text) for build in locks.builds(_PLATFORM)] or [("none", "None", "")]


def _devices(_self: bpy.types.AddonPreferences, _context: bpy.types.Context | None) -> list[tuple[str, str, str]]:
    """The devices; those that the running backend has not found on this machine say so."""
    client = connection.current()
    found = client.devices if client is not None else []
    _shown_devices[:] = [
        (name, label if not found or name in ("auto", *found) else f"{label}: not here", text)
        for name, label, text in _DEVICES
    ]
    return _shown_devices


def _start_anew(_self: bpy.types.AddonPreferences, _context: bpy.types.Context) -> None:
    """Lets the next job start the backend from what is set now; one at work finishes first."""
    client = connection.current()
    if client is None or not client.busy:
        connection.close(wait=False)
    connection.redraw_panels()


class MakeItTalkPreferences(bpy.types.AddonPreferences):
    bl_idname = PACKAGE

    build: EnumProperty(
        name="Runs On",
        description="Which build of PyTorch Install Backend takes; what fits this machine is proposed",
        items=_BUILDS,
    )
    wheels: StringProperty(
        name="Folder of Wheels",
        description="Install from this folder instead of the network: the command makeittalk-wheels fills it on "
        "another machine. Empty for the network",
        subtype="DIR_PATH",
    )
    python: StringProperty(
        name="Backend Python",
        description="A Python of your own that has the backend's packages; empty takes the installed backend, "
        "then the environment variable MAKEITTALK_PYTHON",
        subtype="FILE_PATH",
        update=_start_anew,
    )
    device: EnumProperty(name="Device", description="What the networks run on", items=_devices)
    weights_set: StringProperty(description="The imported set of weights of new characters; empty for the shipped ones")
    weights: weights_menu("The networks that predict and draw new characters, unless another set is chosen for one")
    idle_minutes: IntProperty(
        name="End When Idle (minutes)",
        description="The backend ends after this time without work and gives its memory back; 0 keeps it",
        default=10,
        min=0,
        soft_max=120,
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        backend_panel.draw_installation(layout.box(), context, self)
        layout.prop(self, "device")
        draw_weights(layout, self)
        layout.prop(self, "idle_minutes")
        layout.prop(self, "python")


def register() -> None:
    bpy.utils.register_class(MakeItTalkPreferences)
    chosen = bpy.context.preferences.addons.get(PACKAGE)
    # Asked once: a choice of the user's is never overwritten.
    if chosen is not None and not chosen.preferences.is_property_set("build"):
        # The installed one where there is one: asking the graphics driver would hold up every start of Blender.
        place = Installation()
        proposed = place.read().build if place.ready else proposed_build(_PLATFORM)
        if proposed in [name for name, _label, _text in _BUILDS]:
            chosen.preferences.build = proposed


def unregister() -> None:
    bpy.utils.unregister_class(MakeItTalkPreferences)
