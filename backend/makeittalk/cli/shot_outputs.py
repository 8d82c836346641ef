"""Outputs of many shots are checked before any is made: each can be written, and none is another's or read by one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from ..exchange.errors import MakeItTalkError, OutputError
from ..exchange.formats.shots import Problem, Shot, ShotList
from ..exchange.shot_options import SUFFIXES
from .output import check_file

Identity = tuple[int, int] | str


def check_outputs(shots: ShotList, kept: Iterable[Path] = (), blender: Callable[[], object] = lambda: None) -> ShotList:
    """The list without the shots whose outputs cannot be written, those told as problems.

    Args:
        kept: further files and folders that nothing may be written to or into.
        blender: raises where no .blend can be written.
    """
    read = {_identity(file): file for shot in shots.shots for file in shot.inputs().values()}
    read |= {_identity(path): path for path in kept}
    written: dict[Identity, tuple[Path, int]] = {}
    good, problems = [], list(shots.problems)
    for shot in shots.shots:
        try:
            _check(shot, read, written, blender)
        except MakeItTalkError as error:
            outputs = "; ".join(map(str, shot.outputs))
            problems.append(Problem(shot.line, str(error), str(shot.portrait), str(shot.audio), outputs))
        else:
            good.append(shot)
    return ShotList(shots.path, good, problems)


def _check(
    shot: Shot,
    read: dict[Identity, Path],
    written: dict[Identity, tuple[Path, int]],
    blender: Callable[[], object],
) -> None:
    """Sees to it that a shot's outputs can be written, and remembers them.

    Raises:
        OutputError, MissingError: one cannot.
    """
    own: dict[Identity, tuple[Path, int]] = {}
    for output in shot.outputs:
        check_file(output, SUFFIXES)
        if output.suffix.lower() == ".blend":
            blender()
        identity = _identity(output)
        for place in (identity, *map(_identity, output.absolute().parents)):
            if place in read:
                same = read[place] == output
                what = "which is" if same else f"which is or lies in {read[place]},"
                raise OutputError(f"It writes {output}, {what} read or kept by this batch.", "Name another output.")
        if identity in own or identity in written:
            line = written[identity][1] if identity in written else shot.line
            where = "twice" if line == shot.line else f", and so does line {line}"
            raise OutputError(f"It writes {output} {where}.".replace(" ,", ","), "Name each output once.")
        own[identity] = (output, shot.line)
    written.update(own)


def _identity(path: Path) -> Identity:
    """What tells a file from another, whatever it is called: device and number, else where it would be."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return os.path.normcase(os.path.realpath(path))
    return (found.st_dev, found.st_ino)
