"""Operators: one family a file."""

from __future__ import annotations

import bpy

from . import curves, drop, edits, example, gestures, install, make, manage, photoreal, rebake, report, strip

CLASSES = (
    *install.CLASSES,
    *make.CLASSES,
    *example.CLASSES,
    *strip.CLASSES,
    *drop.CLASSES,
    *rebake.CLASSES,
    *manage.CLASSES,
    *gestures.CLASSES,
    *curves.CLASSES,
    *edits.CLASSES,
    *photoreal.CLASSES,
    *report.CLASSES,
)


def register() -> None:
    for kind in CLASSES:
        bpy.utils.register_class(kind)


def unregister() -> None:
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
