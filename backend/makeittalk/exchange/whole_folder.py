"""Folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .errors import OutputError
from .file_lock import lock_file
from .storage import output_error

_NEW, _OLD = ".new-", ".old-"
_LOCK = ".lock"
_TRIES = 8  # to rename what a virus scanner holds for a moment
_PAUSE = 0.25  # s between them


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """An empty folder beside `path` that takes its place when the block ends well, and vanishes otherwise.

    One process at a time; what a killed one has left is removed first. A kill leaves the old folder, the new one, or
    for a moment neither: the next call then puts the old one back before it begins.

    Raises:
        OutputError: another process is at it, or nothing can be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.parent / _LOCK):
            _sweep(path.parent)
            new = path.with_name(f"{_NEW}{secrets.token_hex(6)}")
            try:
                new.mkdir()
                yield new
                _exchange(new, path)
            finally:
                shutil.rmtree(new, ignore_errors=True)
                _sweep(path.parent)
    except OSError as error:
        raise output_error(path, error) from error


def remove_folder(path: Path) -> None:
    """Removes a folder with all that is in it: it is gone at once, and what a kill leaves of it the next call removes.

    Raises:
        OutputError: another process is at it, or it cannot be removed.
    """
    try:
        with _locked(path.parent / _LOCK):
            _sweep(path.parent)
            gone = path.with_name(f"{_NEW}{secrets.token_hex(6)}")
            _persist(lambda: os.replace(path, gone))
            _sweep(path.parent)
    except OSError as error:
        raise output_error(path, error) from error


def _exchange(new: Path, path: Path) -> None:
    """Puts a new folder in a place, and the one that was there away."""
    old = path.with_name(f"{_OLD}{path.name}")
    if path.exists():
        _persist(lambda: os.replace(path, old))
    try:
        _persist(lambda: os.replace(new, path))
    except OSError:
        if old.exists():
            _persist(lambda: os.replace(old, path))
        raise


def _sweep(parent: Path) -> None:
    """Removes what killed processes have left in a folder, and puts back what one had put away."""
    for old in parent.glob(f"{_OLD}*"):
        path = parent / old.name[len(_OLD) :]
        # What is removed gets another name first: half of it shall never be put back.
        to = parent / f"{_NEW}{secrets.token_hex(6)}" if path.exists() else path
        _persist(functools.partial(os.replace, old, to))
    for new in parent.glob(f"{_NEW}*"):
        shutil.rmtree(new, ignore_errors=True)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds a lock that goes with the process that holds it."""
    with open(path, "a+b") as stream:
        try:
            lock_file(stream.fileno())
        except OSError as error:
            raise OutputError(
                f"Another process writes to {path.parent}.", "Wait until it has finished, then run it again."
            ) from error
        yield


def _persist(action: Callable[[], object]) -> None:
    """Does it again while something, such as a virus scanner, holds a file for a moment."""
    for left in reversed(range(_TRIES)):
        try:
            action()
            return
        except PermissionError:
            if not left:
                raise
            time.sleep(_PAUSE)
