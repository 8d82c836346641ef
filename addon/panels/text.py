"""Sentences in narrow panels."""

from __future__ import annotations

import textwrap

import bpy

from ..core.remarks import plain

_PIXELS_A_LETTER = 7.0  # of Blender's interface font at scale 1


def draw_sentence(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE") -> None:
    """Draws a sentence over as many lines as the sidebar's width asks for."""
    scale = context.preferences.system.ui_scale or 1.0  # 0 without a window
    width = context.region.width if context.region else 220
    letters = max(16, int(width / scale / _PIXELS_A_LETTER) - 9)
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(textwrap.wrap(plain(text), letters)):
        column.label(text=line, icon=icon if number == 0 else ("BLANK1" if icon != "NONE" else "NONE"))


def draw_progress(layout: bpy.types.UILayout, session: bpy.types.PropertyGroup) -> None:
    """Draws how far the job under way is, and the button that cancels it."""
    column = layout.column(align=True)
    text = f"{session.stage}  {session.fraction:.0%}" if session.stage else f"{session.fraction:.0%}"
    column.progress(factor=session.fraction, type="BAR", text=text)
    if session.seconds_left >= 0.0:
        column.label(text=f"About {_duration(session.seconds_left)} left")
    row = layout.row()
    row.scale_y = 1.4
    row.operator("makeittalk.cancel", icon="CANCEL", text="Cancel (Esc)")


def draw_preview(
    layout: bpy.types.UILayout, session: bpy.types.PropertyGroup, settings: bpy.types.PropertyGroup
) -> None:
    """Draws how far a preview is predicted, the buttons that end it and what acts on it."""
    if session.fraction < 1.0:
        text = f"{session.stage}  {session.fraction:.0%}" if session.stage else f"{session.fraction:.0%}"
        layout.progress(factor=session.fraction, type="BAR", text=text)
    row = layout.row(align=True)
    row.scale_y = 1.8
    row.operator("makeittalk.keep_preview", icon="CHECKMARK", text="Keep")
    row.operator("makeittalk.stop_preview", icon="CANCEL", text="Stop")
    column = layout.column(align=True)
    for name in ("lip", "head", "blink", "gaze", "smooth"):
        column.prop(settings, name, slider=True)
    layout.prop(settings, "seed")


def _duration(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 100 else f"{round(seconds / 60)} minutes"
