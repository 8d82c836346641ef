"""Report a Problem: one text file to send to whoever can help."""

import contextlib
import dataclasses
import datetime
import getpass
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import bpy
from bpy.props import StringProperty

from ...backend.makeittalk.exchange import storage
from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ...backend.makeittalk.exchange.version import VERSION
from ..core import report
from ..core.installation import Installation
from ..core.privacy import Scrubber
from ..core.remarks import plain
from ..jobs import connection
from ..package import device, settings
from ..scene import character as characters
from ..scene import setup
from . import reasons

_ROOT = Path(__file__).resolve().parents[2]


class MAKEITTALK_OT_report_problem(reasons.Reasoned, bpy.types.Operator):
    """Write a text file with versions, settings as numbers and the end of the logs, to send to whoever can help.
    It holds no picture, no sound, no path and no name of yours"""

    bl_idname = "makeittalk.report_problem"
    bl_label = "Report a Problem"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    check_existing: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_glob: StringProperty(default="*.txt", options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        return ""

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        if not self.filepath:
            name = f"makeittalk-report-{datetime.date.today().isoformat()}.txt"
            folder = os.path.dirname(bpy.data.filepath) or os.path.expanduser("~")
            self.filepath = os.path.join(folder, name)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(bpy.path.abspath(self.filepath)).with_suffix(".txt")
        text = plain(report.compose(_sections(context), _scrubber(context).scrub))
        try:
            with storage.replacing(path) as temporary:
                temporary.write_text(text, encoding="utf-8")
        except MakeItTalkError as error:
            return self.fail(context, error)
        message = f"The report is in {path}. Read it before you send it."
        return self.tell(context, message)


def _sections(context: bpy.types.Context) -> dict[str, dict[str, object] | str]:
    scene, session, preferences = context.scene, context.window_manager.makeittalk, settings()
    client = connection.current()
    greeting = client.hello if client is not None else None
    found: dict[str, dict[str, object] | str] = {
        "Versions": {
            "MakeItTalk": VERSION,
            "Blender": f"{bpy.app.version_string} ({bpy.app.build_hash.decode('ascii', 'replace')})",
            "Blender's Python": sys.version,
            "System": f"{platform.platform()}, {platform.machine()}",
            "Graphics": _graphics(),
            "In the background": bpy.app.background,
            "Online access": bpy.app.online_access,
        },
        "Backend": {
            "State": connection.status()[0],
            "Device": device(),
            "MAKEITTALK_PYTHON": os.environ.get("MAKEITTALK_PYTHON", "not set"),
            **(dataclasses.asdict(greeting) if greeting is not None else {"Greeting": "none"}),
        },
        "Preferences": _numbers(preferences) if preferences is not None else {"State": "not enabled"},
        "Said last": f"{session.message} {session.hint}",
        "Scene": {
            "Frames": f"{scene.frame_start} to {scene.frame_end}, at {scene.frame_current}",
            "Frames a second": setup.frame_rate(scene),
            "Render": f"{scene.render.engine}, {scene.render.resolution_x} × {scene.render.resolution_y}",
            "View transform": scene.view_settings.view_transform,
            "Playback": scene.sync_mode,
            "Objects": len(scene.objects),
            "Saved": bool(bpy.data.filepath),
        },
        "Next character": _numbers(scene.makeittalk),
    }
    for number, item in enumerate(characters.characters(scene), 1):
        lacking = setup.missing(scene, item) if item.makeittalk.rig is not None else ["rig"]
        found[f"Character {number}"] = _numbers(item.makeittalk) | {"Scene lacks": "; ".join(lacking) or "nothing"}
        for place, spoken in enumerate(item.makeittalk.speeches, 1):
            found[f"Character {number}, speech {place}"] = _numbers(spoken)
    return found | report.log_tails([connection.log_path().parent, Installation().root])


def _numbers(group: bpy.types.bpy_struct) -> dict[str, object]:
    """What a group of settings says: numbers and choices as they are, of texts and references that there are any."""
    found: dict[str, object] = {}
    for item in group.bl_rna.properties:
        if item.identifier in ("rna_type", "bl_idname", "name"):
            continue
        try:
            value = getattr(group, item.identifier)
        except UnicodeDecodeError:  # of a library that is damaged
            value = "damaged"
        if item.type in ("STRING", "POINTER", "COLLECTION"):
            found[item.identifier] = "set" if value else "empty"
        elif getattr(item, "is_array", False):
            found[item.identifier] = list(value)
        else:
            found[item.identifier] = value
    return found


def _scrubber(context: bpy.types.Context) -> Scrubber:
    home = os.path.expanduser("~")
    roots = {"<add-on>": str(_ROOT), "<blender>": os.path.dirname(bpy.app.binary_path) or sys.prefix}
    client = connection.current()
    started = client.process.args if client is not None else ()
    program = Path(str(started[0])) if isinstance(started, list) else None
    if program is not None and program.parent.name.lower() in ("bin", "scripts"):
        roots["<backend's Python>"] = str(program.parent.parent)
    return Scrubber(home, {*_people(), os.path.basename(home)}, set(_files(context)), roots)


def _people() -> Iterator[str]:
    """Names of the user and of the machine."""
    with contextlib.suppress(Exception):  # without an account there is no name
        yield getpass.getuser()
    yield from (os.environ[name] for name in ("USER", "USERNAME", "LOGNAME", "USERDOMAIN") if os.environ.get(name))
    with contextlib.suppress(ImportError, KeyError, AttributeError):
        import pwd  # not on Windows

        yield from pwd.getpwuid(os.getuid()).pw_gecos.split(",")[0].split()
    host = platform.node()
    yield host
    yield host.partition(".")[0]


def _files(context: bpy.types.Context) -> Iterator[str]:
    """Names of the user's files, characters and strips, which sentences may hold."""
    yield os.path.basename(bpy.data.filepath)
    groups, paths = [context.scene.makeittalk], []
    for scene in bpy.data.scenes:
        for item in characters.characters(scene):
            groups.append(item.makeittalk)
            yield item.name
    for group in groups:
        paths += [group.portrait, group.speech, group.voice]
    paths += [data.filepath for data in (*bpy.data.images, *bpy.data.sounds)]
    full = [Path(bpy.path.abspath(path)) for path in paths if path]
    yield from (path.name for path in full if _ROOT not in path.parents)  # the example's are no secret


def _graphics() -> str:
    try:
        import gpu

        return f"{gpu.platform.vendor_get()} {gpu.platform.renderer_get()} {gpu.platform.version_get()}"
    except (SystemError, ImportError):  # none in the background
        return "none"


CLASSES = (MAKEITTALK_OT_report_problem,)
