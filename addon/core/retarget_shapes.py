"""What a key does to the landmarks of a face where the target's own lips cannot be found. No bpy here.

ARKit's keys: the fixed set that every character of this project has, read from the file of weights beside the backend.
Visemes and units: composed of those, as the charts of their makers show them.
"""

from __future__ import annotations

import functools
import json
import struct
from pathlib import Path

import numpy as np

from .errors import AddonError

BASIS_FILE = Path(__file__).resolve().parents[2] / "backend" / "makeittalk" / "weights" / "basis.safetensors"
_MOUTH_WIDTH = 0.62  # of the mean face, canonical units: what the shapes are divided by
_MAX_HEADER = 2**20  # bytes

_SMILE = ("mouthSmileLeft", "mouthSmileRight")
_STRETCH = ("mouthStretchLeft", "mouthStretchRight")
_LOWER = ("mouthLowerDownLeft", "mouthLowerDownRight")
_UPPER = ("mouthUpperUpLeft", "mouthUpperUpRight")
_PRESS = ("mouthPressLeft", "mouthPressRight")


def _mix(jaw: float = 0.0, **parts: float) -> dict[str, float]:
    """ARKit's keys of a mouth; `smile` and the like stand for both sides."""
    pairs = {"smile": _SMILE, "stretch": _STRETCH, "lower": _LOWER, "upper": _UPPER, "press": _PRESS}
    found = {"jawOpen": jaw} if jaw else {}
    for name, value in parts.items():
        found.update(dict.fromkeys(pairs.get(name, (name,)), value))
    return found


_SHUT: dict[str, float] = _mix(press=0.3)
_TEETH = _mix(0.06, lower=0.3, upper=0.2, stretch=0.25)
_WIDE_OPEN = _mix(0.6, lower=0.25, upper=0.15)
_OPEN = _mix(0.3, lower=0.25, upper=0.2, stretch=0.15)
_SPREAD = _mix(0.12, lower=0.35, upper=0.25, smile=0.35, stretch=0.2)
_ROUND = _mix(0.35, mouthFunnel=0.55, mouthPucker=0.2)
_PUCKER = _mix(0.1, mouthFunnel=0.2, mouthPucker=0.8)
_LIP_BITTEN = _mix(0.04, mouthRollLower=0.5, upper=0.3)
_TONGUE_UP = _mix(0.22, lower=0.25, upper=0.15)
_FORWARD = _mix(0.08, mouthFunnel=0.5, lower=0.2, upper=0.2)

#: What a meaning is made of, by its identifier: ARKit's keys.
RECIPES: dict[str, dict[str, float]] = {
    **{"vrm:aa": _WIDE_OPEN, "vrm:ih": _SPREAD, "vrm:ou": _PUCKER, "vrm:ee": _OPEN, "vrm:oh": _ROUND},
    **{"vrm:mouthClose": _SHUT, "vrm:mouthSmall": _mix(mouthPucker=0.5), "vrm:mouthLarge": _mix(stretch=0.5)},
    **{"oculus:sil": {}, "oculus:PP": _SHUT, "oculus:FF": _LIP_BITTEN, "oculus:TH": _TONGUE_UP, "oculus:DD": _TEETH},
    **{"oculus:kk": _mix(0.15, lower=0.2, upper=0.1), "oculus:CH": _FORWARD, "oculus:SS": _TEETH},
    **{"oculus:nn": _mix(0.1, lower=0.2, upper=0.1), "oculus:RR": _mix(0.1, mouthFunnel=0.35, mouthPucker=0.15)},
    **{"oculus:aa": _WIDE_OPEN, "oculus:E": _OPEN, "oculus:ih": _SPREAD, "oculus:oh": _ROUND, "oculus:ou": _PUCKER},
    **{"rhubarb:A": _SHUT, "rhubarb:B": _TEETH, "rhubarb:C": _OPEN, "rhubarb:D": _WIDE_OPEN, "rhubarb:E": _ROUND},
    **{"rhubarb:F": _PUCKER, "rhubarb:G": _LIP_BITTEN, "rhubarb:H": _TONGUE_UP, "rhubarb:X": {}},
    **{"preston:AI": _WIDE_OPEN, "preston:E": _OPEN, "preston:O": _ROUND, "preston:U": _PUCKER, "preston:etc": _TEETH},
    **{"preston:FV": _LIP_BITTEN, "preston:L": _TONGUE_UP, "preston:MBP": _SHUT, "preston:rest": {}},
    "preston:WQ": _PUCKER,
    **{
        f"microsoft:{number}": shape
        for number, shape in enumerate(
            (
                *({}, _OPEN, _WIDE_OPEN, _ROUND, _OPEN, _FORWARD, _SPREAD, _PUCKER, _ROUND, _WIDE_OPEN, _ROUND),
                *(_WIDE_OPEN, _OPEN, _FORWARD, _TONGUE_UP, _TEETH, _FORWARD, _TONGUE_UP, _LIP_BITTEN, _TEETH, _TEETH),
                _SHUT,
            )
        )
    },
    "mpfb:mouth-open": _mix(1.0),
    "mpfb:mouth-protusion": _mix(mouthPucker=0.8),
    "mpfb:mouth-pursing": _mix(mouthPucker=0.6, press=0.3),
    "mpfb:mouth-compression": _mix(press=1.0),
    "mpfb:mouth-retraction": _mix(stretch=0.8),
    "mpfb:mouth-corner-puller": _mix(smile=1.0),
    "mpfb:mouth-depression": _mix(lower=1.0),
    "mpfb:mouth-depression-retraction": _mix(lower=0.8, stretch=0.5),
    "mpfb:mouth-elevation": _mix(upper=1.0),
    "mpfb:mouth-upward-retraction": _mix(upper=0.8, smile=0.4),
    "mpfb:mouth-eversion": _mix(mouthFunnel=0.6),
    "mpfb:mouth-parling": _mix(lower=0.3, upper=0.3),
    "mpfb:mouth-part-later": _mix(lower=0.3),
}

