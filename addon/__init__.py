"""The Blender side of MakeItTalk. Blender's own Python runs it: bpy and numpy, nothing else."""

from __future__ import annotations

from . import connection, preferences, properties, rebaking


def register() -> None:
    """Registers everything, in the order that later parts need earlier ones."""
    preferences.register()
    properties.register()
    connection.register()


def unregister() -> None:
    """Undoes `register`; the backend ends."""
    rebaking.unregister()
    connection.unregister()
    properties.unregister()
    preferences.unregister()
