"""Folders that a .blend names for files to be written: one that somebody else has sent may name any."""

from __future__ import annotations

import os
from pathlib import Path

import bpy

from ..core import chosen_folders
from ..core.errors import AddonError

_WAY_OUT = "Choose the folder of the frames again, or press Write There."


def chosen(path: str) -> Path:
    """The folder that a property names, whole.

    Raises:
        AddonError: it is relative to a .blend that is not saved, or to nothing.
    """
    if path.startswith("//") and not bpy.data.filepath:
        raise AddonError("The folder of the frames is relative to a .blend that is not saved.", "Save it first.")
    folder = Path(bpy.path.abspath(path))
    if not folder.is_absolute() or not path.isprintable():
        raise AddonError(f"{path[:200]!r} is not the whole path of a folder.", "Choose the folder again.")
    return folder


def check(folder: Path) -> None:
    """Sees to it that a folder lies beside the .blend, or was chosen by the user on this machine.

    Raises:
        AddonError: it lies elsewhere, perhaps behind a link, and the .blend alone says so.
    """
    beside = Path(bpy.data.filepath).parent if bpy.data.filepath else Path(bpy.app.tempdir)
    if not chosen_folders.lies_in(folder, beside) and not chosen_folders.is_chosen(folder):
        raise AddonError(
            f"You have not chosen the folder {os.path.realpath(folder)}, which this .blend leads to.", _WAY_OUT
        )


def check_files(folder: Path, pattern: str) -> None:
    """Sees to it that no file that is to be written over is a link: an archive may hold one to anywhere.

    Raises:
        AddonError: one is, or the folder cannot be read.
    """
    try:
        links = sorted(path.name for path in folder.glob(pattern) if path.is_symlink()) if folder.is_dir() else []
    except OSError as error:
        raise AddonError(f"The folder {folder} cannot be read: {error.strerror}.", "Choose another folder.") from error
    if links:
        raise AddonError(f"{links[0]} in {folder} is a link to another place.", "Remove it, or choose another folder.")
