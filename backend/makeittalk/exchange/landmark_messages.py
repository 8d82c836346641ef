"""The messages about landmarks that are placed and corrected by hand. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from .message import Fields


@dataclass
class FindFaces(Fields):
    """Prepares a portrait and finds every face in it; writes `portrait.png` and a face.json for each into `folder`.

    `enough` faces end the search. Where there is none, the only face.json holds a face to begin with, in the middle.
    """

    method: ClassVar[str] = "find_faces"
    portrait: str = ""
    folder: str = ""
    enough: int = 1


@dataclass
class Click(Fields):
    """A place in the portrait, pixels."""

    x: float = 0.0
    y: float = 0.0


@dataclass
class Place(Fields):
    """Lays a face through seven clicks, in the order of `constants.CLICKS`; writes `face.json` into `folder`."""

    method: ClassVar[str] = "place"
    portrait: str = ""
    folder: str = ""
    clicks: list[Click] = field(default_factory=list, metadata={"of": Click})


@dataclass
class Refine(Fields):
    """Takes the face that the detector sees where that of the file `face` lies; writes `face.json` into `folder`."""

    method: ClassVar[str] = "refine"
    portrait: str = ""
    folder: str = ""
    face: str = ""


@dataclass
class Reface(Fields):
    """The mesh of a character whose landmarks were corrected, and its motions on it, predicted by nobody anew.

    `face` names the corrected face.json, `mesh` the character's mesh, whose keys the new one has, and `motions` the
    motion of each of its speeches. Writes `face.json`, `mesh.npz` and, numbered from 0, `motion0.npz` and `bake0.npz`
    into `folder`.
    """

    method: ClassVar[str] = "reface"
    portrait: str = ""
    face: str = ""
    mesh: str = ""
    motions: list[str] = field(default_factory=list)
    folder: str = ""
    fps: float = 24.0
    smooth: float = 1.0
    own_mouth: bool = True
    style: str = "auto"


@dataclass
class FacesData(Fields):
    """What `find_faces` answers: the faces, the largest first; `found` of them, 0 where there is one to begin with."""

    faces: list[str] = field(default_factory=list)
    found: int = 0
    portrait: str = ""
    notices: list[str] = field(default_factory=list)


@dataclass
class PlacedData(Fields):
    """What `place` and `refine` answer."""

    face: str = ""
    portrait: str = ""
    notices: list[str] = field(default_factory=list)


@dataclass
class RefaceData(Fields):
    """What `reface` answers: paths, one motion and one bake for each speech."""

    face: str = ""
    portrait: str = ""
    mesh: str = ""
    motions: list[str] = field(default_factory=list)
    bakes: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
