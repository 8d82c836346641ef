"""Panels of the 3D viewport's sidebar: they only draw."""

from __future__ import annotations

import bpy

from . import character, cues, edits, export, gestures, landmarks, main, photoreal, retarget

CLASSES = (
    *main.CLASSES,
    *landmarks.CLASSES,
    *character.CLASSES,
    *gestures.CLASSES,
    *edits.CLASSES,
    *photoreal.CLASSES,
    *cues.CLASSES,
    *retarget.CLASSES,
    *export.CLASSES,
)


def register() -> None:
    for kind in CLASSES:
        bpy.utils.register_class(kind)


def unregister() -> None:
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
