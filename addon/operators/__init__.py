"""Operators: one family a file."""

from __future__ import annotations

import bpy

from . import install, make, manage, photoreal, rebake

CLASSES = (*install.CLASSES, *make.CLASSES, *rebake.CLASSES, *manage.CLASSES, *photoreal.CLASSES)


def register() -> None:
    for kind in CLASSES:
        bpy.utils.register_class(kind)


def unregister() -> None:
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
