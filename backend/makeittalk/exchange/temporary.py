"""Temporary files and folders, whose names tell who made them, so that nobody's litter stays. Standard library only.

    TEMP/makeittalk-OWNER-XXXXXXXX        a folder that nobody else may look into
    FOLDER/.mit-OWNER-XXXXXXXXXXXX.png    beside what it is to become

Whoever made one removes it, at the latest when the process ends. What a killed process has left goes with the next
`sweep`, or with the next file that is written into that folder: never anything of another user or behind a link, and
nothing whose owner (`owner.mine`) may still run.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from . import owner

FOLDERS = "makeittalk-"  # what names of temporary folders begin with
BESIDE = ".mit-"  # what names of files and folders begin with that are to become something beside them
_FOLDER = re.compile(rf"{FOLDERS}({owner.PATTERN})-\w{{8}}")
_BESIDE = re.compile(rf"{re.escape(BESIDE)}({owner.PATTERN})-[0-9a-f]{{12}}(?![0-9a-f]).*", re.DOTALL)
_AGAIN = 30.0  # s until the same folder is looked through again: frames are written by the hundred
_MOST = 64  # folders whose last look is remembered

_made: dict[Path, int] = {}  # folders that are still there, and the process that made each: a fork is another
_looked: dict[str, float] = {}  # when which folder was looked through


def new_folder() -> Path:
    """A new private folder, removed by `remove` or when this process ends.

    Raises:
        OSError: there is no room or no place for one.
    """
    made = Path(tempfile.mkdtemp(prefix=f"{FOLDERS}{owner.mine()}-"))
    _made[made] = os.getpid()
    return made


def remove(made: Path) -> None:
    """Removes a folder with all that is in it; what cannot be removed stays for a later `sweep`."""
    shutil.rmtree(made, ignore_errors=True)
    _made.pop(made, None)


def remove_all() -> None:
    """Removes every folder of this process."""
    for made, process in list(_made.items()):
        if process == os.getpid():
            remove(made)


atexit.register(remove_all)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A private folder that is there for a block.

    Raises:
        OSError: as `new_folder`.
    """
    made = new_folder()
    try:
        yield made
    finally:
        remove(made)


def beside(parent: str | os.PathLike[str], suffix: str = "") -> Path:
    """A new name in a folder for what is to be renamed, where everything is removed that killed processes left there.

    Short and of about the same length always: a target near the file system's name limit must not fail for its
    stand-in.
    """
    sweep_beside(parent)
    return Path(parent) / f"{BESIDE}{owner.mine()}-{secrets.token_hex(6)}{suffix}"


def remove_beside(parent: str | os.PathLike[str]) -> None:
    """Removes what this process has in a folder that is still to be renamed."""
    for left in Path(parent).glob(f"{BESIDE}{owner.mine()}-*"):
        with contextlib.suppress(OSError):
            left.unlink()


@contextlib.contextmanager
def folder_beside(parent: str | os.PathLike[str]) -> Iterator[Path]:
    """A private folder inside `parent` that is there for a block; what is in it can be renamed into `parent`.

    Raises:
        OSError: it cannot be made.
    """
    made = beside(parent)
    made.mkdir(mode=0o700)
    _made[made] = os.getpid()
    try:
        yield made
    finally:
        remove(made)


def environment(made: Path) -> dict[str, str]:
    """The variables by which another program keeps its own temporary files in a folder."""
    return dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(made))


def sweep(root: str | os.PathLike[str] | None = None) -> None:
    """Removes the temporary folders in `root`, the system's for temporary files, whose owners are gone."""
    with contextlib.suppress(OSError):  # there may be no folder for temporary files at all
        _sweep(root or tempfile.gettempdir(), _FOLDER)


def sweep_beside(parent: str | os.PathLike[str]) -> None:
    """Removes what processes that are gone have left in a folder; twice a minute at most, for it may be a large one."""
    name, now = os.path.abspath(parent), time.monotonic()
    if now - _looked.get(name, -_AGAIN) < _AGAIN:
        return
    while len(_looked) >= _MOST:
        _looked.pop(next(iter(_looked)), None)
    _looked[name] = now
    with contextlib.suppress(OSError):  # a folder that is missing is said by whoever writes there
        _sweep(parent, _BESIDE)


def _sweep(root: str | os.PathLike[str], pattern: re.Pattern[str]) -> None:
    with os.scandir(root) as entries:
        found = [(match[1], entry) for entry in entries if (match := pattern.fullmatch(entry.name))]
    for maker, entry in found:
        with contextlib.suppress(OSError):  # somebody else may be sweeping
            info = entry.stat(follow_symlinks=False)
            if (hasattr(os, "geteuid") and info.st_uid != os.geteuid()) or not owner.is_gone(maker):
                continue
            if stat.S_ISDIR(info.st_mode) and not _leads_elsewhere(entry):
                shutil.rmtree(entry.path, ignore_errors=True)
            elif stat.S_ISREG(info.st_mode) and pattern is _BESIDE:
                os.unlink(entry.path)


def _leads_elsewhere(entry: os.DirEntry[str]) -> bool:
    """Whether a folder is a junction of Windows, which `stat` takes for a folder."""
    attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    return bool(attributes & 0x400)  # FILE_ATTRIBUTE_REPARSE_POINT
