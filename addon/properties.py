"""What the scene, a character and the session remember.

No postponed annotations here: Blender reads the annotations themselves.
"""

import random
from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
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
from .scene import materials, parts, performance, photo_plane

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


_OVERRIDABLE = {"LIBRARY_OVERRIDABLE"}  # what a character that is linked may have of its own


def _amount(name: str, update: Callable[..., None] | None = None) -> Any:
    label, description = _AMOUNTS[name]
    soft, most = (1.0, 1.0) if name == "gaze" else (2.0, HIGHEST_AMOUNT)
    return FloatProperty(
        name=label,
        description=description,
        default=1.0,
        min=0.0,
        soft_max=soft,
        max=most,
        update=update,
        override=_OVERRIDABLE,
    )


def _seed(update: Callable[..., None] | None = None) -> Any:
    description = "Another number gives another take of head and blinks"
    return IntProperty(name="Seed", description=description, min=0, update=update, override=_OVERRIDABLE)


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
        override=_OVERRIDABLE,
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


def _moved(self: "MakeItTalkSpeech", context: bpy.types.Context) -> None:
    shift = self.start - self.placed
    if shift and self.id_data.makeittalk.is_character:
        characters.move(self.id_data, self, context.scene, shift)
        self.placed = self.start


def _changed(self: "MakeItTalkCharacter", _context: bpy.types.Context) -> None:
    if self.frames:  # not while it is being built
        schedule(self.id_data)


def _scaled(self: "MakeItTalkAmounts", _context: bpy.types.Context) -> None:
    character = characters.of_rig(self.id_data)
    if character is not None and character.makeittalk.frames and not performance.apply_amounts(character):
        schedule(character)


def _hold(label: str, description: str) -> Any:
    return FloatProperty(name=label, description=description, min=0.0, max=1.0)


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


def _part(name: str) -> property:
    """A part of a character: the object that is marked as such in its collection, see `scene.parts`."""

    def read(self: "MakeItTalkCharacter") -> bpy.types.Object | None:
        return parts.find(self.id_data, name, getattr(self, f"{name}_pointer"))

    def write(self: "MakeItTalkCharacter", item: bpy.types.Object | None) -> None:
        if item is not None:
            parts.mark(item, name)
        setattr(self, f"{name}_pointer", item)

    return property(read, write)


_BAKED = ("start", "placed", "fps", "frames", "residual", "motion_data", "bake_data", "baked")
_SPOKEN = ("strip", "shares_strip", "strip_offset", "sound", "notices", "seed", "voice")


def _of_speech(name: str) -> property:
    """What a character's current speech says."""

    def read(self: "MakeItTalkCharacter") -> Any:
        current = self.current
        if current is None:
            return MakeItTalkSpeech.bl_rna.properties[name].default if name != "sound" else None
        return getattr(current, name)

    def write(self: "MakeItTalkCharacter", value: Any) -> None:
        setattr(self.current, name, value)

    return property(read, write)


def _kept(description: str) -> Any:
    return StringProperty(description=description, override=_OVERRIDABLE)


def _switched(self: "MakeItTalkCharacter", _context: bpy.types.Context) -> None:
    photo_plane.switch(self.id_data)


class MakeItTalkSpeech(bpy.types.PropertyGroup):
    """One recording that a character speaks, with the take that was predicted from it."""

    uid: _kept("Identity of this speech among the character's")
    recording: StringProperty(
        name="Speech",
        description="The recording it speaks",
        subtype="FILE_PATH",
        options=compat.PATH_OPTIONS,
        override=_OVERRIDABLE,
    )
    strip: _kept("Identity of the speech's strip in the sequencer")
    shares_strip: BoolProperty(
        description="That strip was there before the character, and stays when it goes", override=_OVERRIDABLE
    )
    strip_offset: IntProperty(
        description="Frames that the strip's source begins behind the lips: a cut strip's is hidden before them",
        override=_OVERRIDABLE,
    )
    cut_before: IntProperty(description="Frames at its beginning that its strip hides", override=_OVERRIDABLE)
    cut_behind: IntProperty(description="Frames at its end that its strip hides", override=_OVERRIDABLE)
    sound: PointerProperty(type=bpy.types.Sound, override=_OVERRIDABLE)
    fps: FloatProperty(description="The rate it was baked at", override=_OVERRIDABLE)
    frames: IntProperty(description="Length of the bake", override=_OVERRIDABLE)
    residual: FloatProperty(
        name="Fit",
        description="What the shape keys leave of the prediction at worst, in pixels at 256 pixels face width",
        override=_OVERRIDABLE,
    )
    motion_data: _kept("motion.npz, base64")
    bake_data: _kept("bake.npz, base64")
    baked: _kept("Fingerprints of curves in files from before layers, JSON")
    placed: IntProperty(description="Where its curves start now", override=_OVERRIDABLE)
    start: IntProperty(
        name="Start Frame",
        description="Frame on which the speech begins; moves the curves and the sound",
        update=_moved,
        override=_OVERRIDABLE,
    )
    notices: StringProperty(description="What the backend remarked, one sentence a line", override=_OVERRIDABLE)
    seed: _seed()
    voice: _voice()

    def place(self, start: int) -> None:
        """Says where the curves start without moving them."""
        self.placed = start
        self.start = start


