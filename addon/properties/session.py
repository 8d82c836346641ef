"""What the running Blender knows and no file keeps.

No postponed annotations here: Blender reads the annotations themselves.
"""

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, StringProperty

from ...backend.makeittalk.exchange.amounts import HIGHEST as HIGHEST_AMOUNT
from ..core.remarks import plain
from ..scene import character as characters
from .fields import AMOUNTS


def _smoothing() -> Any:
    """A slider of the session that turns the active character's smoothing.

    A property of the window manager leaves no undo step of its own: the re-bake that follows leaves the only one.
    """
    label, description = AMOUNTS["smooth"]

    def read(_self: bpy.types.PropertyGroup) -> float:
        found = characters.active(bpy.context)
        return found.makeittalk.smooth if found else 1.0

    def write(_self: bpy.types.PropertyGroup, value: float) -> None:
        found = characters.active(bpy.context)
        if found is not None:
            found.makeittalk.smooth = value

    return FloatProperty(
        name=label, description=description, default=1.0, min=0.0, soft_max=2.0, max=HIGHEST_AMOUNT, get=read, set=write
    )


class MakeItTalkSession(bpy.types.PropertyGroup):
    """What the running Blender knows and no file keeps (on the window manager)."""

    running: BoolProperty()
    previewing: BoolProperty(description="Whether what runs is a preview, which the settings act on")
    fraction: FloatProperty(min=0.0, max=1.0)
    stage: StringProperty()
    seconds_left: FloatProperty(default=-1.0)
    message: StringProperty(description="The last thing to say, one sentence")
    hint: StringProperty(description="The way out, one sentence")
    is_error: BoolProperty()
    texture: EnumProperty(
        name="Portraits in Solid View",
        description="What the user answered when asked whether Solid shading shall show the portrait",
        items=(("ASK", "Ask", ""), ("SHOW", "Show", ""), ("LEAVE", "Leave", "")),
        default="ASK",
    )
    smooth: _smoothing()

    def say(self, message: str, hint: str = "", error: bool = False) -> None:
        """Sets what the panel shows under the button."""
        self.message, self.hint, self.is_error = plain(message), plain(hint), error

    def progress(self, fraction: float, stage: str, seconds_left: float = -1.0) -> None:
        """Sets what the progress bar shows."""
        self.fraction, self.stage, self.seconds_left = min(1.0, max(0.0, fraction)), stage, seconds_left
