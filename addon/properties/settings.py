"""What the next character is made from.

No postponed annotations here: Blender reads the annotations themselves.
"""

import random

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, PointerProperty, StringProperty

from .. import compat
from .fields import STYLES, amount, face, seed, voice
from .weight_sets import preferred_set, weights_menu

_DRAWN = range(1, 100_000)  # seeds that a character is given unasked: few enough digits to be read and typed


def _chosen(self: "MakeItTalkSettings", _context: bpy.types.Context) -> None:
    self.draw_seed = False  # whoever names a seed, in the panel or in a script, gets that one


def _chosen_speech(self: "MakeItTalkSettings", _context: bpy.types.Context) -> None:
    self.strip = ""  # another recording than the strip's; who takes a strip says so afterwards


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
    face: face()
    style: EnumProperty(name="Style", description="How the portrait is drawn", items=STYLES, default="auto")
    weights_name: StringProperty(description="The imported set that was chosen here; see weights_set")
    weights: weights_menu("The networks that predict and draw the next character")
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
    seed: seed(_chosen)
    voice: voice()
    landmarks: StringProperty(description="Landmarks that were placed by hand, JSON; empty for detection")
    landmarks_of: StringProperty(description="The portrait that they were placed on")
    landmarks_image: PointerProperty(type=bpy.types.Image, description="That portrait, prepared")
    strip: StringProperty(description="Identity of the strip in the sequencer that the speech was taken from")
    strip_frames: IntProperty(description="How long that strip was then")
    lip: amount("lip")
    head: amount("head")
    blink: amount("blink")
    gaze: amount("gaze")
    smooth: amount("smooth")

    @property
    def weights_set(self) -> str:
        """The imported set of weights: the one that was chosen here, else the preferences'; empty for the shipped."""
        return self.weights_name if self.is_property_set("weights_name") else preferred_set()

    @weights_set.setter
    def weights_set(self, name: str) -> None:
        self.weights_name = name

    @property
    def is_placed(self) -> bool:
        """Whether the landmarks of this portrait were placed by hand."""
        return bool(self.landmarks and self.landmarks_image is not None and self.landmarks_of == self.portrait)

    def start_frame(self, scene: bpy.types.Scene) -> int:
        """The frame on which the next speech begins."""
        return scene.frame_current if self.at_current_frame else self.start

    def next_seed(self) -> int:
        """The seed of the next character: the one that was chosen, else one that no character of the file has."""
        if not self.draw_seed:
            return self.seed
        taken = {item.makeittalk.seed for item in bpy.data.collections if item.makeittalk.is_character}
        return random.choice([seed for seed in _DRAWN if seed not in taken])
