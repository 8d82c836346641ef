"""What the scene, a character and the session remember.

No postponed annotations here: Blender reads the annotations themselves.
"""

import random
from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    IntVectorProperty,
    PointerProperty,
    StringProperty,
)

from ..backend.makeittalk.exchange.amounts import HIGHEST as HIGHEST_AMOUNT
from . import compat
from .jobs.rebake import schedule
from .scene import character as characters
from .scene import performance, photo_plane

STYLES = (
    ("auto", "Automatic", "Choose the way to draw the portrait by itself"),
    ("cartoon", "Warp", "Move the portrait's own pixels: cartoons, paintings, sharp edges"),
    ("photo", "Photo", "Let a network draw mouth, lids and folds of a photograph, in photoreal frames"),
)
_RANGES = (
    ("CHARACTER", "Character", "The frames of the scene on which this character speaks"),
    ("SCENE", "Scene", "The scene's frame range"),
    ("PREVIEW", "Preview", "The scene's preview range"),
)
_AMOUNTS = {
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


def _amount(name: str, update: Callable[..., None] | None = None) -> Any:
    label, description = _AMOUNTS[name]
    soft, most = (1.0, 1.0) if name == "gaze" else (2.0, HIGHEST_AMOUNT)
    return FloatProperty(
        name=label, description=description, default=1.0, min=0.0, soft_max=soft, max=most, update=update
    )


def _seed(update: Callable[..., None] | None = None) -> Any:
    description = "Another number gives another take of head and blinks"
    return IntProperty(name="Seed", description=description, min=0, update=update)


def _chosen(self: "MakeItTalkSettings", _context: bpy.types.Context) -> None:
    self.draw_seed = False  # whoever names a seed, in the panel or in a script, gets that one


def _chosen_speech(self: "MakeItTalkSettings", _context: bpy.types.Context) -> None:
    self.strip = ""  # another recording than the strip's; who takes a strip says so afterwards


def _face() -> Any:
    return IntProperty(
        name="Face",
        description="Which face of a picture with several is animated: 1 is the largest, 2 the next smaller one",
        default=1,
        min=1,
        soft_max=12,
    )


def _voice() -> Any:
    return StringProperty(
        name="Voice",
        description="A recording whose manner is taken instead of the speech's own; empty for the speech's",
        subtype="FILE_PATH",
        options=compat.PATH_OPTIONS,
    )


_DRAWN = range(1, 100_000)  # seeds that a character is given unasked: few enough digits to be read and typed


class MakeItTalkSettings(bpy.types.PropertyGroup):
    """What the next character is made from (one a scene)."""

    portrait: StringProperty(
        name="Portrait",
        description="One picture with a face: photo, painting or cartoon",
        subtype="FILE_PATH",
        options=compat.PATH_OPTIONS,
    )
    speech: StringProperty(
        name="Speech",
        description="A recording of speech: any sound file, or a video with sound",
        subtype="FILE_PATH",
        options=compat.PATH_OPTIONS,
        update=_chosen_speech,
    )
    face: _face()
    style: EnumProperty(name="Style", description="How the portrait is drawn", items=STYLES, default="auto")
    at_current_frame: BoolProperty(
        name="Start at the Current Frame",
        description="The speech begins where the playhead stands",
        default=True,
    )
    start: IntProperty(name="Start Frame", description="Frame on which the speech begins", default=1)
    every_frame: BoolProperty(
        name="Key Every Frame",
        description="One key on every frame instead of the fewest that say the same",
    )
    own_mouth: BoolProperty(
        name="Keep the Portrait's Mouth",
        description="Where the portrait's mouth is open, show its own teeth instead of drawn ones",
        default=True,
    )
    draw_seed: BoolProperty(
        name="Draw a Seed",
        description="Each new character gets a seed of its own, so that no two of them move in step",
        default=True,
    )
    seed: _seed(_chosen)
    voice: _voice()
    strip: StringProperty(description="Identity of the strip in the sequencer that the speech was taken from")
    strip_frames: IntProperty(description="How long that strip was then")
    lip: _amount("lip")
    head: _amount("head")
    blink: _amount("blink")
    gaze: _amount("gaze")
    smooth: _amount("smooth")

    def start_frame(self, scene: bpy.types.Scene) -> int:
        """The frame on which the next speech begins."""
        return scene.frame_current if self.at_current_frame else self.start

    def next_seed(self) -> int:
        """The seed of the next character: the one that was chosen, else one that no character of the file has."""
        if not self.draw_seed:
            return self.seed
        taken = {item.makeittalk.seed for item in bpy.data.collections if item.makeittalk.is_character}
        return random.choice([seed for seed in _DRAWN if seed not in taken])


def _moved(self: "MakeItTalkCharacter", context: bpy.types.Context) -> None:
    shift = self.start - self.placed
    if shift and self.is_character:
        characters.move(self.id_data, context.scene, shift)
        self.placed = self.start


def _changed(self: "MakeItTalkCharacter", _context: bpy.types.Context) -> None:
    if self.frames:  # not while it is being built
        schedule(self.id_data)


def _scaled(self: "MakeItTalkAmounts", _context: bpy.types.Context) -> None:
    character = characters.of_rig(self.id_data)
    if character is not None and character.makeittalk.frames and not performance.apply_amounts(character):
        schedule(character)


def _of_rig(name: str) -> Any:
    """An amount of a character, which its rig holds: a collection has no curves, so that it could not be keyed."""
    label, description = _AMOUNTS[name]

    def read(self: "MakeItTalkCharacter") -> float:
        return getattr(self.rig.makeittalk, name) if self.rig is not None else 1.0

    def write(self: "MakeItTalkCharacter", value: float) -> None:
        if self.rig is not None:
            setattr(self.rig.makeittalk, name, value)

    return FloatProperty(
        name=label, description=description, default=1.0, min=0.0, max=HIGHEST_AMOUNT, get=read, set=write
    )


def _switched(self: "MakeItTalkCharacter", _context: bpy.types.Context) -> None:
    photo_plane.switch(self.id_data)


class MakeItTalkCharacter(bpy.types.PropertyGroup):
    """One character (on its collection): how it was made, and what it re-bakes from."""

    is_character: BoolProperty()
    serial: IntProperty(description="Counts up: the newest character has the highest")
    rig: PointerProperty(type=bpy.types.Object)
    body: PointerProperty(type=bpy.types.Object)
    camera: PointerProperty(type=bpy.types.Object)
    strip: StringProperty(description="Name of the speech's strip in the sequencer")
    shares_strip: BoolProperty(description="That strip was there before the character, and stays when it goes")
    portrait: StringProperty(description="The picture it was made from", subtype="FILE_PATH")
    speech: StringProperty(description="The recording it speaks", subtype="FILE_PATH")
    face: _face()
    style: EnumProperty(name="Style", items=STYLES, default="auto")
    notices: StringProperty(description="What the backend remarked, one sentence a line")
    image_size: IntVectorProperty(size=2)
    face_width: FloatProperty(description="Distance of the jaw's ends, pixels of the portrait")
    fps: FloatProperty(description="The rate it was baked at")
    frames: IntProperty(description="Length of the bake")
    residual: FloatProperty(
        name="Fit",
        description="What the shape keys leave of the prediction at worst, in pixels at 256 pixels face width",
    )
    motion_data: StringProperty(description="motion.npz, base64")
    mesh_data: StringProperty(description="mesh.npz, base64")
    bake_data: StringProperty(description="bake.npz, base64")
    baked: StringProperty(description="Fingerprints of curves in files from before layers, JSON")
    placed: IntProperty(description="Where its curves start now")
    start: IntProperty(
        name="Start Frame",
        description="Frame on which the speech begins; moves the curves and the sound",
        update=_moved,
    )
    every_frame: BoolProperty(
        name="Key Every Frame",
        description="One key on every frame instead of the fewest that say the same",
        update=_changed,
    )
    seed: _seed()
    voice: _voice()
    lip: _of_rig("lip")
    head: _of_rig("head")
    nod: _of_rig("nod")
    turn: _of_rig("turn")
    tilt: _of_rig("tilt")
    sway: _of_rig("sway")
    blink: _of_rig("blink")
    gaze: _of_rig("gaze")
    smooth: _amount("smooth", _changed)
    plane: PointerProperty(type=bpy.types.Object)
    photo_strip: StringProperty(description="Name of the photoreal frames' strip in the sequencer")
    photo_range: EnumProperty(name="Frames", description="Which frames are drawn", items=_RANGES)
    photo_folder: StringProperty(
        name="Folder",
        description="Where the frames are written; empty for photoreal/ and the character's name beside the .blend",
        subtype="DIR_PATH",
        options=compat.PATH_OPTIONS,
    )
    photo_film: BoolProperty(
        name="Write MP4", description="Also write the frames with the speech as an MP4 into their folder"
    )
    show_photoreal: BoolProperty(
        name="Show Photoreal",
        description="Show the photoreal frames instead of the moving mesh, in the viewport and in renders",
        update=_switched,
    )

    def place(self, start: int) -> None:
        """Says where the curves start without moving them."""
        self.placed = start
        self.start = start


class MakeItTalkAmounts(bpy.types.PropertyGroup):
    """How much of each share of the generated performance shows (on a character's rig, where they can be keyed)."""

    lip: _amount("lip", _scaled)
    head: _amount("head", _scaled)
    nod: _amount("nod", _scaled)
    turn: _amount("turn", _scaled)
    tilt: _amount("tilt", _scaled)
    sway: _amount("sway", _scaled)
    blink: _amount("blink", _scaled)
    gaze: _amount("gaze", _scaled)


def _smoothing() -> Any:
    """A slider of the session that turns the active character's smoothing.

    A property of the window manager leaves no undo step of its own: the re-bake that follows leaves the only one.
    """
    label, description = _AMOUNTS["smooth"]

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
        self.message, self.hint, self.is_error = message, hint, error

    def progress(self, fraction: float, stage: str, seconds_left: float = -1.0) -> None:
        """Sets what the progress bar shows."""
        self.fraction, self.stage, self.seconds_left = min(1.0, max(0.0, fraction)), stage, seconds_left


CLASSES = (MakeItTalkSettings, MakeItTalkCharacter, MakeItTalkAmounts, MakeItTalkSession)
_OWNERS = (
    (bpy.types.Scene, MakeItTalkSettings),
    (bpy.types.Collection, MakeItTalkCharacter),
    (bpy.types.Object, MakeItTalkAmounts),
    (bpy.types.WindowManager, MakeItTalkSession),
)


def register() -> None:
    for kind in CLASSES:
        bpy.utils.register_class(kind)
    for owner, kind in _OWNERS:
        owner.makeittalk = PointerProperty(type=kind)


def unregister() -> None:
    for owner, _kind in _OWNERS:
        del owner.makeittalk
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
