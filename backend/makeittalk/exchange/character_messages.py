"""The messages about a whole character: made at once, or shown while it is made. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from .amounts import Amounts
from .message import Fields


@dataclass
class Animate(Fields):
    """The whole way from a portrait and a recording to `face.json`, `mesh.npz`, `motion.npz` and `bake.npz`.

    `face` names a face.json with corrected landmarks and is empty for detection, where `face_number` says which of
    several faces is taken, from 1, the largest; `voice` names a recording whose manner is taken instead of that of
    `audio`. `weights` are a set of weights, as `--weights` of the command line takes them; empty for the shipped ones.
    """

    method: ClassVar[str] = "animate"
    portrait: str = ""
    audio: str = ""
    folder: str = ""
    face: str = ""
    voice: str = ""
    style: str = "auto"
    detector: str = "auto"
    face_number: int = 1
    device: str = "auto"
    seed: int = 0
    fps: float = 24.0
    own_mouth: bool = True
    amounts: Amounts = field(default_factory=Amounts)
    weights: str = ""


@dataclass
class Preview(Animate):
    """Asks for what `Animate` makes, and to be shown it meanwhile: parts come before the result, which is the same.

    Writes what `Animate` writes, and beside it a `preview0.npz`, `preview1.npz` … for each part with motion.
    """

    method: ClassVar[str] = "preview"


@dataclass
class AnimateData(Fields):
    """What `animate` answers: paths of the files made, and sentences the user should see.

    `audio` is the recording to play: the given file, or a repaired copy.
    """

    face: str = ""
    portrait: str = ""
    mesh: str = ""
    motion: str = ""
    bake: str = ""
    audio: str = ""
    style: str = "cartoon"
    seconds: float = 0.0
    notices: list[str] = field(default_factory=list)


@dataclass
class PreviewPart(Fields):
    """What can be shown of a preview by now: paths, empty while there is no such file yet.

    The first part has picture and mesh; what an earlier part said a later one repeats.

    Attributes:
        audio: the recording to play. style: see `constants.STYLES`. seconds: the recording's length, 0 while unknown.
        bake: a `Bake` of the first `until` seconds, at the scene's rate, from the first frame on. It takes the place of
            the one before it, whose frames may differ from it a little.
        final: whether this is the whole and stays so: the bake of the result.
    """

    portrait: str = ""
    mesh: str = ""
    audio: str = ""
    style: str = "cartoon"
    seconds: float = 0.0
    bake: str = ""
    until: float = 0.0
    final: bool = False