def _lit(self: "MakeItTalkCharacter", _context: bpy.types.Context) -> None:
    for item in (self.body, self.plane):
        for material in item.data.materials if item is not None else ():
            if material is not None and material.node_tree is not None:
                materials.set_lit(material, self.lit)


class MakeItTalkCharacter(bpy.types.PropertyGroup):
    """One character (on its collection): how it was made, and what it re-bakes from."""

    is_character: BoolProperty()
    serial: IntProperty(description="Counts up: the newest character has the highest")
    rig_pointer: PointerProperty(type=bpy.types.Object)
    body_pointer: PointerProperty(type=bpy.types.Object)
    camera_pointer: PointerProperty(type=bpy.types.Object)
    plane_pointer: PointerProperty(type=bpy.types.Object)
    rig, body, camera, plane = (_part(name) for name in parts.ALL)
    # What belongs to a speech is said of the current one.
    start, placed, fps, frames, residual, motion_data, bake_data, baked = map(_of_speech, _BAKED)
    strip, shares_strip, strip_offset, sound, notices, seed, voice = map(_of_speech, _SPOKEN)
    speech = _of_speech("recording")
    portrait: StringProperty(
        name="Portrait",
        description="The picture it was made from",
        subtype="FILE_PATH",
        options=compat.PATH_OPTIONS,
        override=_OVERRIDABLE,
    )
    face: _face()
    style: EnumProperty(name="Style", items=STYLES, default="auto")
    image_size: IntVectorProperty(size=2)
    face_width: FloatProperty(description="Distance of the jaw's ends, pixels of the portrait")
    mesh_data: StringProperty(description="mesh.npz, base64")
    speeches: CollectionProperty(type=MakeItTalkSpeech, override={*_OVERRIDABLE, "USE_INSERTION"})
    active_speech: IntProperty(name="Speech", description="The speech that is worked on", override=_OVERRIDABLE)
    merged: StringProperty(
        description="The amounts when its layers were merged, JSON; empty while it has layers", override=_OVERRIDABLE
    )
    every_frame: BoolProperty(
        name="Key Every Frame",
        description="One key on every frame instead of the fewest that say the same",
        update=_changed,
        override=_OVERRIDABLE,
    )
    lip: _of_rig("lip")
    head: _of_rig("head")
    nod: _of_rig("nod")
    turn: _of_rig("turn")
    tilt: _of_rig("tilt")
    sway: _of_rig("sway")
    blink: _of_rig("blink")
    gaze: _of_rig("gaze")
    smooth: _amount("smooth", _changed)
    lit: BoolProperty(
        name="Lit",
        description="Let lamps and shadows act on the portrait, instead of showing the picture exactly as it is",
        update=_lit,
    )
    photo_strip: StringProperty(description="Identity of the photoreal frames' strip in the sequencer")
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

    @property
    def current(self) -> "MakeItTalkSpeech | None":
        """The speech that is worked on; None for a character of an older file that is linked."""
        count = len(self.speeches)
        return self.speeches[min(self.active_speech, count - 1)] if count else None

    def place(self, start: int) -> None:
        """Says where the curves of the current speech start without moving them."""
        self.current.place(start)


class MakeItTalkAmounts(bpy.types.PropertyGroup):
    """How much of each share of the generated performance shows (on a character's rig, where they can be keyed)."""

    lip: _amount("lip", _scaled)
    head: _amount("head", _scaled)
    nod: _amount("nod", _scaled)
    turn: _amount("turn", _scaled)
    tilt: _amount("tilt", _scaled)
    sway: _amount("sway", _scaled)
    blink: _amount("blink", _scaled)
    still: _hold("Hold Still", "Takes the generated motion of the head away where it is keyed: 1 is all of it")
    eyes_open: _hold("No Blink", "Takes generated blinks away where it is keyed: 1 lets none show")
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


CLASSES = (MakeItTalkSettings, MakeItTalkSpeech, MakeItTalkCharacter, MakeItTalkAmounts, MakeItTalkSession)
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
        owner.makeittalk = PointerProperty(type=kind, override=_OVERRIDABLE)


def unregister() -> None:
    for owner, _kind in _OWNERS:
        del owner.makeittalk
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
