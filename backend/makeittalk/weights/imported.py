"""Imported sets of weights: each a folder in the user's data with files and their SHA-256."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..exchange import storage
from ..exchange.data_folder import check_set_name, imported_names, weights_folder
from ..exchange.errors import InputError, MissingError
from ..exchange.progress import Progress, silent
from ..exchange.whole_folder import remove_folder
from .files import WeightFile, list_weights

AGAIN = "Import it again with makeittalk weights import."


@dataclass(frozen=True)
class ImportedSet:
    """An imported set: its name, its folder and its files."""

    name: str
    folder: Path
    files: list[WeightFile]


def imported_set(name: str) -> Path:
    """The folder of an imported set of weights; its content is not read here.

    Raises:
        InputError: no set can be called so. MissingError: there is no such set.
    """
    check_set_name(name)
    known = imported_names()
    if name not in known:
        there = f"There are: {', '.join(known)}." if known else "Import it with makeittalk weights import."
        raise MissingError(f"There is no imported set of weights called {name}.", there)
    return weights_folder() / name


def list_imported() -> list[ImportedSet]:
    """Every imported set, in the order of the alphabet.

    Raises:
        InputError: a set's list of files is damaged.
    """
    return [_read(name) for name in imported_names()]


def verify_imported(name: str, progress: Progress = silent) -> ImportedSet:
    """Reads every file of a set and compares its SHA-256.

    Raises:
        MissingError: there is no such set, or a file is missing. InputError: a file is damaged.
    """
    imported_set(name)
    found = _read(name)
    verify_folder(found.files, progress)
    return found


def remove_imported(name: str) -> Path:
    """Removes a set of weights, damaged or not; returns the folder that it was.

    Raises:
        InputError: no set can be called so. MissingError: there is no such set. OutputError: it cannot be removed.
    """
    folder = imported_set(name)
    remove_folder(folder)
    return folder


def verify_folder(files: list[WeightFile], progress: Progress = silent) -> None:
    """Compares the SHA-256 of files with those that are listed.

    Raises:
        MissingError: a file is missing. InputError: a file is damaged.
    """
    whole, done = sum(file.size for file in files) or 1, 0
    for file in files:
        if not file.size:
            raise MissingError(f"The weights {file.path} are missing.", AGAIN)
        digest = hashlib.sha256()
        for block in storage.blocks(file.path):
            digest.update(block)
            done += len(block)
            progress(min(1.0, done / whole), "Verifying")
        if digest.hexdigest() != file.sha256:
            raise InputError(f"The weights {file.path} are damaged: their SHA-256 is not the listed one.", AGAIN)


def _read(name: str) -> ImportedSet:
    folder = weights_folder() / name
    try:
        return ImportedSet(name, folder, list_weights(folder))
    except InputError as error:
        raise InputError(error.message, AGAIN) from error
