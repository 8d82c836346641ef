"""What the scene, a character, its rig and the session remember."""

import bpy
from bpy.props import PointerProperty

from .character import MakeItTalkAmounts, MakeItTalkCharacter, MakeItTalkSpeech
from .fields import OVERRIDABLE
from .retarget import MakeItTalkMapping, MakeItTalkRetarget
from .session import MakeItTalkSession
from .settings import MakeItTalkSettings

CLASSES = (
    *(MakeItTalkSettings, MakeItTalkSpeech, MakeItTalkMapping, MakeItTalkRetarget),
    *(MakeItTalkCharacter, MakeItTalkAmounts, MakeItTalkSession),
)
_OWNERS = (
    (bpy.types.Scene, MakeItTalkSettings),
    (bpy.types.Collection, MakeItTalkCharacter),
    (bpy.types.Object, MakeItTalkAmounts),
    (bpy.types.WindowManager, MakeItTalkSession),
)


def register() -> None:
    for kind in CLASSES:
        bpy.utils.register_class(kind)
    for owner, kind in _OWNERS:
        owner.makeittalk = PointerProperty(type=kind, override=OVERRIDABLE)


def unregister() -> None:
    for owner, _kind in _OWNERS:
        del owner.makeittalk
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
