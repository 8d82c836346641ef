"""A face in motion as tables that other programs read: the CSV of Epic's Live Link Face, and JSON.

Live Link Face's file has a row a frame: a timecode, the number 61, ARKit's 52 blend shapes in the app's own order, and
nine angles. The angles are radians about ARKit's axes as the viewer sees the face (x right, y up, z towards her): the
app's makers publish no unit, and programs that read the file scale them as their user says. What the file has no column
for (the keys that only refine, where the head is) is in the JSON alone.
"""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import storage
from ..constants import MAX_AUDIO_SECONDS
from ..errors import InputError
from ..rates import HIGHEST, exact_rate

_SHAPES = (
    *("EyeBlinkLeft", "EyeLookDownLeft", "EyeLookInLeft", "EyeLookOutLeft", "EyeLookUpLeft", "EyeSquintLeft"),
    *("EyeWideLeft", "EyeBlinkRight", "EyeLookDownRight", "EyeLookInRight", "EyeLookOutRight", "EyeLookUpRight"),
    *("EyeSquintRight", "EyeWideRight", "JawForward", "JawRight", "JawLeft", "JawOpen", "MouthClose", "MouthFunnel"),
    *("MouthPucker", "MouthRight", "MouthLeft", "MouthSmileLeft", "MouthSmileRight", "MouthFrownLeft"),
    *("MouthFrownRight", "MouthDimpleLeft", "MouthDimpleRight", "MouthStretchLeft", "MouthStretchRight"),
    *("MouthRollLower", "MouthRollUpper", "MouthShrugLower", "MouthShrugUpper", "MouthPressLeft", "MouthPressRight"),
    *("MouthLowerDownLeft", "MouthLowerDownRight", "MouthUpperUpLeft", "MouthUpperUpRight", "BrowDownLeft"),
    *("BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight", "CheekPuff", "CheekSquintLeft"),
    *("CheekSquintRight", "NoseSneerLeft", "NoseSneerRight", "TongueOut"),
)
_HEAD = ("HeadYaw", "HeadPitch", "HeadRoll")
_EYES = ("LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll", "RightEyeYaw", "RightEyePitch", "RightEyeRoll")
#: The columns of Live Link Face's file.
HEADER = ("Timecode", "BlendshapeCount", *_SHAPES, *_HEAD, *_EYES)
#: The keys of the JSON's head.
HEAD_COLUMNS = ("headPitch", "headYaw", "headRoll", "headX", "headY", "headZ")
_MOST_FRAMES = 4 * 3600 * 30  # of a take: some 200 MB of numbers, and 300 MB of text
_LONGEST_LINE = 2**16  # letters; one of the app's has 600
_RATES = (24, 25, 30, 48, 50, 60, 120, HIGHEST)  # frames/s that clocks count
_LONGEST_CLOCK = 1000.0  # of hours, minutes, seconds and frames


@dataclass
class MotionTable:
    """A face on the frames of a scene.

    Attributes:
        fps: frames/s. first: the number of the first frame, counted from 0 at the beginning of time.
        names: (K,) shape keys. values: (N, K) what they are.
        head_rotation: (N, 3) rad about x right, y down, z away from the viewer, as `Motion.head_rotation`.
        head_shift: (N, 3) along the same axes, heights of the picture.
    """

    fps: float
    names: list[str]
    values: np.ndarray
    head_rotation: np.ndarray
    head_shift: np.ndarray
    first: int = 0

    @property
    def frames(self) -> int:
        return len(self.values)


def write_live_link(path: str | os.PathLike[str], table: MotionTable) -> None:
    """Writes the CSV of Live Link Face; shapes that the face lacks, and the eyes' angles, are 0.

    Raises:
        OutputError: it cannot be written.
    """
    known = {name.lower(): column for column, name in enumerate(table.names)}
    shapes = np.zeros((table.frames, len(_SHAPES)))
    for column, name in enumerate(_SHAPES):
        if name.lower() in known:
            shapes[:, column] = table.values[:, known[name.lower()]]
    pitch, yaw, roll = table.head_rotation.T * ((1.0,), (-1.0,), (-1.0,))
    angles = np.column_stack([yaw, pitch, roll, np.zeros((table.frames, len(_EYES)))])
    count = str(len(_SHAPES) + len(_HEAD) + len(_EYES))
    lines = [",".join(HEADER)]
    for frame, row in enumerate(np.column_stack([shapes, angles]).tolist(), table.first):
        lines.append(",".join([_timecode(frame, table.fps), count, *(f"{value:.6f}" for value in row)]))
    storage.write_text(path, "\n".join([*lines, ""]))


