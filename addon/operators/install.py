"""Install Backend, and what can be done with an installed one."""

import os
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import bpy

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..core import installation
from ..core.installation import Installation
from ..jobs import connection
from ..jobs.doctor import DoctorJob
from ..jobs.install import InstallJob, source_reason
from ..jobs.long_job import LongJob
from ..package import settings
from . import reasons
from .modal_job import Running


class MAKEITTALK_OT_install_backend(Running, bpy.types.Operator):
    """Install what listens and draws (Python packages) into your user folder; all Blender versions share it"""

    bl_idname = "makeittalk.install_backend"
    bl_label = "Install Backend"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        chosen = settings()
        if chosen is None:
            return "Enable the add-on in Blender's preferences first."
        return reasons.busy_reason() or source_reason(chosen.wheels)

    def start(self, _context: bpy.types.Context) -> LongJob:
        chosen = settings()
        assert chosen is not None
        return InstallJob(chosen.build, chosen.wheels)


class MAKEITTALK_OT_uninstall_backend(reasons.Reasoned, bpy.types.Operator):
    """Remove the installed backend from your user folder; characters that are made stay as they are"""

    bl_idname = "makeittalk.uninstall_backend"
    bl_label = "Uninstall Backend"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        place = Installation()
        there = place.folder.exists() or place.cache.exists() or bool(place.others())
        return reasons.busy_reason() or ("" if there else "Nothing is installed.")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        connection.close()
        place = Installation()
        try:
            with place.locked():
                place.uninstall()
        except MakeItTalkError as error:
            return self.fail(context, error)
        context.window_manager.makeittalk.say("The backend is uninstalled.")
        connection.redraw_panels()
        return {"FINISHED"}


class MAKEITTALK_OT_test_backend(Running, bpy.types.Operator):
    """Try everything that the backend needs and say what works"""

    bl_idname = "makeittalk.test_backend"
    bl_label = "Test"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        return reasons.busy_reason() or connection.no_python_reason()

    def start(self, _context: bpy.types.Context) -> LongJob:
        return DoctorJob()


class MAKEITTALK_OT_open_log(reasons.Reasoned, bpy.types.Operator):
    """Show what the installation and the backend have written"""

    bl_idname = "makeittalk.open_log"
    bl_label = "Open Log"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        there = any(path.is_file() for path in _logs())
        return "" if there else "Nothing has been written yet."

    def execute(self, context: bpy.types.Context) -> set[str]:
        there = [path for path in _logs() if path.is_file()]
        newest = max(there, key=lambda path: path.stat().st_mtime)
        return _open(self, context, newest)


class MAKEITTALK_OT_reveal_backend(reasons.Reasoned, bpy.types.Operator):
    """Open the folder of the installed backend"""

    bl_idname = "makeittalk.reveal_backend"
    bl_label = "Reveal"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        return "" if installation.data_folder().is_dir() else "Nothing is installed."

    def execute(self, context: bpy.types.Context) -> set[str]:
        return _open(self, context, installation.data_folder())


def _logs() -> list[Path]:
    return [Installation().log, connection.log_path()]


def _open(operator: reasons.Reasoned, context: bpy.types.Context, path: Path) -> set[str]:
    """Has the system's own program show a file or a folder."""
    try:
        if sys.platform == "win32":
            os.startfile(path)
        else:
            program = "open" if sys.platform == "darwin" else "xdg-open"
            subprocess.Popen([program, str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    except OSError:
        context.window_manager.makeittalk.say(f"No program opens it here. It lies at {path}.")
    return {"FINISHED"}


CLASSES = (
    MAKEITTALK_OT_install_backend,
    MAKEITTALK_OT_uninstall_backend,
    MAKEITTALK_OT_test_backend,
    MAKEITTALK_OT_open_log,
    MAKEITTALK_OT_reveal_backend,
)
