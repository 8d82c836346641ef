"""What properties of scenes, characters and rigs have in common."""

from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import FloatProperty, IntProperty, StringProperty

from ...backend.makeittalk.exchange.amounts import HIGHEST as HIGHEST_AMOUNT
from ...backend.makeittalk.exchange.errors import MakeItTalkError
from .. import compat

STYLES = (
    ("auto", "Automatic", "Choose the way to draw the portrait by itself"),
    ("cartoon", "Warp", "Move the portrait's own pixels: cartoons, paintings, sharp edges"),
    ("photo", "Photo", "Let a network draw mouth, lids and folds of a photograph, in photoreal frames"),
)

AMOUNTS = {
    "lip": ("Lips", "How much the lips and the jaw move; 1 is natural"),
    "head": ("Head", "How much the head moves with the voice; 1 is natural, 0 holds it still"),
    "blink": ("Blinks", "How far the eyes close when they blink; 0 leaves them open"),
    "nod": ("Nod", "How much the head nods, of what it moves"),
    "turn": ("Turn", "How much the head turns to the sides, of what it moves"),
    "tilt": ("Tilt", "How much the head tilts to the shoulders, of what it moves"),
    "sway": ("Sway", "How much the head moves from its place, of what it moves"),
    "gaze": ("Gaze", "How much the eyes glance aside and stay on the viewer while the head moves; 0 holds them still"),
    "smooth": ("Smoothing", "How much the motion is smoothed; 0 keeps every detail, lips stay crisp"),
}


def telling(update: Callable[..., None]) -> Callable[..., None]:
    """What follows a change in the panel, whose errors become a sentence there: nobody else would catch them."""

    def follow(self: Any, context: bpy.types.Context) -> None:
        try:
            update(self, context)
        except MakeItTalkError as error:
            bpy.context.window_manager.makeittalk.say(error.message, error.hint, error=True)

    return follow


OVERRIDABLE = {"LIBRARY_OVERRIDABLE"}  # what a character that is linked may have of its own


def amount(name: str, update: Callable[..., None] | None = None) -> Any:
    label, description = AMOUNTS[name]
    soft, most = (1.0, 1.0) if name == "gaze" else (2.0, HIGHEST_AMOUNT)
    return FloatProperty(
        name=label,
        description=description,
        default=1.0,
        min=0.0,
        soft_max=soft,
        max=most,
        update=update,
        override=OVERRIDABLE,
    )


def seed(update: Callable[..., None] | None = None) -> Any:
    description = "Another number gives another take of head and blinks"
    return IntProperty(name="Seed", description=description, min=0, update=update, override=OVERRIDABLE)


def face() -> Any:
    return IntProperty(
        name="Face",
        description="Which face of a picture with several is animated: 1 is the largest, 2 the next smaller one",
        default=1,
        min=1,
        soft_max=12,
    )


def voice() -> Any:
    return StringProperty(
        name="Voice",
        description="A recording whose manner is taken instead of the speech's own; empty for the speech's",
        subtype="FILE_PATH",
        options=compat.PATH_OPTIONS,
        override=OVERRIDABLE,
    )


def kept(description: str) -> Any:
    return StringProperty(description=description, override=OVERRIDABLE)
