"""Readers of what crosses the wall: messages, and the files of `exchange/formats`."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import samples
from makeittalk.exchange import bounded_json, rates, shot_options, storage
from makeittalk.exchange.amounts import Amounts
from makeittalk.exchange.cues import Cue
from makeittalk.exchange.data_folder import check_set_name
from makeittalk.exchange.errors import MakeItTalkError
from makeittalk.exchange.formats import Bake, Cues, Face, Mesh, Moves, motion_table
from makeittalk.exchange.formats.motion_table import MotionTable
from makeittalk.exchange.formats.shots import read_shots
from makeittalk.exchange.locks import Lock
from makeittalk.exchange.protocol import (
    REQUESTS,
    Click,
    Photoreal,
    Place,
    ProtocolError,
    Reply,
    Sound,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
    read_lines,
)
from makeittalk.landmarks.few_points import place_landmarks
from makeittalk.landmarks.landmark_motion import load_motion
from makeittalk.weights.files import list_weights
from reader import Reader

TYPED = (MakeItTalkError,)


def _one(name: str, content: bytes | str) -> Callable[[Path], dict[str, bytes]]:
    data = content.encode() if isinstance(content, str) else content
    return lambda _folder: {name: data}


def _job(*names: str) -> Callable[[Path], dict[str, bytes]]:
    def made(folder: Path) -> dict[str, bytes]:
        job = samples.write_job(folder / "job", frames=6, grid=(9, 10))
        files = {name: (job / name).read_bytes() for name in names}
        shutil.copy(job / "portrait.png", folder)
        shutil.rmtree(job)
        return files

    return made


def _moves(folder: Path) -> dict[str, bytes]:
    Moves(np.zeros((3, 9, 3), np.float32)).save(folder / "moves.npz")
    return {"moves.npz": (folder / "moves.npz").read_bytes()}


def _cues(folder: Path) -> dict[str, bytes]:
    cue = [Cue(0.0, 0.5, "AA"), Cue(0.5, 1.0, "SIL")]
    Cues.of(1.0, cue, [Cue(0.0, 1.0, "B")], [Cue(0.0, 0.5, "ah")]).save(folder / "cues.npz")
    return {"cues.npz": (folder / "cues.npz").read_bytes()}


def _parts(folder: Path) -> dict[str, bytes]:
    """A motion with everything in it that `motion.npz` may hold."""
    rng = np.random.default_rng(3)
    points = samples.mesh_arrays(9, 10)
    neutral = points["vertices"][points["landmark_vertices"]]
    track = np.zeros((4, 68, 3), np.float32)
    arrays = {
        **{"format": 1, "fps": 62.5, "neutral": neutral, "landmarks": neutral + track, "expression": track},
        **{"rest": track[0], "content": track, "speaker": track},
        **{name: np.zeros((4, 3), np.float32) for name in ("head_rotation", "head_translation")},
        **{f"{name}_raw": np.zeros((4, 3), np.float32) for name in ("head_rotation", "head_translation")},
        **{"neck_pivot": np.zeros(3), "image_size": np.array([120, 160]), "blink": np.zeros(4, np.float32)},
        **{"closure": np.zeros(4, np.float32), "speaker_embedding": rng.normal(size=256).astype(np.float32)},
        **{"saccades": np.zeros((4, 2)), "gaze": np.zeros((4, 2)), "post": json.dumps({"lip": 1.0, "head": 0.5})},
    }
    np.savez_compressed(folder / "whole.npz", **arrays)
    return {"whole.npz": (folder / "whole.npz").read_bytes(), **_job("motion.npz")(folder)}


def _table() -> MotionTable:
    zeros = np.zeros((3, 3))
    return MotionTable(25.0, ["jawOpen", "eyeBlinkLeft"], np.full((3, 2), 0.25), zeros, zeros)


def _live_link(folder: Path) -> dict[str, bytes]:
    motion_table.write_live_link(folder / "take.csv", _table())
    return {"take.csv": (folder / "take.csv").read_bytes()}


def _shots(folder: Path) -> dict[str, bytes]:
    faces = _job("face.json")(folder)
    (folder / "face.json").write_bytes(faces["face.json"])
    for name in ("speech.wav", "voice.wav", "own.safetensors"):
        (folder / name).write_bytes(b"RIFF")
    head = "portrait,audio,output,style,fps,lip,smooth,landmarks,own_mouth,face,voice,device,seed,features,weights"
    rows = (
        "portrait.png,speech.wav,a.mp4;a.npz,cartoon,25,1,0.5,face.json,yes,1,voice.wav,cpu,7,whisper,own.safetensors",
        "face.json,speech.wav,b.blend,,29.97,,,,no,,,,,,released",
        "portrait.png,speech.wav,c.csv,photo,30000/1001,4,0,,,2,,auto,0,,",
    )
    return {"shots.csv": "\n".join([head, *rows, ""]).encode()}


def _requests() -> bytes:
    lines = [encode_request(number, kind()) for number, kind in enumerate(REQUESTS.values(), 1)]
    lines.append(encode_request(90, Place("p.png", "f", [Click(1.0, 2.0)] * 7)))
    lines.append(encode_request(91, Photoreal("p.png", "m", "v", "o", sounds=[Sound("a.wav", 1.0, 0.0, 2.0)])))
    return b"".join(lines)


def _replies() -> bytes:
    kinds = (
        Reply(1, "progress", 0.5, "Listening", 3.0),
        Reply(1, "result", data={"face": "f", "notices": ["a"], "last": 3}),
        Reply(1, "error", code="input", message="It is bad.", hint="Take another."),
        Reply(1),
    )
    return b"".join(map(encode_reply, kinds))


def _each_line(decode: Callable[[bytes], object]) -> Callable[[Path], object]:
    """As both sides read: a bad line is one error, and the ones behind it are read all the same."""

    def read(path: Path) -> list[object]:
        found: list[object] = []
        with open(path, "rb") as stream:
            for line in read_lines(stream):
                try:
                    found.append(decode(line))
                except ProtocolError as error:
                    found.append(str(error).encode())
        return found

    return read


def _amounts(path: Path) -> Amounts:
    return Amounts.from_dict(bounded_json.loads(path.read_bytes()))


def _clicks(path: Path) -> object:
    """A face laid through the points that a request names, as `place` does it."""
    try:
        _number, request = decode_request(path.read_bytes())
    except ProtocolError:
        return False
    if not isinstance(request, Place):
        return False
    return place_landmarks(np.array([[click.x, click.y] for click in request.clicks]))


def _place() -> bytes:
    points = ((40, 50), (80, 50), (60, 75), (45, 100), (75, 100), (60, 100), (60, 130))
    return encode_request(7, Place("p.png", "f", [Click(*map(float, point)) for point in points]))


def _options(path: Path) -> None:
    """Each word of a text as the value of every option of a shot, and as the name of a set of weights."""
    for word in path.read_bytes().decode("utf-8", "replace").split()[:40]:
        for option in shot_options.OPTIONS.values():
            _quietly(lambda word=word, option=option: option.value(word), ValueError)
        _quietly(lambda word=word: rates.exact_rate(word), *TYPED)
        _quietly(lambda word=word: check_set_name(word), *TYPED)


def _quietly(call: Callable[[], object], *errors: type[BaseException]) -> None:
    try:
        call()
    except errors:
        return


def _sums(path: Path) -> object:
    return list_weights(path.parent)


def _lock() -> bytes:
    hashes = " ".join(f"\\\n    --hash=sha256:{number:064x}" for number in range(2))
    packages = "".join(f"{name}==1.{number} {hashes}\n" for number, name in enumerate(("numpy", "Foo_Bar", "a.b")))
    return f"# A lock\n# download: 1234\n# disk: 5678\n# without: x y\n{packages}".encode()


READERS = (
    Reader("requests", _one("lines", _requests()), _each_line(decode_request), (), "lines", 3000),
    Reader("replies", _one("lines", _replies()), _each_line(decode_reply), (), "lines", 3000),
    Reader("clicks", _one("place.json", _place()), _clicks, TYPED, "json", 2000),
    Reader("lines", _one("lines", _requests()), lambda path: list(read_lines(io.BytesIO(path.read_bytes()))), ()),
    Reader("face.json", _job("face.json"), Face.load, TYPED, "json", 3000),
    Reader("any json", _job("face.json"), storage.read_json, TYPED, "json", 2000),
    Reader("motion.npz", _parts, load_motion, TYPED, "npz", 1500),
    Reader("mesh.npz", _job("mesh.npz"), Mesh.load, TYPED, "npz", 1200),
    Reader("bake.npz", _job("bake.npz"), Bake.load, TYPED, "npz", 1500),
    Reader("moves.npz", _moves, Moves.load, TYPED, "npz", 1500),
    Reader("cues.npz", _cues, Cues.load, TYPED, "npz", 1500),
    Reader("motion table", _live_link, motion_table.read_live_link, TYPED, "table", 2500),
    Reader("shots", _shots, read_shots, TYPED, "table", 2500),
    Reader("amounts", _one("amounts.json", '{"lip": 1, "gaze": 2.0}'), _amounts, (ValueError,), "json", 3000),
    Reader("options", _one("words.txt", "25 1 yes cpu 29.97 30000/1001 whisper released"), _options, (), "words", 1200),
    Reader("sums", _one("SHA256SUMS", f"{'a' * 64}  a.safetensors\n{'b' * 64}  b.task\n"), _sums, TYPED, "words", 1500),
    Reader("lock", _one("lock.txt", _lock()), Lock.read, TYPED, "words", 1500),
)
