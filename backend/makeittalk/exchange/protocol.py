"""The messages between the add-on and its backend process, one JSON object a line.

Standard library only. Every field has a default, so that an
older side still understands a newer one. Arrays never travel here: they are .npz files in the job's folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO, ClassVar

from . import bounded_json
from .character_messages import Animate, AnimateData, Preview, PreviewPart
from .constants import LARGEST_INTEGER
from .cues import EXTENDED
from .landmark_messages import Click, FacesData, FindFaces, Place, PlacedData, Reface, RefaceData, Refine
from .message import Fields, ProtocolError
from .weights_messages import ImportWeights, ImportWeightsData

__all__ = [
    "MAX_LINE",
    "REQUESTS",
    "VERSION",
    "Animate",
    "AnimateData",
    "Cancel",
    "Click",
    "Detect",
    "DetectData",
    "FacesData",
    "Fields",
    "FindFaces",
    "Hello",
    "HelloData",
    "ImportWeights",
    "ImportWeightsData",
    "Photoreal",
    "PhotorealData",
    "Place",
    "PlacedData",
    "Preview",
    "PreviewPart",
    "ProtocolError",
    "Rebake",
    "RebakeData",
    "Reface",
    "RefaceData",
    "Refine",
    "Reply",
    "Shutdown",
    "Sound",
    "Visemes",
    "VisemesData",
    "decode_reply",
    "decode_request",
    "encode_reply",
    "encode_request",
    "read_lines",
]

VERSION = 2
MAX_LINE = 1 << 20  # bytes of one message


@dataclass
class Hello(Fields):
    """Asks for versions, devices and weights."""

    method: ClassVar[str] = "hello"
    version: int = VERSION


@dataclass
class Detect(Fields):
    """Prepares a portrait and finds its landmarks; writes `portrait.png` and `face.json` into `folder`.

    `face_number` says which of several faces, from 1, the largest.
    """

    method: ClassVar[str] = "detect"
    portrait: str = ""
    folder: str = ""
    detector: str = "auto"
    face_number: int = 1


@dataclass
class Rebake(Fields):
    """Bakes a cached motion again, at another rate or with other smoothing; writes `bake.npz` into `folder`."""

    method: ClassVar[str] = "rebake"
    motion: str = ""
    mesh: str = ""
    folder: str = ""
    fps: float = 24.0
    smooth: float = 1.0


@dataclass
class Visemes(Fields):
    """Hears the phones of a recording and the mouth shapes that go with them; writes `cues.npz` into `folder`.

    `text` is what is said in it, whose words are found then; empty where nobody knows. `extended` names those of the
    mouth shapes G, H and X that are drawn.
    """

    method: ClassVar[str] = "visemes"
    audio: str = ""
    folder: str = ""
    text: str = ""
    extended: str = EXTENDED
    device: str = "auto"


@dataclass
class Sound(Fields):
    """A recording heard in a film: its first sample would sound at `at` seconds of the film, below 0 before it; it is
    heard from `begin` to `end` seconds of the film."""

    audio: str = ""
    at: float = 0.0
    begin: float = 0.0
    end: float = 0.0


@dataclass
class Photoreal(Fields):
    """Draws photoreal frames of a character as it moves in the scene; see `photoreal.render_frames`.

    `portrait`, `mesh` and `moves` are files of the job's folder. `output` is the folder of the frames, `first` the
    number of the first; `film` names an .mp4 to write from them and `sounds` what is heard in it. Empty `weights` are
    the default ones.
    """

    method: ClassVar[str] = "photoreal"
    portrait: str = ""
    mesh: str = ""
    moves: str = ""
    output: str = ""
    first: int = 1
    fps: float = 24.0
    film: str = ""
    sounds: list[Sound] = field(default_factory=list, metadata={"of": Sound})
    device: str = "auto"
    weights: str = ""


@dataclass
class Cancel(Fields):
    """Stops the job with the id `target`."""

    method: ClassVar[str] = "cancel"
    target: int = 0


@dataclass
class Shutdown(Fields):
    """Ends the process; what is under way is cancelled, and answered before."""

    method: ClassVar[str] = "shutdown"


REQUESTS: dict[str, type[Fields]] = {
    kind.method: kind
    for kind in (
        Hello,
        Detect,
        FindFaces,
        Place,
        Refine,
        Animate,
        Preview,
        Rebake,
        Reface,
        Visemes,
        Photoreal,
        ImportWeights,
        Cancel,
        Shutdown,
    )
}


@dataclass
class Reply(Fields):
    """One message of the backend about the request `id`.

    Attributes:
        kind: "progress", "part", "result", "error" or "done"; every request ends with one "done", and only `preview`
            has parts, before its result.
        fraction: 0–1, stage: what is being done, seconds_left: an estimate, negative while unknown (progress).
        code, message, hint: for the user (error). data: JSON values and paths (part, result).
    """

    id: int = 0
    kind: str = "done"
    fraction: float = 0.0
    stage: str = ""
    seconds_left: float = -1.0
    code: str = ""
    message: str = ""
    hint: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass
class HelloData(Fields):
    """What `hello` answers."""

    version: int = 0
    product: str = ""
    python: str = ""
    torch: str = ""
    devices: list[str] = field(default_factory=list)
    weights: str = ""
    detectors: list[str] = field(default_factory=list)


@dataclass
class DetectData(Fields):
    """What `detect` answers: paths, and sentences the user should see."""

    face: str = ""
    portrait: str = ""
    notices: list[str] = field(default_factory=list)


@dataclass
class RebakeData(Fields):
    """What `rebake` answers."""

    bake: str = ""


@dataclass
class VisemesData(Fields):
    """What `visemes` answers: the file made, and sentences the user should see."""

    cues: str = ""
    notices: list[str] = field(default_factory=list)


@dataclass
class PhotorealData(Fields):
    """What `photoreal` answers: the frames that follow one another in the folder, and how many were drawn just now."""

    folder: str = ""
    first: int = 1
    last: int = 1
    drawn: int = 0
    film: str = ""
    notices: list[str] = field(default_factory=list)


def encode_request(number: int, request: Fields) -> bytes:
    """One line for the backend."""
    value = {"id": number, "method": request.method, "params": asdict(request)}  # type: ignore[attr-defined]
    return _line(value)


def encode_reply(reply: Reply) -> bytes:
    """One line for the add-on."""
    return _line(asdict(reply))


def read_lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of a stream to its end; of one that is longer than a message only the beginning, which is no message.

    Raises:
        OSError, ValueError: the stream cannot be read, or was closed.
    """
    while line := stream.readline(MAX_LINE + 1):
        yield line
        while len(line) > MAX_LINE and not line.endswith(b"\n"):  # its rest is no line of its own
            line = stream.readline(MAX_LINE + 1)


