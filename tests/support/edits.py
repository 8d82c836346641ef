"""Which curves of a character are no longer what was baked, for tests of what an edit survives."""

from __future__ import annotations

import json

from extension import part


def edited_curves(character) -> list[str]:
    """The identifiers of the curves that were changed by hand since their last bake."""
    settings = character.makeittalk
    baked = json.loads(settings.baked)
    owners = {"head": settings.rig, "face": settings.body.data.shape_keys}
    edited = part("addon.scene.actions").edited
    return [name for kind, owner in owners.items() for name in edited(owner, settings.start, baked[kind])]
