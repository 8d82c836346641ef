"""Gestures at the playhead: nods, blinks, smiles, stillness as keys on top of what is generated."""

from collections.abc import Callable
from typing import Any, ClassVar

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..core.errors import AddonError
from ..core.gestures import GESTURES
from ..scene import character as characters
from ..scene import gestures, setup, upgrade
from . import reasons

_SPANS = (
    ("LENGTH", "Length", "From the playhead, as long as Length says"),
    ("PREVIEW", "Preview Range", "The timeline's preview range"),
    ("MARKERS", "Selected Markers", "From the first selected marker to the last"),
)
_DIRECTIONS = {
    "LEFT": ("LEFT", "Left", "To the left of the picture"),
    "RIGHT": ("RIGHT", "Right", "To the right of the picture"),
    "UP": ("UP", "Up", "Upwards"),
    "DOWN": ("DOWN", "Down", "Downwards"),
}
_STILL_LENGTH = 1.5  # s


def moving_reason(context: bpy.types.Context) -> str:
    """Why the active character cannot be animated on top."""
    character = characters.active(context)
    if character is None:
        return "Make a character first."
    settings = character.makeittalk
    if character.library is not None:
        return f"{character.name} is linked from another file."
    if settings.rig is None or settings.body is None or settings.body.data.shape_keys is None:
        return f"{character.name} has lost its mesh or its rig. Run Make It Talk again."
    return ""


def generated_reason(context: bpy.types.Context) -> str:
    """Why what is generated for the active character cannot be held back."""
    reason = moving_reason(context)
    if reason:
        return reason
    settings = characters.active(context).makeittalk
    if any(upgrade.legacy_layer(owner) for owner in (settings.rig, settings.body.data.shape_keys)):
        return "This character is from an older file. Press Re-bake first."
    return ""


def _span() -> Any:
    return EnumProperty(name="Span", description="Which frames it takes", items=_SPANS, options={"SKIP_SAVE"})


def _length(description: str, default: float) -> Any:
    return FloatProperty(
        name="Length",
        description=description,
        default=default,
        min=0.05,
        soft_max=10.0,
        unit="TIME_ABSOLUTE",
        options={"SKIP_SAVE"},
    )


def span_of(context: bpy.types.Context, span: str, length: float) -> tuple[float, float]:
    """The first frame and the length in seconds of what `_SPANS` names.

    Raises:
        AddonError: there is no such span.
    """
    scene = context.scene
    rate = setup.frame_rate(scene)
    if span == "PREVIEW":
        if not scene.use_preview_range:
            raise AddonError("The timeline has no preview range.", "Press P in the timeline and drag one.")
        return scene.frame_preview_start, (scene.frame_preview_end - scene.frame_preview_start) / rate
    if span == "MARKERS":
        frames = sorted(marker.frame for marker in scene.timeline_markers if marker.select)
        if len(frames) < 2 or frames[0] == frames[-1]:
            raise AddonError("Fewer than two markers are selected.", "Select the first and the last one.")
        return frames[0], (frames[-1] - frames[0]) / rate
    return scene.frame_current, length


