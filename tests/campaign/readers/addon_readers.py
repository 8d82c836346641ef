"""Readers of Blender's side that need no Blender."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import samples
from extension import part_outside
from reader import Reader

_core = {
    name: part_outside(f"addon.core.{name}")
    for name in (
        *("errors", "doctor", "installation", "payload", "pip_progress", "pip_run", "pip_wheel", "placed_face"),
        *("privacy", "pythons", "report", "retarget_names", "retarget_preset", "retarget_shapes"),
    )
}
_locks = part_outside("backend.makeittalk.exchange.locks")
_wheels = part_outside("backend.makeittalk.exchange.wheels")
TYPED = (part_outside("backend.makeittalk.exchange.errors").MakeItTalkError,)


def _one(name: str, content: bytes | str) -> Callable[[Path], dict[str, bytes]]:
    data = content.encode() if isinstance(content, str) else content
    return lambda _folder: {name: data}


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


def _marker(path: Path) -> object:
    return _core["installation"].Installation(path.parent.parent, "id").read().python != ""


def _answer() -> str:
    return json.dumps([[3, 11], "linux", "x86_64", True, True, True, True, "/usr/bin/python3.11"])


def _understood(path: Path) -> object:
    found = _core["pythons"].understood(_text(path), path)
    return found is not None and found.fits


def _said(path: Path) -> object:
    doctor, text = _core["doctor"], _text(path)
    return doctor.fault(text), doctor.praise(text)


def _pip_said(path: Path) -> object:
    """What pip prints, as the installer hears it."""
    lines = _text(path).splitlines()
    lock = _locks.Lock(path, (("numpy", "1"),), 1000, 2000)
    progress = _core["pip_progress"].PipProgress(path.parent, lock, _locks.BUILDS[0], lambda _share, _stage: None)
    progress.begin("packages")
    for line in lines:
        progress.heard(line)
        progress.look()
    return _core["pip_run"].failure(lines, {"network": "n", "proxy": "p", "elsewhere": "e"})


def _wheel_names(path: Path) -> object:
    lock = _locks.Lock(path, (("numpy", "1.26.4"),), 0, 0)
    names = [line for line in _text(path).split() if line]
    return [_wheels._usable(name, (3, 11), "linux-x86_64") for name in names], lock


def _pip_wheel(path: Path) -> object:
    folder = path.parent
    place = _core["installation"].Installation(folder, "id")
    tools = _core["pip_wheel"].Tools(place, folder / "locks", folder, None, {}, None, threading.Event(), {})
    return tools._pip_wheel() is not None


def _wheels_folder(folder: Path) -> dict[str, bytes]:
    content = b"PK a wheel"
    (folder / "locks").mkdir(exist_ok=True)
    (folder / "locks" / "pip.txt").write_text(f"pip==25.0 --hash=sha256:{hashlib.sha256(content).hexdigest()}\n")
    return {"pip-25.0-py3-none-any.whl": content}


def _placed() -> str:
    points = samples.mesh_arrays(9, 10)
    landmarks = np.round(points["vertices"][points["landmark_vertices"]], 3).tolist()
    value = {"width": 120, "height": 160, "landmarks": landmarks, "irises": [[1, 2, 3], [4, 5, 6]]}
    return json.dumps(value | {"detector": "hand", "confidence": 1.0})


def _kept_face(path: Path) -> object:
    return _core["placed_face"].from_text(_text(path))


def _preset() -> str:
    rows = [{"target": "A", "meaning": "arkit:jawOpen", "gain": 1.0, "offset": 0.0, "on": True}] * 2
    head = {"bone": "head", "turn": 1.0, "move": 0.0, "forward": "AUTO", "up": "AUTO"}
    return json.dumps({"format": 1, "kind": "makeittalk retarget", "rows": rows, "head": head})


def _basis(_folder: Path) -> dict[str, bytes]:
    return {"basis.safetensors": _core["retarget_shapes"].BASIS_FILE.read_bytes()}


def _canonical(path: Path) -> object:
    return _core["retarget_shapes"].canonical_shapes.__wrapped__(path)


def _payload(path: Path) -> None:
    _core["payload"].unpack(_text(path), path.with_suffix(".npz"))


def _keys(path: Path) -> object:
    """Names of keys and bones, as somebody else's character has them."""
    names = _text(path).split()[:300]
    return _core["retarget_names"].match(names), _core["retarget_names"].match(names, bones=True)


def _report(path: Path) -> object:
    scrubber = _core["privacy"].Scrubber(_HOME, ["ada"], ["portrait.png"])
    return _core["report"].compose({"Log": _core["report"].tail(path)}, scrubber.scrub)


_FINDINGS = '[{"name": "torch", "ok": true, "needed": true, "finding": "2.13"}, {"name": "a"}]'
_DOCTOR = f'{{\n "ok": false,\n "findings": {_FINDINGS}}}'
_PIP = (
    "Progress 12 of 3400\nDownloading numpy-1.26.4-cp311.whl (12.5 MB)\nProcessing ./torch-2.whl\n"
    "Using cached a-1.whl (1.0 kB)\nInstalling collected packages: numpy, torch\n"
    "ERROR: No matching distribution found\n"
)
_INSTALLED = '{"product": "1.0", "python": "3.11", "build": "cpu", "disk": 5, "seconds": 1.5}'
_HOME = "/ho" + "me/ada"
_LOG = f"Error in {_HOME}/film/portrait.png at https://example.org/x?y=z\nC:\\Users\\ada\\speech.wav not found\n"
_NAMES = "jawOpen Fcl_MTH_A blendShape1.mouthSmile_L A I U E O vrc.v_aa Jaw_Open head mixamorig:Jaw DEF-jaw lip.T.L"
_WHEELS = "numpy-1.26.4-cp311-cp311-manylinux_2_28_x86_64.whl a-1-py3-none-any.whl b-2-1-cp39-abi3-win_amd64.whl"

READERS = (
    Reader(
        "installed.json",
        _one("env-id/installed.json", _INSTALLED),
        _marker,
        (),
        "json",
        2500,
    ),
    Reader("python's answer", _one("answer.json", _answer()), _understood, (), "json", 2500),
    Reader("doctor's answer", _one("doctor.json", _DOCTOR), _said, (), "json", 2500),
    Reader("pip's output", _one("pip.log", _PIP), _pip_said, (), "words", 1500),
    Reader("wheel names", _one("names.txt", _WHEELS), _wheel_names, (), "words", 1500),
    Reader("pip's wheel", _wheels_folder, _pip_wheel, ()),
    Reader("placed landmarks", _one("placed.json", _placed()), _kept_face, TYPED, "json", 3000),
    Reader("retarget preset", _one("preset.json", _preset()), _core["retarget_preset"].load, TYPED, "json", 3000),
    Reader("retarget shapes", _basis, _canonical, TYPED, "safetensors", 800),
    Reader("retarget names", _one("names.txt", _NAMES), _keys, (), "words", 600),
    Reader("payload", _one("payload.txt", base64.b64encode(bytes(300))), _payload, TYPED, "words", 1000),
    Reader("report", _one("makeittalk.log", _LOG), _report, (), "words", 800),
)
