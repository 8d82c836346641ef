"""What goes wrong on the Blender side, in sentences for the user. No bpy here."""

from __future__ import annotations

from ...backend.makeittalk.exchange.errors import MakeItTalkError


class AddonError(MakeItTalkError):
    """Something in the scene, or between Blender and its backend, stands in the way."""

    code = "addon"
    exit_status = 2