def decode_request(line: bytes) -> tuple[int, Fields]:
    """The id and the request in a line.

    Raises:
        ProtocolError: the line is no request this version knows.
    """
    value = _object(line)
    number, method, params = _number(value), value.get("method"), value.get("params", {})
    if number < 1 or not isinstance(method, str) or not isinstance(params, dict):
        raise ProtocolError("A message lacks its id, method or params.", number)
    if method not in REQUESTS:
        raise ProtocolError(f"The backend does not know the request {method[:40]!r}.", number)
    try:
        return number, REQUESTS[method].from_dict(params)
    except ProtocolError as error:
        raise ProtocolError(str(error), number) from error


def decode_reply(line: bytes) -> Reply:
    """The reply in a line.

    Raises:
        ProtocolError: the line is no reply.
    """
    value = _object(line)
    try:
        return Reply.from_dict(value)
    except ProtocolError as error:
        raise ProtocolError(str(error), _number(value)) from error


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        raise ProtocolError("A message is too long.")
    try:
        value = bounded_json.loads(line)
    except ValueError as error:
        raise ProtocolError("A line is not JSON.") from error
    if not isinstance(value, dict):
        raise ProtocolError("A line is not a JSON object.")
    return value


def _number(value: dict[str, Any]) -> int:
    """The id of a message; 0 for none."""
    number = value.get("id")
    return number if type(number) is int and 0 < number <= LARGEST_INTEGER else 0
