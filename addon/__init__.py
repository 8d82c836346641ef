"""The Blender side of MakeItTalk. Blender's own Python runs it: bpy and numpy, nothing else."""


def register() -> None:
    """Registers everything, in the order that later parts need earlier ones."""
    from . import operators, panels, preferences, properties  # here, so that `core` can be imported without Blender
    from .jobs import connection
    from .scene import handlers

    preferences.register()
    properties.register()
    connection.register()
    operators.register()
    panels.register()
    handlers.register()


def unregister() -> None:
    """Undoes `register`; the backend ends."""
    from . import operators, panels, preferences, properties
    from .jobs import connection, long_job, rebake
    from .scene import handlers

    handlers.unregister()
    panels.unregister()
    operators.unregister()
    rebake.unregister()
    long_job.unregister()
    connection.unregister()
    properties.unregister()
    preferences.unregister()
