"""Operators: one family a file."""

from __future__ import annotations

import bpy

from . import make as making
from . import manage as managing
from . import photoreal
from . import rebake as baking

CLASSES = (*making.CLASSES, *baking.CLASSES, *managing.CLASSES, *photoreal.CLASSES)


def register() -> None:
    for kind in CLASSES:
        bpy.utils.register_class(kind)


def unregister() -> None:
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
