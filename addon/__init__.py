"""The Blender side of MakeItTalk. Blender's own Python runs it: bpy and numpy, nothing else."""

from __future__ import annotations

from . import operators, panels, preferences, properties
from .jobs import connection
from .jobs import rebake as rebaking
from .jobs import task as tasks


def register() -> None:
    """Registers everything, in the order that later parts need earlier ones."""
    preferences.register()
    properties.register()
    connection.register()
    operators.register()
    panels.register()


def unregister() -> None:
    """Undoes `register`; the backend ends."""
    panels.unregister()
    operators.unregister()
    rebaking.unregister()
    tasks.unregister()
    connection.unregister()
    properties.unregister()
    preferences.unregister()
