"""Outputs are checked before any work is spent on them, and appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..exchange.errors import OutputError


def check_file(path: Path, suffixes: Sequence[str]) -> None:
    """Refuses a file that could not be written.

    Args:
        path: where. suffixes: those that the command writes, in small letters.

    Raises:
        OutputError: unknown suffix, no folder, no right to write, or something there that is no file.
    """
    if path.suffix.lower() not in suffixes:
        known = " ".join(suffixes)
        raise OutputError(f"{path} has a suffix this command does not write.", f"It writes {known}.")
    check_parent(path)
    if path.is_dir():
        raise OutputError(f"{path} is a folder.", "Name a file to write.")
    if path.exists() and not path.is_file():
        raise OutputError(f"{path} is a device or a pipe.", "Name a file to write.")


def check_parent(path: Path) -> None:
    """Refuses a file or folder that could not be made where it is asked for.

    Raises:
        OutputError: its folder is missing or closed to writing.
    """
    folder = Path(os.path.realpath(path)).parent  # a link is followed to what it names
    if not folder.is_dir():
        raise OutputError(f"The folder of {path} does not exist.", "Make the folder or name another.")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{path} may not be written.", "Choose a folder you can write to.")


def check_apart(outputs: Iterable[Path | None], inputs: Iterable[str | Path | None]) -> None:
    """Refuses outputs that would replace what the command reads, or one another.

    A file under another name counts: through a symbolic or a hard link, and by another spelling of its path. A folder
    to write into may not be one that is read, nor hold a file that is read.

    Args:
        outputs: files and folders; those that are None were not asked for. inputs: the same; a text is a set of
            weights, by its name or a file's.

    Raises:
        OutputError: naming the two.
    """
    named = [(source, Path(source)) for source in inputs if source is not None]
    sources = [path for source, path in named if isinstance(source, Path) or path.is_file()]
    targets: list[Path] = []
    for target in outputs:
        if target is None:
            continue
        for source in sources:
            if _same(target, source):
                what = "what" if target == source else f"the same as {source}, which"
                raise OutputError(f"{target} is {what} this command reads.", "Name another place to write to.")
            if target.is_dir() and source.is_file() and _same(target, source.parent):
                raise OutputError(f"{target} holds {source}, which this command reads.", "Name another folder.")
        for other in targets:
            if _same(target, other):
                what = "asked for twice" if target == other else f"the same file as {other}"
                raise OutputError(f"{target} is {what}.", "Name each file to write once.")
        targets.append(target)


def _same(first: Path, second: Path) -> bool:
    try:
        return os.path.samefile(first, second)
    except OSError:  # one is not there yet, or may not be looked at
        return os.path.normcase(os.path.realpath(first)) == os.path.normcase(os.path.realpath(second))
