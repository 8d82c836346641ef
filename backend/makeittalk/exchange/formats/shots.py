"""Lists of shots: a CSV file with a line a shot, read strictly and within bounds.

The first line names the columns: `portrait`, `audio`, `output`, and any option of `makeittalk animate`. Paths are
relative to the list's folder. A line that cannot be used becomes a `Problem`; the others are unharmed by it.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import storage
from ..errors import InputError, MakeItTalkError
from ..shot_options import OPTIONS
from .face import Face

MAX_BYTES = 16 * 2**20  # of a list
MAX_SHOTS = 100_000
MAX_CELL = 4096  # characters
MAX_OUTPUTS = 16  # of one shot
_MAKE = ("portrait", "audio")
_COLUMNS = (*_MAKE, "output", *(option.name for option in OPTIONS.values() if option.column))


@dataclass(frozen=True)
class Shot:
    """One shot.

    Attributes:
        line: of the list, from 1, on which it stands. portrait: a picture. audio: a recording.
        outputs: files to write. options: what was chosen, by the names of `shot_options.OPTIONS`.
    """

    line: int
    portrait: Path
    audio: Path
    outputs: tuple[Path, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    def inputs(self) -> dict[str, Path]:
        """Every file that it is made from, by what it is."""
        files = {"portrait": self.portrait, "audio": self.audio}
        files |= {name: self.options[name] for name in ("landmarks", "voice") if self.options.get(name)}
        weights = str(self.options.get("weights") or "")
        return files | ({"weights": Path(weights)} if is_weights_file(weights) else {})


@dataclass(frozen=True)
class Problem:
    """A line that cannot be used: its number from 1, what it says of portrait and audio, and why, in a sentence."""

    line: int
    sentence: str
    portrait: str = ""
    audio: str = ""
    output: str = ""


@dataclass
class ShotList:
    """What a list holds, in its order."""

    path: Path
    shots: list[Shot] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_shots(path: str | os.PathLike[str], with_outputs: bool = True) -> ShotList:
    """Reads a list and looks whether every file that it names is there.

    Args:
        path: the list. with_outputs: whether each shot has to name files to write; where not, they are left out.

    Raises:
        InputError: it cannot be read at all, or its columns are not those of a list of shots.
    """
    source = Path(path)
    rows = _rows(source, _text(source))
    columns: list[str] | None = None
    found = ShotList(source)
    for line, row in rows:
        if len(found.shots) + len(found.problems) >= MAX_SHOTS:
            raise InputError(f"{source} has more than {MAX_SHOTS} shots.", "Make several lists of it.")
        if isinstance(row, Problem):
            if columns is None:
                raise InputError(f"{source} is no list of shots: {row.sentence}", "Save it as CSV, a line a shot.")
            found.problems.append(row)
        elif columns is None:
            columns = _columns(source, row, with_outputs)
        else:
            _take(found, source.absolute().parent, columns, line, row, with_outputs)
    if columns is None:
        raise InputError(f"{source} is empty.", f"Its first line names columns: {', '.join(_COLUMNS[:3])} …")
    return found


def _take(found: ShotList, folder: Path, columns: list[str], line: int, row: list[str], with_outputs: bool) -> None:
    cells = dict(zip(columns, (cell.strip() for cell in row), strict=False))
    try:
        if len(row) != len(columns):
            raise InputError(f"It has {len(row)} fields where the first line has {len(columns)}.", "Add or quote some.")
        found.shots.append(_shot(folder, cells, line, with_outputs))
    except MakeItTalkError as error:
        said = {name: cells.get(name, "")[:MAX_CELL] for name in ("portrait", "audio", "output")}
        found.problems.append(Problem(line, str(error), **said))


def _text(path: Path) -> str:
    try:
        return storage.read_bytes(path, MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text.", "Save it as CSV in UTF-8.") from error


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str] | Problem]]:
    """The lines that hold something, each with the number it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            sentence = f"It cannot be read as CSV ({error}); look for a quotation mark that is not closed."
            yield line, Problem(line, sentence)
            continue
        if any(cell.strip() for cell in row):
            yield line, row


def _columns(path: Path, row: Sequence[str], with_outputs: bool) -> list[str]:
    names = [cell.strip().lower().replace("-", "_") for cell in row]
    names = ["output" if name == "outputs" else name for name in names]
    if len(names) == 1 and ";" in names[0]:
        raise InputError(f"{path} is separated by semicolons.", "Separate its columns by commas.")
    unknown = [name[:40] or "(empty)" for name in names if name not in _COLUMNS]
    if unknown:
        what = "a column that is" if len(unknown) == 1 else "columns that are"
        kept = [name for name in unknown if name in OPTIONS]
        hint = f"Name {kept[0]} on the command line." if kept else f"There are: {', '.join(_COLUMNS)}."
        raise InputError(f"{path} has {what} not known: {', '.join(unknown[:20])}.", hint)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{path} has the column {twice[0]} twice.", "Leave one of them.")
    for name in (*_MAKE, "output") if with_outputs else _MAKE:
        if name not in names:
            raise InputError(f"{path} has no column {name}.", f"Its first line names columns: {', '.join(names)}.")
    return names


def _shot(folder: Path, cells: Mapping[str, str], line: int, with_outputs: bool) -> Shot:
    """The shot of one line.

    Raises:
        InputError: something of it cannot be used.
    """
    for name, text in cells.items():
        if len(text) > MAX_CELL or any(ord(letter) < 32 for letter in text):
            raise InputError(f"What it says of {name} is too long or holds control characters.", "Correct the line.")
    for name in _MAKE:
        if not cells[name]:
            raise InputError(f"It names no {name}.", f"Fill in the column {name}.")
    options: dict[str, Any] = {}
    for name, option in OPTIONS.items():
        if text := cells.get(name, ""):
            try:
                options[name] = option.value(text)
            except ValueError as error:
                raise InputError(f"Its {name} cannot be used: {error}.", f"Correct the column {name}.") from error
    for name in ("landmarks", "voice"):
        if name in options:
            options[name] = folder / options[name]
    weights = options.get("weights")
    if weights and (is_weights_file(weights) or "/" in weights or os.sep in weights):  # else the name of a set
        options["weights"] = str(folder / weights)
    portrait = folder / cells["portrait"]
    if portrait.suffix.lower() == ".json":
        if "landmarks" in options:
            raise InputError("Its portrait is a face.json and it names landmarks, too.", "Name the picture itself.")
        options["landmarks"] = portrait
        portrait = Face.load(portrait).image
    elif "landmarks" in options:
        Face.load(options["landmarks"])
    outputs = tuple(folder / name for text in cells.get("output", "").split(";") if (name := text.strip()))
    if with_outputs and not outputs:
        raise InputError("It names no output.", "Fill in the column output.")
    if len(outputs) > MAX_OUTPUTS:
        raise InputError(f"It names more than {MAX_OUTPUTS} outputs.", "Make several lines of it.")
    shot = Shot(line, portrait, folder / cells["audio"], outputs if with_outputs else (), options)
    for file in shot.inputs().values():
        storage.check_file(file)
    return shot


def is_weights_file(weights: str | None) -> bool:
    """Whether weights are named by a file of somebody's own."""
    return weights is not None and weights.endswith(".safetensors")