class MAKEITTALK_OT_gesture(reasons.Reasoned, bpy.types.Operator):
    """Add a gesture at the playhead, as a few keys of your own on top of what is generated"""

    bl_idname = "makeittalk.gesture"
    bl_label = "Add Gesture"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    kind: EnumProperty(name="Gesture", items=[(kind, item.label, item.description) for kind, item in GESTURES.items()])
    strength: FloatProperty(
        name="Strength",
        description="How far it goes; 1 is natural",
        default=1.0,
        min=0.0,
        soft_max=2.0,
        options={"SKIP_SAVE"},
    )
    span: _span()
    length: _length("How long it takes, to its last key; not set, it is the gesture's usual length", 1.0)
    direction: EnumProperty(
        name="Direction",
        description="Where it goes, as the picture is seen; a gesture that cannot go there takes its usual way",
        items=tuple(_DIRECTIONS.values()),
        options={"SKIP_SAVE"},
    )
    repeats: IntProperty(
        name="Times",
        description="How many times the head swings; not set, as often as is usual",
        default=1,
        min=1,
        soft_max=6,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return f"{GESTURES[properties.kind].description} at the playhead: a few keys on top of what is generated"

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return moving_reason(context)

    def draw(self, _context: bpy.types.Context) -> None:
        layout, usual = self.layout, GESTURES[self.kind]
        layout.use_property_split = True
        layout.prop(self, "strength", slider=True)
        layout.prop(self, "span")
        if self.span == "LENGTH":
            layout.prop(self, "length")
        if usual.directions:
            row = layout.row()
            for item in usual.directions:
                row.prop_enum(self, "direction", item)
        if usual.repeats:
            layout.prop(self, "repeats")

    def execute(self, context: bpy.types.Context) -> set[str]:
        usual = GESTURES[self.kind]
        if not self.properties.is_property_set("length"):
            self.length = usual.length
        if usual.repeats and not self.properties.is_property_set("repeats"):
            self.repeats = usual.repeats
        if usual.directions and self.direction not in usual.directions:
            self.direction = usual.directions[0]
        try:
            start, length = span_of(context, self.span, self.length)
            rate = setup.frame_rate(context.scene)
            character = characters.active(context)
            options = (self.strength, length, self.direction, self.repeats)
            found = gestures.add(character, self.kind, start, rate, *options)
        except MakeItTalkError as error:
            return self.fail(context, error)
        self.report({"INFO"}, f"{usual.label} from frame {found.first} to {found.last}.")
        return {"FINISHED"}


class MAKEITTALK_OT_hold_still(reasons.Reasoned, bpy.types.Operator):
    """Hold the head as it is at the playhead for a while; your own keys go on moving it"""

    bl_idname = "makeittalk.hold_still"
    bl_label = "Hold Still"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    span: _span()
    length: _length("How long the head stays, easing included", _STILL_LENGTH)
    ease: FloatProperty(
        name="Ease",
        description="How long it takes to settle, and to move on",
        default=0.3,
        min=0.04,
        soft_max=2.0,
        unit="TIME_ABSOLUTE",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return generated_reason(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            start, length = span_of(context, self.span, self.length)
            rate = setup.frame_rate(context.scene)
            gestures.hold_still(characters.active(context), start, start + length * rate, self.ease * rate)
        except MakeItTalkError as error:
            return self.fail(context, error)
        return {"FINISHED"}


class _OfBlink(reasons.Reasoned):
    """An operator on the generated blink at the playhead."""

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return generated_reason(context)

    def at_playhead(self, context: bpy.types.Context, work: Callable[..., None], *arguments: int) -> set[str]:
        character, rate = characters.active(context), setup.frame_rate(context.scene)
        try:
            span = gestures.blink_at(character, context.scene.frame_current, rate)
            if span is None:
                raise AddonError("No generated blink is within a second of the playhead.", "Go to one.")
            work(character, span, *arguments, rate)
        except MakeItTalkError as error:
            return self.fail(context, error)
        return {"FINISHED"}


class MAKEITTALK_OT_remove_blink(_OfBlink, bpy.types.Operator):
    """Remove the generated blink at the playhead, or the nearest within a second; no later take blinks there either"""

    bl_idname = "makeittalk.remove_blink"
    bl_label = "Remove Blink"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self.at_playhead(context, gestures.remove_blink)


class MAKEITTALK_OT_move_blink(_OfBlink, bpy.types.Operator):
    """Move the generated blink at the playhead, or the nearest within a second, to an earlier or a later time"""

    bl_idname = "makeittalk.move_blink"
    bl_label = "Move Blink"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    frames: IntProperty(
        name="Frames", description="How far it moves; negative: earlier", default=6, soft_min=-48, soft_max=48
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self.at_playhead(context, gestures.move_blink, self.frames)


CLASSES = (
    MAKEITTALK_OT_gesture,
    MAKEITTALK_OT_hold_still,
    MAKEITTALK_OT_remove_blink,
    MAKEITTALK_OT_move_blink,
)