def read_live_link(path: str | os.PathLike[str], fps: float | None = None) -> MotionTable:
    """Reads a CSV of Live Link Face, of this project or of the app, whose clock skips frames and counts parts of them.

    Args:
        fps: the exact rate where its timecodes count as many whole frames a second; a file does not say 29.97.

    Returns:
        a row for each frame from the first to the last.

    Raises:
        InputError: it is no such file, or damaged.
    """
    rows = _rows(path)
    head = [name.strip().lower() for name in next(rows, [])]
    wanted = {name.lower(): name for name in (*_SHAPES, *_HEAD)}
    if head[:2] != _lower(HEADER[:2]) or not set(_lower(_HEAD)) <= set(head):
        raise _no_table(path)
    columns = {name: column for column, name in enumerate(head) if name in wanted}
    clock, numbers = _numbers(path, rows, list(columns.values()))
    if (
        not np.isfinite(clock).all()
        or not np.isfinite(numbers).all()
        or not 0.0 <= clock.min() <= clock.max() < _LONGEST_CLOCK
    ):
        raise InputError(f"{path} holds a number that is none of Live Link Face's.", "Export it again.")
    whole = _counted(clock[:, 3])
    at = (clock[:, :3] @ (3600, 60, 1)) * whole + clock[:, 3]
    at += np.cumsum(np.diff(at, prepend=at[0]) < -12 * 3600 * whole) * 24 * 3600 * whole  # past midnight
    if (np.diff(at) < 0.0).any() or at[-1] - at[0] > MAX_AUDIO_SECONDS * whole:
        raise InputError(f"{path} has timecodes that do not follow one another.", "Export it again.")
    if at[-1] - at[0] >= _MOST_FRAMES:
        raise _too_long(path)
    frames = np.arange(round(at[0]), round(at[-1]) + 1)
    tracks = dict(zip(columns, numbers.T, strict=True))
    yaw, pitch, roll = (np.interp(frames, at, tracks.pop(name)) for name in _lower(_HEAD))
    rotation = np.column_stack([pitch, -yaw, -roll])
    names = [wanted[name][0].lower() + wanted[name][1:] for name in tracks]
    values = np.empty((len(frames), len(names)))
    for column, track in enumerate(tracks.values()):
        values[:, column] = np.interp(frames, at, track)
    rate = fps if fps is not None and round(fps) == whole else float(whole)
    return MotionTable(rate, names, values, rotation, np.zeros_like(rotation), int(frames[0]))


def _rows(path: str | os.PathLike[str]) -> Iterator[list[str]]:
    """The cells of each line that holds something, read one after the other: hours of a take are large as text."""
    storage.check_file(path)
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as stream:
            while line := stream.readline(_LONGEST_LINE):
                if len(line) == _LONGEST_LINE:
                    raise _no_table(path)
                if line.strip():
                    yield line.split(",")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the file.") from error


def _numbers(
    path: str | os.PathLike[str], rows: Iterator[list[str]], columns: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """The timecodes (N, 4) and the numbers (N, len(columns)) of rows."""
    clock, numbers = array("d"), array("d")
    try:
        for count, row in enumerate(rows):
            if count >= _MOST_FRAMES:
                raise _too_long(path)
            hours, minutes, seconds, part = map(float, row[0].split(":"))
            clock.extend((hours, minutes, seconds, part))
            numbers.extend([float(row[column]) for column in columns])
    except (ValueError, IndexError) as error:
        raise InputError(f"{path} has a row that is none of Live Link Face's.", "Export it again.") from error
    if not clock:
        raise _no_table(path)
    return np.frombuffer(clock).reshape(-1, 4), np.frombuffer(numbers).reshape(-1, len(columns))


def _no_table(path: str | os.PathLike[str]) -> InputError:
    return InputError(f"{path} is no table of Live Link Face.", "Export one with the app, or with `-o x.csv`.")


def _too_long(path: str | os.PathLike[str]) -> InputError:
    return InputError(f"{path} is longer than {_MOST_FRAMES} frames.", "Cut it into several takes.")


def write_json(path: str | os.PathLike[str], table: MotionTable, more: dict[str, Any] | None = None) -> None:
    """Writes every column by its name: seconds, the head in degrees and shares of the picture's height, the keys.

    Args:
        more: what stands beside the frames.

    Raises:
        OutputError: it cannot be written.
    """
    seconds = (table.first + np.arange(table.frames)) / table.fps
    head = np.column_stack([np.degrees(table.head_rotation), table.head_shift])
    columns = {"seconds": seconds, **dict(zip(HEAD_COLUMNS, head.T, strict=True))}
    columns |= dict(zip(table.names, table.values.T, strict=True))
    frames = {name: np.round(column, 5).tolist() for name, column in columns.items()}
    value = {"format": 1, "fps": float(table.fps), "frames": frames, **(more or {})}
    storage.write_text(path, json.dumps(value, separators=(",", ":")) + "\n")


def _timecode(frame: int, fps: float) -> str:
    """Hours, minutes, seconds and frames at the whole number of frames next to a rate, as SMPTE counts (no drop)."""
    whole = round(exact_rate(fps))
    seconds, rest = divmod(frame, whole)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours % 24:02d}:{minutes:02d}:{seconds:02d}:{rest:02d}.000"


def _counted(frames: np.ndarray) -> int:
    """How many frames a second a clock counts, by the highest number that it came to, (N,)."""
    return next((rate for rate in _RATES if rate > int(frames.max())), _RATES[-1])


def _lower(names: tuple[str, ...]) -> list[str]:
    return [name.lower() for name in names]
