"""A retarget's list as a file that can be shared: JSON, `format: 1`. No bpy here.

{"format": 1, "kind": "makeittalk retarget",
 "rows": [{"target": "A", "meaning": "jawOpen", "gain": 1.0, "offset": 0.0, "on": true}, …],
 "head": {"bone": "head", "turn": 1.0, "move": 0.0, "forward": "AUTO", "up": "AUTO"}}
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...backend.makeittalk.exchange import bounded_json, storage
from .errors import AddonError
from .head_axes import AXES

KIND = "makeittalk retarget"
SUFFIX = ".json"
MAX_BYTES = 2**20  # a thousand rows are a tenth of it
MAX_ROWS = 2000
MAX_NAME = 255  # letters; Blender's own names hold 63 or 255 bytes
HIGHEST = 10.0  # of gains and offsets, either way
_AGAIN = "Save the preset again, or choose another file."


@dataclass
class Row:
    """What moves one key or bone of the target.

    Attributes:
        target: its name. meaning: what of ours moves it. gain, offset: value × gain + offset. on: whether it moves.
    """

    target: str
    meaning: str
    gain: float = 1.0
    offset: float = 0.0
    on: bool = True


@dataclass
class Head:
    """Where the head's motion goes: the bone's name (empty for none), gains of its turns and of its place, the axes."""

    bone: str = ""
    turn: float = 1.0
    move: float = 0.0
    forward: str = "AUTO"
    up: str = "AUTO"


@dataclass
class Preset:
    rows: list[Row] = field(default_factory=list)
    head: Head = field(default_factory=Head)


def save(path: Path, preset: Preset) -> None:
    """Writes a preset.

    Raises:
        OutputError: the file cannot be written.
    """
    rows = [asdict(row) for row in preset.rows]
    value = {"format": 1, "kind": KIND, "rows": rows, "head": asdict(preset.head)}
    storage.write_text(path, json.dumps(value, indent=1) + "\n")


def load(path: Path) -> Preset:
    """Reads a preset; whatever it says is checked.

    Raises:
        AddonError: it cannot be read, is no preset, or says what none can say.
    """
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size > MAX_BYTES:
                raise AddonError(f"{path.name} is too large for a preset.", _AGAIN)
            text = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise AddonError(f"{path.name} cannot be read.", "Choose another file.") from error
    if len(text) > MAX_BYTES:
        raise AddonError(f"{path.name} is too large for a preset.", _AGAIN)
    try:
        value = bounded_json.loads(text)
    except ValueError as error:
        raise AddonError(f"{path.name} is no JSON.", _AGAIN) from error
    if not isinstance(value, dict) or value.get("kind") != KIND:
        raise AddonError(f"{path.name} is no preset of Retarget.", "Choose another file.")
    if value.get("format") != 1 or isinstance(value.get("format"), bool):
        raise AddonError(f"{path.name} is of a newer version.", "Update the extension.")
    try:
        rows = value["rows"]
        if not isinstance(rows, list) or len(rows) > MAX_ROWS:
            raise ValueError(f"its rows are no list of at most {MAX_ROWS}")
        return Preset([_row(item) for item in rows], _head(value.get("head", {})))
    except KeyError as error:
        raise AddonError(f"{path.name} is no preset of Retarget: {error.args[0]} is missing.", _AGAIN) from error
    except ValueError as error:
        raise AddonError(f"{path.name} is no preset of Retarget: {error}.", _AGAIN) from error


def _row(item: Any) -> Row:
    if not isinstance(item, dict):
        raise ValueError("a row is no object")
    on = item.get("on", True)
    if not isinstance(on, bool):
        raise ValueError("'on' is neither true nor false")
    target = _text(item["target"], "target")
    if not target:
        raise ValueError("a row names no target")
    return Row(target, _text(item["meaning"], "meaning"), _number(item, "gain", 1.0), _number(item, "offset", 0.0), on)


def _head(item: Any) -> Head:
    if not isinstance(item, dict):
        raise ValueError("'head' is no object")
    forward, up = (_text(item.get(name, "AUTO"), name) for name in ("forward", "up"))
    if not {forward, up} <= {"AUTO", *AXES}:
        raise ValueError("'forward' or 'up' is no axis")
    return Head(
        _text(item.get("bone", ""), "bone"), _number(item, "turn", 1.0), _number(item, "move", 0.0), forward, up
    )


def _text(value: Any, name: str) -> str:
    """A name: printable, so that it can be read in a list."""
    if not isinstance(value, str) or len(value) > MAX_NAME or not value.isprintable():
        raise ValueError(f"{name!r} is no name")
    return value


def _number(item: dict[str, Any], name: str, usual: float) -> float:
    value = item.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= HIGHEST:
        raise ValueError(f"{name!r} is no number from -{HIGHEST:g} to {HIGHEST:g}")
    return float(value)
