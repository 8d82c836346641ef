"""Sentences for people: what of them a .blend may keep, and what Blender can show. No bpy here."""

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


def plain(text: str) -> str:
    """A text as Blender takes it: names of files may hold bytes that are no letters."""
    return text.encode("utf-8", "replace").decode("utf-8")
