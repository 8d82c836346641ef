"""Folders that a destructive test may do in as it likes: it made them itself, and they say so."""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from pathlib import Path

MARK = ".made-by-this-harness"


class NotOurs(RuntimeError):
    """A harness was pointed at something that it did not make."""


class OwnFolder:
    """A new folder, marked as this process's own; destructive helpers take nothing else.

    Attributes:
        path: where it is, without links.
    """

    def __init__(self, parent: Path) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="own-", dir=parent)).resolve()
        self._mark = secrets.token_hex(16)
        (self.path / MARK).write_text(self._mark, encoding="ascii")

    def check(self, target: Path) -> Path:
        """The target, once it is known to lie in this folder and to be no way out of it.

        Raises:
            NotOurs: it is or leads to anything else: a device, a pipe, a socket, a mount, a folder of somebody's.
        """
        self.check_itself()
        try:
            mode = os.lstat(target).st_mode
        except FileNotFoundError:
            mode = None
        except (OSError, ValueError) as error:
            raise NotOurs(f"{target} cannot be looked at ({error}): the harness leaves it alone.") from error
        if mode is not None and not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
            raise NotOurs(f"{target} is no folder and no regular file: the harness leaves it alone.")
        if Path(os.path.realpath(target)) != Path(os.path.abspath(target)):
            raise NotOurs(f"{target} leads somewhere else by a link: the harness leaves it alone.")
        real = Path(os.path.realpath(target))
        if real != self.path and self.path not in real.parents:
            raise NotOurs(f"{target} is not in {self.path}, which the harness made: it leaves it alone.")
        for place in (real, *real.parents):
            if place == self.path.parent:
                break
            if os.path.ismount(place):
                raise NotOurs(f"{place} is a file system of its own: the harness leaves it alone.")
        return real

    def check_itself(self) -> None:
        """Sees to it that the folder is still the one that was made.

        Raises:
            NotOurs: another one is in its place.
        """
        try:
            mark = (self.path / MARK).read_text(encoding="ascii")
        except (OSError, ValueError):
            mark = ""
        if mark != self._mark:
            raise NotOurs(f"{self.path} is not the folder that the harness made: it leaves it alone.")

    def folder(self, *parts: str) -> Path:
        """A folder in it, made if it is not there."""
        path = self.check(self.path.joinpath(*parts))
        path.mkdir(parents=True, exist_ok=True)
        return path
