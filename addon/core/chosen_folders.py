"""The folders that this user has chosen for files, remembered beside the installed backend: a .blend that came from
somebody else may name any. No bpy here.

makeittalk/folders.json   the last of them, as they really are behind symbolic links
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ...backend.makeittalk.exchange import storage
from ...backend.makeittalk.exchange.data_folder import data_folder
from ...backend.makeittalk.exchange.errors import MakeItTalkError

_MOST = 200
_LONGEST = 4096  # letters of a path
_session: list[str] = []  # where the file cannot be written, they are known until Blender ends


def remember(folder: Path) -> None:
    """Notes that the user has chosen a folder, which need not exist."""
    chosen = _real(folder)
    if not chosen or len(chosen) > _LONGEST:
        return
    known = [chosen, *(item for item in _known() if item != chosen)][:_MOST]
    _session[:] = known
    with contextlib.suppress(OSError, MakeItTalkError):
        data_folder().mkdir(parents=True, exist_ok=True)
        storage.write_json(_file(), {"format": 1, "folders": known})


def is_chosen(folder: Path) -> bool:
    """Whether the user has chosen a folder, or one that it lies in."""
    return any(lies_in(folder, Path(item)) for item in _known())


def lies_in(path: Path, folder: Path) -> bool:
    """Whether a path is a folder or lies in it, with symbolic links followed."""
    inner, outer = _real(path), _real(folder)
    if not inner or not outer:
        return False
    try:
        return os.path.commonpath([os.path.normcase(inner), os.path.normcase(outer)]) == os.path.normcase(outer)
    except ValueError:  # on two drives
        return False


def _known() -> list[str]:
    return list(dict.fromkeys([*_session, *_kept()]))


def _kept() -> list[str]:
    """What the file says; nothing where there is none or it is damaged."""
    try:
        folders = storage.read_json(_file()).get("folders")
    except MakeItTalkError:
        return []
    found = folders if isinstance(folders, list) else []
    return [item for item in found[:_MOST] if isinstance(item, str) and os.path.isabs(item)]


def _file() -> Path:
    return data_folder() / "folders.json"


def _real(path: Path) -> str:
    """A path behind symbolic links; empty where none can be so called."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return ""
