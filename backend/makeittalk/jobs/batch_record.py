"""What was made of which contents: by that a batch goes on where it was, and does nothing twice."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..exchange import storage
from ..exchange.errors import InputError
from ..exchange.formats.shots import Shot, is_weights_file
from ..exchange.shot_options import all_options
from ..exchange.version import VERSION
from ..weights import files as weights
from ..weights.released_folder import released_folder
from .batch_work import Made, StagedFile, Task

FORMAT = 1
_MAX_THUMBNAIL = 64 * 2**10


class FileSums:
    """SHA-256 of files, each read once while it stays as it is."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, int, int], str] = {}

    def of(self, path: Path) -> str:
        """The sum of a file.

        Raises:
            InputError: it cannot be read.
        """
        try:
            state = os.stat(path)
            name = (str(path), state.st_mtime_ns, state.st_size, state.st_ino)
            if name not in self._known:
                self._known[name] = storage.sha256(path)
            return self._known[name]
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the file.") from error


def key_of(shot: Shot, sums: FileSums, base: Path) -> str:
    """The SHA-256 of everything that a shot's files follow from: the bytes of what it is made from, what was chosen,
    the version, the sums of all weights; and of the names of its outputs, seen from `base` where they lie below it.

    Raises:
        InputError, MissingError: a file cannot be read, or there are no such weights.
    """
    options = all_options(shot.options)
    for name, path in shot.inputs().items():
        options[name] = sums.of(path)
    if (named := options["weights"]) and not is_weights_file(shot.options.get("weights")):
        folder = released_folder(named)
        options["weights"] = sums.of(folder / weights.SUMS) if folder else weights.fingerprint_of(named)
    value = {
        "version": VERSION,
        "weights": sums.of(weights.FOLDER / weights.SUMS),
        "name": shot.portrait.stem,  # of the character in a .blend
        "options": options,
        "outputs": [seen_from(base, path) for path in shot.outputs],
    }
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def seen_from(base: Path, path: Path) -> str:
    """A path as the list would write it: relative to its folder where it lies below it."""
    path = Path(os.path.normpath(path))
    return (path.relative_to(base) if path.is_relative_to(base) else path).as_posix()


@dataclass(frozen=True)
class Records:
    """The records of one batch.

    Attributes:
        folder: a file a finished shot, called by its key. sums: of files.
    """

    folder: Path
    sums: FileSums

    def find(self, key: str, shot: Shot) -> Made | None:
        """What was made of a shot, where it was and all its files are still what they were; else None."""
        try:
            made = _made(storage.read_json(self.folder / f"{key}.json"), shot)
            whole = all(
                file.path.stat().st_size == file.size and self.sums.of(file.path) == file.sha256 for file in made.files
            )
        except (InputError, OSError, KeyError, TypeError, ValueError, AttributeError, OverflowError):
            return None  # nobody has made it, or something has happened to it: it is made again
        return made if whole else None

    def keep(self, task: Task, made: Made) -> None:
        """Writes down what was made; its files are in their places already.

        Raises:
            OutputError: it cannot be written.
        """
        files = [
            {"path": str(path), "size": file.size, "sha256": file.sha256}
            for path, file in zip(task.shot.outputs, made.files, strict=True)
        ]
        value = {
            "format": FORMAT,
            "files": files,
            "seconds": round(made.seconds, 3),
            "speech": round(made.speech, 3),
            "fps": made.fps,
            "frames": made.frames,
            "memory": made.memory,
            "notices": made.notices,
            "thumbnail": base64.b64encode(made.thumbnail).decode(),
        }
        storage.write_json(self.folder / f"{task.key}.json", value)


def _made(value: dict[str, Any], shot: Shot) -> Made:
    """Anything else than a record raises KeyError, TypeError or ValueError."""
    if value["format"] != FORMAT or len(value["files"]) != len(shot.outputs):
        raise ValueError("another shot's")
    files = [
        StagedFile(path, int(file["size"]), str(file["sha256"]))
        for path, file in zip(shot.outputs, value["files"], strict=True)
    ]
    seconds, speech, fps = float(value["seconds"]), float(value["speech"]), float(value["fps"])
    notices, thumbnail = value["notices"], str(value["thumbnail"])
    if not all(map(math.isfinite, (seconds, speech, fps))) or not isinstance(notices, list):
        raise ValueError("no numbers")
    if len(thumbnail) > _MAX_THUMBNAIL:
        raise ValueError("no thumbnail")
    try:
        picture = base64.b64decode(thumbnail, validate=True)
    except binascii.Error as error:
        raise ValueError("no thumbnail") from error
    told = [str(notice) for notice in notices]
    return Made(files, seconds, speech, fps, int(value["frames"]), int(value["memory"]), told, picture)
