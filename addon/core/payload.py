"""Files kept inside the .blend as text, so that a character re-bakes on any machine. No bpy here."""

from __future__ import annotations

import base64
import binascii
import contextlib
import secrets
from pathlib import Path

from ...backend.makeittalk.exchange import temporary
from .errors import AddonError

_MOST_FILES = 8  # of minutes of motion each is some 10 MB
_folder: Path | None = None  # removed when Blender ends
_files: dict[tuple[int, int], Path] = {}  # by length and hash of their text, the one last asked for at the end


def pack(path: Path) -> str:
    """The file as text for a string property.

    Raises:
        AddonError: the file cannot be read.
    """
    try:
        return base64.b64encode(path.read_bytes()).decode("ascii")
    except OSError as error:
        raise AddonError(f"{path.name} cannot be read.", "Run Make It Talk again.") from error


def unpack(text: str, path: Path) -> None:
    """Writes packed text back as the file.

    Raises:
        AddonError: the text is damaged, or the file cannot be written.
    """
    try:
        path.write_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise AddonError("The motion kept in this file is damaged.", "Run Make It Talk again.") from error
    except OSError as error:
        raise AddonError(f"{path.name} cannot be written to the temporary folder.", "Free some space.") from error


def file(text: str) -> Path:
    """The file of packed text, written once while it is asked for again and again; to be read at once and left alone.

    Raises:
        AddonError: the text is damaged, or the file cannot be written.
    """
    global _folder
    if _folder is None or not _folder.is_dir():  # whoever tidies temporary folders may have been there
        try:
            _folder = temporary.new_folder()
        except OSError as error:
            raise AddonError("The temporary folder cannot be written to.", "Free some space.") from error
        _files.clear()
    which = len(text), hash(text)  # Python's own is keyed anew each session: nobody can make two files meet
    path = _files.pop(which, None)
    if path is None or not path.is_file():
        while len(_files) >= _MOST_FILES:
            with contextlib.suppress(OSError):  # the backend may be reading it
                _files.pop(next(iter(_files))).unlink()
        path = _folder / f"{secrets.token_hex(8)}.npz"
        partial = path.with_suffix(".part")
        unpack(text, partial)
        partial.replace(path)
    _files[which] = path
    return path
