"""What the backend remarked of somebody's files, as a .blend may keep it. No bpy here."""

from __future__ import annotations

import os
from collections.abc import Iterable


def kept(notices: Iterable[str], files: Iterable[str]) -> str:
    """The sentences, one a line, with the files by their names alone: the .blend may go to other people.

    Args:
        files: the paths that the backend was given.
    """
    text = "\n".join(notices)
    for path in sorted(filter(None, files), key=len, reverse=True):
        text = text.replace(path, os.path.basename(path))
    return text
