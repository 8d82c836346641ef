"""What panel and preferences show of the backend: its state, and what can be done about it."""

import bpy

from ...backend.makeittalk.exchange import locks
from ..core import installation
from ..core.installation import Installation
from ..jobs import connection
from ..jobs.install import sizes, source_reason
from ..package import PACKAGE, settings
from .text import draw_progress, draw_sentence


def has_backend() -> bool:
    """Whether a backend runs or could be started."""
    return connection.current() is not None or not connection.no_python_reason()


def draw_state(layout: bpy.types.UILayout, context: bpy.types.Context, session: bpy.types.PropertyGroup) -> None:
    """One line about the backend, and the button that helps where something is wrong with it."""
    text, icon = connection.status()
    client = connection.current()
    draw_sentence(layout, context, text, icon)
    if client is not None and (not client.alive or client.complaint) and not session.running:
        row = layout.row(align=True)
        row.operator("makeittalk.restart_backend", icon="FILE_REFRESH")
        if client.complaint:
            row.operator("makeittalk.install_backend", icon="IMPORT")


def draw_install(layout: bpy.types.UILayout, context: bpy.types.Context, session: bpy.types.PropertyGroup) -> None:
    """The way to a backend where there is none."""
    chosen = settings()
    if chosen is None or session.running:
        return
    draw_sentence(layout, context, connection.no_python_reason(), "INFO")
    row = layout.row()
    row.scale_y = 1.8
    row.operator("makeittalk.install_backend", icon="IMPORT")
    reason = source_reason(chosen.wheels)
    if reason:
        draw_sentence(layout, context, reason, "ERROR")
        if not chosen.wheels and not bpy.app.online_access_override:
            layout.operator("extensions.userpref_allow_online", text="Allow Online Access", icon="INTERNET")
    else:
        draw_sentence(layout, context, _cost(chosen, "your user folder"))
    layout.operator("preferences.addon_show", text="Choose How …", icon="PREFERENCES").module = PACKAGE


def draw_installation(layout: bpy.types.UILayout, context: bpy.types.Context, chosen: bpy.types.PropertyGroup) -> None:
    """The backend's part of the preferences."""
    session = context.window_manager.makeittalk
    place = Installation()
    text, icon = connection.status()
    layout.label(text=text, icon=icon)
    if session.running:
        draw_progress(layout, session)
        return
    if place.ready:
        found = place.read()
        layout.label(text=f"Python {found.python}, {_label(found.build)}, {found.disk / 1e9:.1f} GB on the disk")
    if place.others():
        layout.label(text=f"{len(place.others())} of another version; Uninstall removes them, too", icon="INFO")
    if session.message and session.is_error:
        layout.label(text=session.message, icon="ERROR")
        if session.hint:
            layout.label(text=session.hint, icon="BLANK1")
    column = layout.column()
    column.prop(chosen, "build")
    column.prop(chosen, "wheels")
    row = layout.row()
    row.scale_y = 1.3
    row.operator(
        "makeittalk.install_backend", text="Install Again" if place.ready else "Install Backend", icon="IMPORT"
    )
    reason = source_reason(chosen.wheels)
    layout.label(text=reason or _cost(chosen, str(installation.data_folder())), icon="ERROR" if reason else "NONE")
    row = layout.row(align=True)
    row.operator("makeittalk.test_backend", icon="CHECKMARK")
    row.operator("makeittalk.restart_backend", text="Restart", icon="FILE_REFRESH")
    row.operator("makeittalk.open_log", icon="TEXT")
    row.operator("makeittalk.reveal_backend", icon="FILE_FOLDER")
    row.operator("makeittalk.uninstall_backend", text="Uninstall", icon="TRASH")
    layout.operator("makeittalk.report_problem", icon="TEXT")


def _cost(chosen: bpy.types.PropertyGroup, where: str) -> str:
    """What an installation takes, and where."""
    download, disk = sizes(chosen.build)
    took = f"Takes about {disk / 1e9:.1f} GB in {where}"
    return f"{took}, from the folder of wheels." if chosen.wheels else f"Downloads {download / 1e6:.0f} MB. {took}."


def _label(build: str) -> str:
    return next((item.label for item in locks.BUILDS if item.name == build), build)
