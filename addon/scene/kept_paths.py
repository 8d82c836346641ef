"""The paths that characters and scenes keep, told from the .blend whenever it is saved: both can move together, and a
.blend that is given away names no folder of whoever made it. On another drive than the .blend a path stays whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .. import compat

_OF_SCENE = ("portrait", "speech", "voice", "landmarks_of")
_OF_CHARACTER = ("portrait", "photo_folder")
_OF_SPEECH = ("recording", "voice")
_OF_LANDMARKS = "makeittalk_portrait"  # custom property of landmarks that are worked on
_BESIDE = "photo_folder"  # one that is relative goes with the .blend, the others with their files


@dataclass
class _Kept:
    """A path that was written anew: whose, which, and as it was."""

    owner: Any
    name: str
    before: str


_rewritten: list[_Kept] = []  # for as long as Blender saves


def register() -> None:
    bpy.app.handlers.save_pre.append(_saving)
    for handlers in _after():
        handlers.append(_saved)


def unregister() -> None:
    bpy.app.handlers.save_pre.remove(_saving)
    for handlers in _after():
        handlers.remove(_saved)


def make_relative(file: str) -> None:
    """Tells every path from the folder of the .blend that is about to be saved.

    Args:
        file: the .blend.
    """
    folder = os.path.dirname(file)
    for owner, name, path in _paths():
        told = _from(folder, path, name)
        if told != path:
            _rewritten.append(_Kept(owner, name, path))
            _write(owner, name, told)


def _paths() -> Iterator[tuple[Any, str, str]]:
    """Owner, name and text of every path that this .blend keeps; those of libraries are theirs."""
    groups: list[tuple[Any, tuple[str, ...]]] = []
    for scene in bpy.data.scenes:
        if scene.library is None:
            groups.append((scene.makeittalk, _OF_SCENE))
    for collection in bpy.data.collections:
        if collection.library is None and collection.makeittalk.is_character:
            groups.append((collection.makeittalk, _OF_CHARACTER))
            groups += [(spoken, _OF_SPEECH) for spoken in collection.makeittalk.speeches]
    for group, names in groups:
        for name in names:
            path = getattr(group, name)
            if path:
                yield group, name, path
    for item in bpy.data.objects:
        path = item.get(_OF_LANDMARKS) if item.library is None else None
        if isinstance(path, str) and path:
            yield item, _OF_LANDMARKS, path


def _from(folder: str, path: str, name: str) -> str:
    """A path as seen from a folder."""
    if path.startswith("//") and (name == _BESIDE or not bpy.data.filepath):
        return path
    whole = bpy.path.abspath(path)
    if not os.path.isabs(whole):
        return path
    try:
        return f"//{os.path.relpath(whole, folder)}"
    except ValueError:  # another drive on Windows
        return path


def _write(owner: Any, name: str, path: str) -> None:
    if isinstance(owner, bpy.types.Object):
        owner[name] = path
    else:
        compat.store(owner, name, path)  # nobody has chosen another file


def _after() -> list[Any]:
    """The handlers of a save that has ended, well or not."""
    handlers = bpy.app.handlers
    return [handlers.save_post, handlers.save_post_fail]


@persistent
def _saving(file: str, *_rest: object) -> None:
    _rewritten.clear()
    make_relative(file or bpy.data.filepath)


@persistent
def _saved(file: str, *_rest: object) -> None:
    """After a copy was saved elsewhere, or nothing at all, the paths are those from the .blend that is open."""
    if os.path.dirname(file) != os.path.dirname(bpy.data.filepath):
        for kept in _rewritten:
            _write(kept.owner, kept.name, kept.before)
    _rewritten.clear()
