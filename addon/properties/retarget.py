"""Whom a character's performance is put on, and what moves what there (on the character, so that the file keeps it).

No postponed annotations here: Blender reads the annotations themselves.
"""

from collections.abc import Iterator
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..core.head_axes import AXES
from ..core.retarget_names import MEANINGS
from ..core.retarget_preset import HIGHEST
from ..scene import retarget
from .fields import OVERRIDABLE

_AXES = (
    ("AUTO", "Automatic", "As the bone's rest pose tells"),
    *((name, name, f"The bone's own {name}") for name in AXES),
)
_MOUTHS = (
    ("LAYERS", "Layers", "A layer for each mouth shape, named A to H and X or as Preston Blair's chart"),
    ("FRAMES", "Frames", "A drawing for each mouth shape on frames of one object, in the order A to H, X"),
)


def _meanings(_self: "MakeItTalkMapping", _context: bpy.types.Context, _text: str) -> list[str]:
    return list(MEANINGS)


def _targets(self: "MakeItTalkMapping", _context: bpy.types.Context, _text: str) -> list[str]:
    target = self.id_data.makeittalk.retarget.target
    return retarget.names_of(target) if target is not None else []


def _bones(self: "MakeItTalkRetarget", _context: bpy.types.Context, _text: str) -> Iterator[str]:
    armature = self.head_target
    return iter([bone.name for bone in armature.data.bones] if armature is not None else [])


def _can_take(_self: "MakeItTalkRetarget", item: bpy.types.Object) -> bool:
    return retarget.can_take(item)


def _is_armature(_self: "MakeItTalkRetarget", item: bpy.types.Object) -> bool:
    return item.type == "ARMATURE" and retarget.can_take(item)


def _chosen(self: "MakeItTalkRetarget", _context: bpy.types.Context) -> None:
    retarget.choose(self)


def _chosen_head(self: "MakeItTalkRetarget", _context: bpy.types.Context) -> None:
    retarget.choose_head(self)


def _number(name: str, description: str, default: float, usual: tuple[float, float]) -> Any:
    return FloatProperty(
        name=name,
        description=description,
        default=default,
        min=-HIGHEST,
        max=HIGHEST,
        soft_min=usual[0],
        soft_max=usual[1],
        override=OVERRIDABLE,
    )


class MakeItTalkMapping(bpy.types.PropertyGroup):
    """What moves one shape key or bone of the target; `name` is that key's or bone's."""

    target: StringProperty(
        name="Target",
        description="The shape key or bone that is moved",
        search=_targets,
        override=OVERRIDABLE,
    )
    meaning: StringProperty(
        name="Means",
        description="What it means, by whose word: arkit:jawOpen, vrm:aa, oculus:PP, rhubarb:A, rigify:lip.T … "
        "It is moved as far as that shows what the character does",
        search=_meanings,
        override=OVERRIDABLE,
    )
    gain: _number("Gain", "What its value is multiplied with", 1.0, (0.0, 2.0))
    offset: _number("Offset", "What is added to its value", 0.0, (-1.0, 1.0))
    use: BoolProperty(name="Use", description="Move it; off leaves it as it is", default=True, override=OVERRIDABLE)


class MakeItTalkRetarget(bpy.types.PropertyGroup):
    """Whom the performance is put on, and how."""

    target: PointerProperty(
        name="Target",
        type=bpy.types.Object,
        description="Whose shape keys, bones or Grease Pencil drawings take the performance",
        poll=_can_take,
        update=_chosen,
        override=OVERRIDABLE,
    )
    rows: CollectionProperty(type=MakeItTalkMapping, override={*OVERRIDABLE, "USE_INSERTION"})
    active_row: IntProperty(name="Mapping", description="What moves this shape key or bone", override=OVERRIDABLE)
    head_target: PointerProperty(
        name="Head",
        type=bpy.types.Object,
        description="An armature whose bone takes the head's motion; none leaves the head where it is",
        poll=_is_armature,
        update=_chosen_head,
        override=OVERRIDABLE,
    )
    head_bone: StringProperty(
        name="Bone", description="The bone that takes the head's motion", search=_bones, override=OVERRIDABLE
    )
    head_turn: _number("Turn", "How far the bone turns; 1 as far as the character's head", 1.0, (0.0, 2.0))
    head_move: _number(
        "Move",
        "How far the bone leaves its place; 1 as far as the character's head, by the bones' lengths",
        0.0,
        (0.0, 2.0),
    )
    head_forward: EnumProperty(
        name="Forward",
        description="The bone's own axis along which the face looks",
        items=_AXES,
        default="AUTO",
        override=OVERRIDABLE,
    )
    head_up: EnumProperty(
        name="Up",
        description="The bone's own axis that is above the face",
        items=_AXES,
        default="AUTO",
        override=OVERRIDABLE,
    )
    mouths: EnumProperty(
        name="Drawn",
        description="How the mouth shapes are drawn",
        items=_MOUTHS,
        default="LAYERS",
        override=OVERRIDABLE,
    )
