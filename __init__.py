"""MakeItTalk for Blender: the extension's entry."""


def register() -> None:
    """Called by Blender when the extension is enabled."""
    from . import addon  # only Blender can import it: this file itself must import anywhere

    addon.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled."""
    from . import addon

    addon.unregister()
