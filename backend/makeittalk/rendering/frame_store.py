"""A folder of finished frames that survives being killed: pictures written whole, and a record of what each shows."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np

from ..exchange import storage
from ..exchange.errors import InputError, OutputError
from ..images.decoding import opened

RECORD = "frames.jsonl"
FORMAT = 1
ASIDE = "frames.damaged.jsonl"
_MAX_RECORD = 256 * 2**20  # bytes; a frame takes about 90
_LONGEST_SUM = 128  # letters of a hash
_LEFT = 60.0  # s after which an unfinished picture belongs to nobody any more
_END = b"IEND\xaeB`\x82"  # what a whole PNG ends with
_QUICK = [cv2.IMWRITE_PNG_COMPRESSION, 1]  # a third larger than 6, several times faster


@dataclass(frozen=True)
class Shown:
    """What a frame shows.

    Attributes:
        character: hash of everything that the frames of a run share: portrait, mesh, weights.
        vertices: hash of the frame's own vertices.
    """

    character: str
    vertices: str


class FrameStore:
    """Frames `photoreal_00001.png` … of a folder, numbered as the scene's; use it in a `with` block.

    Attributes:
        folder: where they are. notices: sentences for the user.

    Beside them `frames.jsonl` has a line for every finished frame, appended once its picture is in place: whoever is
    killed in between draws that frame again, and no picture that is there by half is ever taken for finished.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """
        Args:
            folder: where the frames are; it is made if only it is missing.

        Raises:
            OutputError: it cannot be made or written.
        """
        self.folder = Path(folder)
        self._record = self.folder / RECORD
        if self.folder.exists() and not self.folder.is_dir():
            raise OutputError(f"{self.folder} is a file.", "Name a folder for the frames.")
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise storage.output_error(self.folder, error) from error
        self.notices: list[str] = []
        self._known = self._read()
        self._tidy()
        # Written anew: what a killed run left unfinished at the end would spoil the first line that is added.
        with storage.replacing(self._record) as temporary:
            lines = [json.dumps({"format": FORMAT})]
            lines += [_line(number, shown) for number, shown in sorted(self._known.items())]
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
        try:
            self._stream = open(self._record, "ab", buffering=0)  # noqa: SIM115  (closed by `close`)
        except OSError as error:
            raise storage.output_error(self._record, error) from error

    def path(self, number: int) -> Path:
        """Where the picture of a frame is; 0 and later, for Blender's sequences know no other."""
        return self.folder / f"photoreal_{number:05d}.png"

    def has(self, number: int, shown: Shown) -> bool:
        """Whether a frame is finished and shows just that."""
        return self._known.get(number) == shown and self._is_whole(number)

    def put(self, number: int, png: bytes, shown: Shown) -> None:
        """Writes a finished picture (see `encode`) and then its line.

        Raises:
            OutputError: the disk is full, or the folder is gone or closed to writing; other frames are as they were.
        """
        with storage.replacing(self.path(number)) as temporary:
            # The old picture is forgotten before it goes: were this run killed right after the exchange, the record
            # would otherwise still say that the old one is there.
            if self._known.pop(number, None) is not None:
                self._append(json.dumps({"frame": number}))
            temporary.write_bytes(png)
        self._append(_line(number, shown))
        self._known[number] = shown

    def stretch(self, first: int, last: int, character: str) -> tuple[int, int]:
        """The longest unbroken run of a character's finished frames around `first` … `last`, which are finished."""

        def there(number: int) -> bool:
            known = self._known.get(number)
            return known is not None and known.character == character and self._is_whole(number)

        while there(first - 1):
            first -= 1
        while there(last + 1):
            last += 1
        return first, last

    def hold(self, number: int) -> None:
        """Shows a frame before its time, too: Blender looks for the picture before a sequence's first one there.

        Raises:
            OutputError: the disk is full, or the folder is gone or closed to writing.
        """
        before = number - 1
        if number < 1 or (before in self._known and self._is_whole(before)):
            return
        with storage.replacing(self.path(before)) as temporary:
            shutil.copyfile(self.path(number), temporary)

    def read(self, number: int) -> np.ndarray:
        """The picture of a frame, (H, W, 3 or 4) uint8 RGB(A).

        Raises:
            InputError: it is gone or damaged.
        """
        path = self.path(number)
        storage.check_file(path)
        try:
            with opened(path) as pictures:
                picture = np.asarray(pictures.read().image)
        except InputError as error:
            raise InputError(f"{path} is damaged.", "Delete it and run again.") from error
        return picture[..., :3] if picture[..., 3].min() == 255 else picture

    def close(self) -> None:
        """Ends the record."""
        self._stream.close()

    def __enter__(self) -> FrameStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> dict[int, Shown]:
        """Frame → what it shows, of the record; nothing where it is missing, damaged or of another format."""
        if not self._record.is_file() or not self._record.stat().st_size:
            return {}
        known: dict[int, Shown] = {}
        try:
            for number, shown in storage.json_lines(self._record, _told, _MAX_RECORD):
                if number is None:
                    continue
                known.pop(number, None)
                if shown is not None:
                    known[number] = shown
        except _OtherFormat:
            return {}
        except InputError as error:
            aside = self._record.with_name(ASIDE)
            with contextlib.suppress(OSError):
                os.replace(self._record, aside)
            self.notices.append(f"{error.message} All frames are drawn anew; it was set aside as {aside.name}.")
            return {}
        return known

    def _tidy(self) -> None:
        """Removes the unfinished pictures that killed runs have left."""
        for left in self.folder.glob(".mit-*"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > _LEFT:
                    left.unlink()

    def _is_whole(self, number: int) -> bool:
        try:
            if not self.path(number).is_file():  # opening a pipe would wait for whoever writes to it
                return False
            with open(self.path(number), "rb") as stream:
                stream.seek(-len(_END), os.SEEK_END)
                return stream.read() == _END
        except OSError:
            return False

    def _append(self, line: str) -> None:
        try:
            self._stream.write(line.encode() + b"\n")
        except OSError as error:
            raise storage.output_error(self._record, error) from error


class _OtherFormat(Exception):
    """The record is of another version."""


def _told(line: Any) -> tuple[int | None, Shown | None]:
    """The frame and what it shows, in a line of the record; both None in the first, which tells the format.

    Raises:
        KeyError, TypeError, ValueError, OverflowError: it is no line of a record. _OtherFormat: of another version.
    """
    if "format" in line:
        if line["format"] != FORMAT:
            raise _OtherFormat
        return None, None
    number = int(line["frame"])
    if "vertices" not in line:
        return number, None
    shown = Shown(line["character"], line["vertices"])
    if not all(isinstance(value, str) and len(value) <= _LONGEST_SUM for value in (shown.character, shown.vertices)):
        raise ValueError("no sums")
    return number, shown


def encode(picture: np.ndarray) -> bytes:
    """A picture (H, W, 4) uint8 as PNG; one without transparency keeps no alpha.

    Raises:
        OutputError: it cannot be encoded.
    """
    opaque = int(picture[..., 3].min()) == 255
    colours = cv2.cvtColor(picture, cv2.COLOR_RGBA2BGR if opaque else cv2.COLOR_RGBA2BGRA)
    ok, data = cv2.imencode(".png", colours, _QUICK)
    if not ok:
        raise OutputError("A frame could not be encoded.", "Use a smaller portrait.")
    return data.tobytes()


def _line(number: int, shown: Shown) -> str:
    return json.dumps({"frame": number, **asdict(shown)})
