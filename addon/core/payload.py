"""Files kept inside the .blend as text, so that a character re-bakes on any machine. No bpy here."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from .errors import AddonError


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
