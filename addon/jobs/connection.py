"""The one backend of a Blender session: which Python runs it, where its log lies, when it ends."""

from __future__ import annotations

import atexit
import os
import threading
import time
from pathlib import Path

import bpy

from ...backend.makeittalk.exchange import temporary
from ..core.client import BackendClient
from ..core.errors import AddonError
from ..core.installation import Installation
from ..package import PACKAGE, settings

ROOT = Path(__file__).resolve().parents[2]
_WATCH = 1.0  # s between looks at a backend that nobody is waiting for
_client: BackendClient | None = None
_logs: Path | None = None  # where there is no folder of the extension's own


def current() -> BackendClient | None:
    """The backend, running or dead, or None where none was needed yet."""
    return _client


def get() -> BackendClient:
    """The running backend; the first call of a session, and the first after it died, starts one.

    Raises:
        AddonError: no Python is named, or it cannot be started.
    """
    global _client
    command = [python(), "-I", str(ROOT / "backend" / "serve.py")]
    # Another Python in the preferences, or a new environment: a backend at work goes on until it has finished.
    if _client is not None and _client.alive and (_client.command == command or _client.busy):
        return _client
    close()
    _client = BackendClient(command, log_path())
    if not bpy.app.background and not bpy.app.timers.is_registered(_watch):
        bpy.app.timers.register(_watch, first_interval=_WATCH)
    return _client


def close(wait: bool = True) -> None:
    """Ends the backend, if there is one; without waiting, a thread sees it off."""
    global _client
    if _client is not None:
        if wait:
            _client.close()
        else:
            threading.Thread(target=_client.close, name="makeittalk-close").start()
        _client = None


def python() -> str:
    """The interpreter of the backend: the preferences', else the installed environment's, else MAKEITTALK_PYTHON.

    Raises:
        AddonError: neither names a file.
    """
    reason = no_python_reason()
    if reason:
        raise AddonError(reason)
    return _python()


def no_python_reason() -> str:
    """Why the backend cannot be started, as a sentence; empty where it can."""
    chosen = _python()
    if chosen:
        return "" if os.path.isfile(chosen) else f"The backend's Python does not exist: {chosen}"
    place = Installation()
    if place.broken:
        return "The Python that the backend was installed with is gone. Press Install Backend."
    if place.others():
        return "The installed backend is of another version than the add-on. Press Install Backend."
    return "The backend is not installed yet. Press Install Backend."


def is_named() -> bool:
    """Whether the user has named a Python, in the preferences or for the whole session."""
    return bool(_named() or (not Installation().ready and os.environ.get("MAKEITTALK_PYTHON")))


def log_path() -> Path:
    """Where the backend's stderr goes: the extension's own folder, else a private temporary one of this session."""
    global _logs
    if _client is not None:
        return _client.log
    try:
        return Path(bpy.utils.extension_path_user(PACKAGE, path="logs", create=True)) / "backend.log"
    except (ValueError, OSError):  # loaded from a checkout, not installed as an extension
        if _logs is None or not _logs.is_dir():
            _logs = temporary.new_folder()
        return _logs / "backend.log"


def status() -> tuple[str, str]:
    """One line about the backend and the icon beside it."""
    if _client is None:
        reason = no_python_reason()
        return (reason, "ERROR") if reason else ("Backend starts when it is needed", "RADIOBUT_OFF")
    if not _client.alive:
        return "Backend has stopped", "ERROR"
    if _client.complaint:
        return _client.complaint, "ERROR"
    if not _client.ready:
        return "Backend is starting…", "SORTTIME"
    if _client.busy:
        return "Backend at work", "SORTTIME"
    devices = [name for name in _client.devices if name != "cpu"]
    return f"Backend ready ({devices[0] if devices else 'CPU'})", "CHECKMARK"


def _named() -> str:
    preferences = settings()
    return bpy.path.abspath(preferences.python) if preferences is not None and preferences.python else ""


def _python() -> str:
    place = Installation()
    return _named() or (str(place.python) if place.ready else os.environ.get("MAKEITTALK_PYTHON", ""))


def _watch() -> float | None:
    """Keeps the panel's line about the backend true, and ends a backend that has been idle for as long as preferred.

    Ending gives its memory back; the next job starts a new one.
    """
    if _client is None:
        return None
    before = status()
    _client.poll()
    preferences = settings()
    minutes = preferences.idle_minutes if preferences is not None else 0
    if minutes and not _client.busy and time.monotonic() - _client.last_used > 60.0 * minutes:
        close()
    if status() != before:
        redraw_panels()
    return _WATCH if _client is not None and _client.alive else None


def redraw_panels() -> None:
    """Has the sidebars of the 3D viewports drawn again, where the panel is."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


def register() -> None:
    temporary.sweep()  # what a Blender has left that was killed
    atexit.register(close)


def unregister() -> None:
    atexit.unregister(close)
    if bpy.app.timers.is_registered(_watch):
        bpy.app.timers.unregister(_watch)
    close(wait=False)  # a backend at work takes its time to end, and Blender shall not stand still for it
