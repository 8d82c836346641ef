"""The generated layers of a character, for tests."""

from __future__ import annotations

from extension import part


def layer(character, name: str):
    """The generated layer of a part, such as "Lips"."""
    layers = part("addon.scene.layers")
    owners = part("addon.scene.performance").owners_of(character)
    return next(found for owner in owners for found in layers.layers(owner) if found.part == name)


def curve(character, name: str, path: str, index: int = 0):
    """A curve of a generated layer."""
    return layer(character, name).curves.fcurves.find(path, index=index)


def changed(character) -> list[str]:
    """The identifiers of the generated curves that somebody has changed."""
    actions, layers = part("addon.scene.actions"), part("addon.scene.layers")
    return [
        name
        for owner in part("addon.scene.performance").owners_of(character)
        for found in layers.layers(owner)
        if layers.BAKED in found.strip.action
        for name in actions.changed(found.curves, found.strip.action[layers.BAKED])
    ]
