"""Try the Example: one press from an empty panel to a character that speaks."""

from pathlib import Path
from typing import ClassVar

import bpy
from bpy.props import EnumProperty

from ..jobs.make import make
from ..jobs.task import Task
from ..scene import character as characters
from . import reasons
from .modal_job import Running

_ASSETS = Path(__file__).resolve().parents[2] / "backend" / "makeittalk" / "assets"
_PORTRAITS = {"cartoon": "portrait_cartoon.png", "photo": "portrait_photo.jpg"}
_SPEECH = "speech.flac"


class MAKEITTALK_OT_try_example(Running, bpy.types.Operator):
    """Take the portrait and the recording that come with MakeItTalk, make them talk, and play"""

    bl_idname = "makeittalk.try_example"
    bl_label = "Try the Example"
    bl_options: ClassVar[set[str]] = {"UNDO"}  # not in the panel of the last operation, which would run it anew

    portrait: EnumProperty(
        name="Portrait",
        description="Which picture speaks",
        items=(("cartoon", "Cartoon", "A drawn face"), ("photo", "Photo", "A photographed face")),
        default="cartoon",
        options={"SKIP_SAVE"},
    )

    _before = ("", "")  # what the fields held

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return f"{cls.__doc__}; with a photograph" if properties.portrait == "photo" else str(cls.__doc__)

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        return reasons.busy_reason() or reasons.backend_reason()

    def start(self, context: bpy.types.Context) -> Task:
        settings = context.scene.makeittalk
        self._before = (settings.portrait, settings.speech)
        settings.portrait, settings.speech = str(_ASSETS / _PORTRAITS[self.portrait]), str(_ASSETS / _SPEECH)
        return make(context)

    def fail(self, context: bpy.types.Context, error: Exception) -> set[str]:
        self._restore(context)
        return super().fail(context, error)

    def cancel(self, context: bpy.types.Context) -> None:
        self._restore(context)
        super().cancel(context)

    def _finish(self, context: bpy.types.Context, task: Task) -> set[str]:
        result = super()._finish(context, task)
        if result == {"FINISHED"}:
            play(context, characters.active(context).makeittalk.start)
        elif result == {"CANCELLED"}:
            self._restore(context)
        return result

    def _restore(self, context: bpy.types.Context) -> None:
        """Empties the fields again, where they are as this operator has filled them."""
        settings = context.scene.makeittalk
        if Path(settings.portrait).parent == _ASSETS and Path(settings.speech).parent == _ASSETS:
            settings.portrait, settings.speech = self._before


def play(context: bpy.types.Context, frame: int) -> None:
    """Starts playback at a frame, in a window; without one nothing happens."""
    if bpy.app.background or context.window is None or context.screen is None:
        return
    context.scene.frame_set(frame)
    if not context.screen.is_animation_playing:
        bpy.ops.screen.animation_play()


CLASSES = (MAKEITTALK_OT_try_example,)
