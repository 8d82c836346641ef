"""What a character knows, its speeches, and the amounts on its rig.

No postponed annotations here: Blender reads the annotations themselves.
"""

import contextlib
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

from ...backend.makeittalk.exchange.amounts import HIGHEST as HIGHEST_AMOUNT
from .. import compat
from ..core import chosen_folders
from ..core.errors import AddonError
from ..jobs.rebake import schedule
from ..scene import character as characters
from ..scene import materials, output_folders, parts, performance, photo_plane
from .fields import AMOUNTS, OVERRIDABLE, STYLES, amount, face, kept, seed, telling, voice
from .retarget import MakeItTalkRetarget
from .weight_sets import weights_menu

_RANGES = (
    ("CHARACTER", "Character", "The frames of the scene on which this character speaks"),
    ("SCENE", "Scene", "The scene's frame range"),
    ("PREVIEW", "Preview", "The scene's preview range"),
)


@telling
def _moved(self: "MakeItTalkSpeech", context: bpy.types.Context) -> None:
    shift = self.start - self.placed
    if shift and self.id_data.makeittalk.is_character:
        characters.move(self.id_data, self, context.scene, shift)
        self.placed = self.start


@telling
def _changed(self: "MakeItTalkCharacter", _context: bpy.types.Context) -> None:
    if self.frames:  # not while it is being built
        schedule(self.id_data)


@telling
def _scaled(self: "MakeItTalkAmounts", _context: bpy.types.Context) -> None:
    character = characters.of_rig(self.id_data)
    if character is not None and character.makeittalk.frames and not performance.apply_amounts(character):
        schedule(character)


def _hold(label: str, description: str) -> Any:
    return FloatProperty(name=label, description=description, min=0.0, max=1.0)


def _of_rig(name: str) -> Any:
    """An amount of a character, which its rig holds: a collection has no curves, so that it could not be keyed."""
    label, description = AMOUNTS[name]

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


@telling
def _switched(self: "MakeItTalkCharacter", _context: bpy.types.Context) -> None:
    photo_plane.switch(self.id_data)


def _chose_folder(self: "MakeItTalkCharacter", _context: bpy.types.Context) -> None:
    """Whoever names a folder, in the panel or in a script, may write there; a file that is opened names none."""
    if self.is_character and self.photo_folder:  # a copy's is set before it is one
        with contextlib.suppress(AddonError):  # said when frames are asked for
            chosen_folders.remember(output_folders.chosen(self.photo_folder))


class MakeItTalkSpeech(bpy.types.PropertyGroup):
    """One recording that a character speaks, with the take that was predicted from it."""

    uid: kept("Identity of this speech among the character's")
    recording: StringProperty(
        name="Speech",
        description="The recording it speaks",
        subtype="FILE_PATH",
        options=compat.PATH_OPTIONS,
        override=OVERRIDABLE,
    )
    strip: kept("Identity of the speech's strip in the sequencer")
    shares_strip: BoolProperty(
        description="That strip was there before the character, and stays when it goes", override=OVERRIDABLE
    )
    strip_offset: IntProperty(
        description="Frames that the strip's source begins behind the lips: a cut strip's is hidden before them",
        override=OVERRIDABLE,
    )
    cut_before: IntProperty(description="Frames at its beginning that its strip hides", override=OVERRIDABLE)
    cut_behind: IntProperty(description="Frames at its end that its strip hides", override=OVERRIDABLE)
    sound: PointerProperty(type=bpy.types.Sound, override=OVERRIDABLE)
    fps: FloatProperty(description="The rate it was baked at", override=OVERRIDABLE)
    frames: IntProperty(description="Length of the bake", override=OVERRIDABLE)
    residual: FloatProperty(
        name="Fit",
        description="What the shape keys leave of the prediction at worst, in pixels at 256 pixels face width",
        override=OVERRIDABLE,
    )
    motion_data: kept("motion.npz, base64")
    bake_data: kept("bake.npz, base64")
    baked: kept("Fingerprints of curves in files from before layers, JSON")
    placed: IntProperty(description="Where its curves start now", override=OVERRIDABLE)
    start: IntProperty(
        name="Start Frame",
        description="Frame on which the speech begins; moves the curves and the sound",
        update=_moved,
        override=OVERRIDABLE,
    )
    notices: StringProperty(description="What the backend remarked, one sentence a line", override=OVERRIDABLE)
    seed: seed()
    voice: voice()

    markers: kept("Frames and names of its markers on the timeline by what they tell, JSON")
    words: StringProperty(
        name="Words",
        description="What is said in it, for Mark Words",
        override=OVERRIDABLE,
    )
    words_text: PointerProperty(
        name="Text",
        type=bpy.types.Text,
        description="A text of the Text Editor that says what is said in it, instead of Words; for more than a line",
        override=OVERRIDABLE,
    )

    def place(self, start: int) -> None:
        """Says where the curves start without moving them."""
        self.placed = start
        self.start = start

    def forget_words(self) -> None:
        """Says that nobody knows what is said in it."""
        self.words, self.words_text = "", None

    @property
    def said(self) -> str:
        """What is said in it, empty where nobody has told."""
        return self.words_text.as_string() if self.words_text is not None else self.words


