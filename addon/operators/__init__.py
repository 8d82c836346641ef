"""Operators: one family a file."""

from __future__ import annotations

import bpy

from . import (
    cues,
    curves,
    drop,
    edits,
    example,
    export,
    gestures,
    install,
    landmark_clicks,
    landmark_files,
    landmarks,
    make,
    make_list,
    manage,
    merge,
    photoreal,
    preview,
    rebake,
    report,
    retarget,
    retarget_files,
    set_up,
    speech,
    strip,
    weights,
)

CLASSES = (
    *install.CLASSES,
    *make.CLASSES,
    *make_list.CLASSES,
    *preview.CLASSES,
    *landmarks.CLASSES,
    *landmark_clicks.CLASSES,
    *landmark_files.CLASSES,
    *example.CLASSES,
    *strip.CLASSES,
    *speech.CLASSES,
    *drop.CLASSES,
    *rebake.CLASSES,
    *set_up.CLASSES,
    *manage.CLASSES,
    *merge.CLASSES,
    *export.CLASSES,
    *cues.CLASSES,
    *gestures.CLASSES,
    *curves.CLASSES,
    *edits.CLASSES,
    *retarget.CLASSES,
    *retarget_files.CLASSES,
    *photoreal.CLASSES,
    *weights.CLASSES,
    *report.CLASSES,
)


def register() -> None:
    for kind in CLASSES:
        bpy.utils.register_class(kind)


def unregister() -> None:
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
