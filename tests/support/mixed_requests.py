"""Requests of every kind for a backend, honest and hostile, drawn by chance; every path leads into one folder."""

from __future__ import annotations

import json
import os
import random
from dataclasses import asdict
from pathlib import Path

import numpy as np
import soundfile
from makeittalk.exchange import protocol
from makeittalk.exchange.formats import Mesh, Moves
from makeittalk.mesh.deform import deform
from PIL import Image
from project import ASSETS

SIDE = 320  # px of the portrait
FRAMES = 2
#: How often each kind is asked for; those that predict or draw cost more than all others together.
SHARES = {
    "hello": 12,
    "detect": 6,
    "find_faces": 4,
    "place": 10,
    "refine": 1,
    "animate": 2,
    "preview": 1,
    "rebake": 16,
    "reface": 2,
    "visemes": 10,
    "photoreal": 2,
    "import_weights": 10,
}
#: Values that no field expects, as they stand in JSON; those of texts are paths into the folder, see `Mixed.hostile`.
VALUES = (
    *("3", "-1", "2147483648", "-2147483649", "0.5", "1e400", "NaN", "-Infinity", "1" + "0" * 400, "9" * 5000),
    *(
        '"x"',
        '""',
        '"a\\u0000b"',
        '"\\ud800"',
        json.dumps("ü" * 100_000),
        "null",
        "true",
        "[]",
        "{}",
        '[["a"]]',
        '[{"x": "y"}]',
    ),
)
#: Lines that have no id that can be read.
BAD_LINES = (
    b"\n",
    b"nonsense\n",
    b"[]\n",
    b"NaN\n",
    b"\xff\xfe\x00\n",
    b'{"id": 0, "method": "hello"}\n',
    b'{"id": -7, "method": "hello"}\n',
    b'{"id": 1e400, "method": "hello"}\n',
    b'{"method": "hello"}\n',
    b"[" * 200_000 + b"\n",
    b'{"a":' * 900 + b"1" + b"}" * 900 + b"\n",
)
_HOSTILE = 0.25  # of all requests
_MUTABLE = (
    "portrait",
    "audio",
    "face",
    "mesh",
    "motion",
    "motions",
    "moves",
    "voice",
    "text",
    "film",
    "weights",
    "style",
)


class Mixed:
    """A source of requests.

    Args:
        rng: decides everything. work: an empty folder of the test's; nothing outside it is named.
    """

    def __init__(self, rng: random.Random, work: Path) -> None:
        self._rng, self._work = rng, work
        with Image.open(ASSETS / "portrait_photo.jpg") as photo:
            photo.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(work / "small.png")
        samples, rate = soundfile.read(ASSETS / "speech.flac", dtype="float32")
        soundfile.write(work / "speech.wav", samples[:rate], rate)
        (work / "text.png").write_text("no picture")
        (work / "empty.npz").write_bytes(b"")
        os.mkfifo(work / "pipe.wav")
        self._paths = [
            str(work / name) for name in ("text.png", "empty.npz", "pipe.wav", "nobody.png", "jobs", "speech.wav")
        ]
        self._made: dict[str, str] = {}

    def first(self, folder: Path) -> protocol.Animate:
        """What has to be asked first, for its files are what others ask about."""
        folder.mkdir(parents=True)
        return protocol.Animate(portrait=self._portrait, audio=self._sound, folder=str(folder), style="photo")

    def take(self, made: protocol.AnimateData) -> None:
        """Takes what the first request has made."""
        mesh = Mesh.load(made.mesh)
        jaw = mesh.key_landmarks[mesh.key_names.tolist().index("jawOpen")]
        still = np.zeros((FRAMES, 3))
        vertices = deform(mesh, np.linspace(0, 1, FRAMES)[:, None, None] * jaw, still, still)
        Moves(vertices).save(self._work / "moves.npz")
        self._made = {name: getattr(made, name) for name in ("face", "portrait", "mesh", "motion")}

    def request(self, folder: Path, kind: str = "") -> tuple[str, protocol.Fields]:
        """A kind of request, drawn where none is named, and one of it, whose files lie in a folder that it makes."""
        folder.mkdir(parents=True)
        kind = kind or self._rng.choices(list(SHARES), list(SHARES.values()))[0]
        there, made = str(folder), self._made
        clicks = [(110, 130), (200, 130), (155, 175), (125, 215), (190, 215), (157, 217), (157, 270)]
        shaken = [protocol.Click(x + self._rng.uniform(-9, 9), y + self._rng.uniform(-9, 9)) for x, y in clicks]
        fps = self._rng.choice([24.0, 25.0, 30.0])
        speaking = {"portrait": self._portrait, "audio": self._sound, "folder": there, "fps": fps, "style": "photo"}
        requests: dict[str, protocol.Fields] = {
            "hello": protocol.Hello(),
            "detect": protocol.Detect(self._portrait, there),
            "find_faces": protocol.FindFaces(self._portrait, there),
            "place": protocol.Place(self._portrait, there, shaken),
            "refine": protocol.Refine(self._portrait, there, made["face"]),
            "animate": protocol.Animate(**speaking, seed=self._rng.randrange(9)),
            "preview": protocol.Preview(**speaking),
            "rebake": protocol.Rebake(made["motion"], made["mesh"], there, fps, self._rng.random()),
            "reface": protocol.Reface(self._portrait, made["face"], made["mesh"], [made["motion"]], there, fps),
            "visemes": protocol.Visemes(self._sound, there),
            "photoreal": protocol.Photoreal(
                made["portrait"], made["mesh"], str(self._work / "moves.npz"), str(folder / "frames"), fps=fps
            ),
            "import_weights": protocol.ImportWeights(there, self._rng.choice(["released", "mine", "../mine", ""])),
        }
        return kind, requests[kind]

    def line(self, number: int, request: protocol.Fields) -> tuple[bytes, bool]:
        """A request as a line, and whether it was made hostile: a field of another value, another method, or none."""
        if self._rng.random() > _HOSTILE:
            return protocol.encode_request(number, request), False
        params = asdict(request)
        name = self._rng.choice([*params, "method"])
        value = self._rng.choice(VALUES)
        if name in _MUTABLE and self._rng.random() < 0.5:
            path = json.dumps(self._rng.choice(self._paths))
            value = f"[{path}]" if name == "motions" else path
        elif name in ("folder", "output") and value == '"x"':
            value = '"nowhere/x"'
        fields = {item: json.dumps(known) for item, known in params.items()}
        method = json.dumps(request.method)  # type: ignore[attr-defined]
        if name == "method":
            method = value
        else:
            fields[name] = value
        inside = ", ".join(f"{json.dumps(item)}: {known}" for item, known in fields.items())
        return f'{{"id": {number}, "method": {method}, "params": {{{inside}}}}}\n'.encode(), True

    @property
    def _portrait(self) -> str:
        return str(self._work / "small.png")

    @property
    def _sound(self) -> str:
        return str(self._work / "speech.wav")