@telling
def _lit(self: "MakeItTalkCharacter", _context: bpy.types.Context) -> None:
    for item in (self.body, self.plane):
        for slot in range(len(item.data.materials) if item is not None else 0):
            material = materials.own(item.data, slot)
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
        override=OVERRIDABLE,
    )
    face: face()
    style: EnumProperty(name="Style", items=STYLES, default="auto")
    weights_set: kept("The imported set of weights it is predicted with; empty for the shipped ones")
    weights: weights_menu("The networks that predict and draw it; another choice acts with the next take")
    image_size: IntVectorProperty(size=2)
    face_width: FloatProperty(description="Distance of the jaw's ends, pixels of the portrait")
    mesh_data: StringProperty(description="mesh.npz, base64")
    landmarks: StringProperty(description="The portrait's landmarks, JSON")
    placed: BoolProperty(description="They were placed by hand, and no detection may replace them")
    own_mouth: BoolProperty(description="An open-mouthed portrait shows its own pixels", default=True)
    speeches: CollectionProperty(type=MakeItTalkSpeech, override={*OVERRIDABLE, "USE_INSERTION"})
    active_speech: IntProperty(name="Speech", description="The speech that is worked on", override=OVERRIDABLE)
    retarget: PointerProperty(type=MakeItTalkRetarget, override=OVERRIDABLE)
    own_curves: kept("The animator's own curves when its layers were merged, JSON")
    merged: StringProperty(
        description="The amounts when its layers were merged, JSON; empty while it has layers", override=OVERRIDABLE
    )
    every_frame: BoolProperty(
        name="Key Every Frame",
        description="One key on every frame instead of the fewest that say the same",
        update=_changed,
        override=OVERRIDABLE,
    )
    lip: _of_rig("lip")
    head: _of_rig("head")
    nod: _of_rig("nod")
    turn: _of_rig("turn")
    tilt: _of_rig("tilt")
    sway: _of_rig("sway")
    blink: _of_rig("blink")
    gaze: _of_rig("gaze")
    smooth: amount("smooth", _changed)
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
        update=_chose_folder,
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
        return self.speeches[max(0, min(self.active_speech, count - 1))] if count else None

    def place(self, start: int) -> None:
        """Says where the curves of the current speech start without moving them."""
        self.current.place(start)


class MakeItTalkAmounts(bpy.types.PropertyGroup):
    """How much of each share of the generated performance shows (on a character's rig, where they can be keyed)."""

    lip: amount("lip", _scaled)
    head: amount("head", _scaled)
    nod: amount("nod", _scaled)
    turn: amount("turn", _scaled)
    tilt: amount("tilt", _scaled)
    sway: amount("sway", _scaled)
    blink: amount("blink", _scaled)
    still: _hold("Hold Still", "Takes the generated motion of the head away where it is keyed: 1 is all of it")
    eyes_open: _hold("No Blink", "Takes generated blinks away where it is keyed: 1 lets none show")
    gaze: amount("gaze", _scaled)