#: What a key besides the mouth follows: the mean of ARKit's curves.
FOLLOWED: dict[str, tuple[str, ...]] = {
    "vrm:blink": ("eyeBlinkLeft", "eyeBlinkRight"),
    "vrm:blinkLeft": ("eyeBlinkLeft",),
    "vrm:blinkRight": ("eyeBlinkRight",),
    "vrm:wide": ("eyeWideLeft", "eyeWideRight"),
    "vrm:browUp": ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    "vrm:browDown": ("browDownLeft", "browDownRight"),
    "vrm:lookUp": ("eyeLookUpLeft", "eyeLookUpRight"),
    "vrm:lookDown": ("eyeLookDownLeft", "eyeLookDownRight"),
    "vrm:lookLeft": ("eyeLookOutLeft", "eyeLookInRight"),
    "vrm:lookRight": ("eyeLookInLeft", "eyeLookOutRight"),
    **{
        f"mpfb:{part}-{side}-{how}": (key + side.capitalize() if key != "browInnerUp" else key,)
        for side in ("left", "right")
        for part, how, key in (
            ("eye", "closure", "eyeBlink"),
            ("eye", "opened-up", "eyeWide"),
            ("eye", "slit", "eyeSquint"),
            ("eyebrows", "down", "browDown"),
            ("eyebrows", "extern-up", "browOuterUp"),
            ("eyebrows", "inner-up", "browInnerUp"),
            ("nose", "elevation", "noseSneer"),
        )
    },
}

#: The landmarks that a bone of Rigify's face lies on: it goes where their mean goes. A bone that turns, the jaw's
#: master, is turned until the chin has gone there, before those of the lips are placed.
BONE_LANDMARKS: dict[str, tuple[int, ...]] = {
    **{"rigify:jaw_master": (8,), "rigify:chin": (8,), "rigify:lip.T": (51, 62), "rigify:lip.B": (57, 66)},
    **{"rigify:lip.T.L.001": (52, 63), "rigify:lip.B.L.001": (56, 65), "rigify:lips.L": (54, 64)},
    **{"rigify:lip.T.R.001": (50, 61), "rigify:lip.B.R.001": (58, 67), "rigify:lips.R": (48, 60)},
    **{"rigify:brow.T.L.001": (25,), "rigify:brow.T.L.002": (24,), "rigify:brow.T.L.003": (22,)},
    **{"rigify:brow.T.R.001": (18,), "rigify:brow.T.R.002": (19,), "rigify:brow.T.R.003": (21,)},
    **{"rigify:lid.T.L.002": (43, 44), "rigify:lid.B.L.002": (46, 47)},
    **{"rigify:lid.T.R.002": (37, 38), "rigify:lid.B.R.002": (40, 41)},
}


@functools.cache
def canonical_shapes(path: Path = BASIS_FILE) -> tuple[tuple[str, ...], np.ndarray]:
    """ARKit's keys: their names (K,) and what they do to the landmarks at 1, (K, 68, 3) mouth widths, frontal frame.

    Raises:
        AddonError: the file is missing or damaged.
    """
    try:
        with path.open("rb") as stream:
            (size,) = struct.unpack("<Q", stream.read(8))
            if size > _MAX_HEADER:
                raise ValueError(size)
            header = json.loads(stream.read(size))
            entry = header["named"]
            start, end = entry["data_offsets"]
            stream.seek(8 + size + start)
            kind = {"F16": np.float16, "F32": np.float32, "F64": np.float64}[entry["dtype"]]
            named = np.frombuffer(stream.read(end - start), kind).reshape(entry["shape"]).astype(np.float64)
            names = tuple(json.loads(header["__metadata__"]["names"]))[: len(named)]
        if named.shape != (len(names), 68, 3):
            raise ValueError(named.shape)
    except (OSError, KeyError, TypeError, ValueError, struct.error) as error:
        raise AddonError(
            f"The shape-key basis {path.name} is missing or damaged.", "Install the add-on again."
        ) from error
    return names, named / _MOUTH_WIDTH


def shape_of(meaning: str) -> np.ndarray | None:
    """What a meaning does to the landmarks at 1, (68, 3) mouth widths; None for one that is no shape of the mouth."""
    names, shapes = canonical_shapes()
    vocabulary, _, name = meaning.partition(":")
    recipe = {name: 1.0} if vocabulary == "arkit" else RECIPES.get(meaning)
    if recipe is None or not set(recipe) <= set(names):
        return None
    return np.asarray(sum((value * shapes[names.index(key)] for key, value in recipe.items()), np.zeros((68, 3))))
