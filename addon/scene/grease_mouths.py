"""Mouths that are drawn with Grease Pencil: a drawing for each mouth shape, shown by what is heard.

The drawings are layers that are named after the shapes, or frames of one object that a Time Offset modifier chooses
from. Nothing in them is changed: what shows them lies on an NLA strip.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import bpy

from ...backend.makeittalk.exchange.cues import EXTENDED, INSTEAD, PRESTON_BLAIR, SHAPES, Cue
from ..core.errors import AddonError
from ..core.viseme_holds import held
from . import retarget_layer

TYPES = ("GPENCIL", "GREASEPENCIL")  # of objects: before 4.3, and since
_MODIFIER = "MakeItTalk Mouth"
_NEEDED = tuple(shape for shape in SHAPES if shape not in EXTENDED)


def is_drawing(item: bpy.types.Object | None) -> bool:
    """Whether an object is one of Grease Pencil."""
    return item is not None and item.type in TYPES


def layers_of(item: bpy.types.Object) -> dict[str, str]:
    """Mouth shape → the layer that is named after it, by Rhubarb's letters or Preston Blair's names."""
    names = {}
    for layer in reversed(item.data.layers):
        name = _name(layer)
        names[re.split(r"[\s_.\-:]+", name.lower())[-1]] = name
    blair = {shape: name.lower() for shape, name in PRESTON_BLAIR.items()}
    letters = {shape: shape.lower() for shape in SHAPES}
    # "E" and "O" are shapes in both; what else there is tells which.
    called = max((letters, blair), key=lambda vocabulary: len(names.keys() & set(vocabulary.values())))
    return {shape: names[name] for shape, name in called.items() if name in names}


def frames_of(item: bpy.types.Object) -> dict[str, int]:
    """Mouth shape → the frame on which it is drawn: the first drawing of the object is A, the next B, and so on."""
    numbers = sorted({frame.frame_number for layer in item.data.layers for frame in layer.frames})
    return dict(zip(SHAPES, numbers, strict=False))


def extended(shapes: dict[str, Any]) -> str:
    """Which of the extended mouth shapes are drawn."""
    return "".join(shape for shape in EXTENDED if shape in shapes)


def reason(shapes: dict[str, Any]) -> str:
    """Why drawings are too few."""
    missing = [shape for shape in _NEEDED if shape not in shapes]
    return f"There is no drawing for {', '.join(missing)}." if missing else ""


def show_layers(
    item: bpy.types.Object, shapes: dict[str, str], cues: Sequence[Cue], rate: float, name: str, start: int
) -> int:
    """Shows the layer of each mouth shape while it is heard, and none of the others'.

    Args:
        shapes: mouth shape → layer. cues: the shapes from 0 to the end. rate: frames/s of the scene.
        name: of the character. start: frame of the recording's beginning.

    Returns:
        How many times the mouth changes.

    Raises:
        AddonError: shapes are missing, or nothing is heard.
    """
    steps = _steps(shapes, cues, rate)
    chosen = [(frame, _drawing(shapes, shape)) for frame, shape in steps]
    curves = {}
    for layer in item.data.layers:
        own = _name(layer)
        if own in shapes.values():
            curves[layer.path_from_id("opacity")] = [(frame, float(own == other)) for frame, other in chosen]
    retarget_layer.write_steps(item.data, retarget_layer.MOUTHS, curves, name, start)
    return len(steps)


def show_frames(
    item: bpy.types.Object, shapes: dict[str, int], cues: Sequence[Cue], rate: float, name: str, start: int
) -> int:
    """Has a Time Offset modifier choose the drawing of each mouth shape while it is heard; as `show_layers`.

    Args:
        shapes: mouth shape → the frame it is drawn on.
    """
    steps = _steps(shapes, cues, rate)
    modifier = _own_modifier(item) or _modifiers(item).new(_MODIFIER, _kind(item))
    modifier.mode = "FIX"
    path = modifier.path_from_id("offset")
    values = [(frame, float(_drawing(shapes, shape))) for frame, shape in steps]
    retarget_layer.write_steps(item, retarget_layer.MOUTHS, {path: values}, name, start)
    return len(steps)


def remove(item: bpy.types.Object) -> int:
    """Takes away what shows an object's mouths; the drawings stay as they are."""
    count = retarget_layer.remove(item, retarget_layer.MOUTHS) + retarget_layer.remove(item.data, retarget_layer.MOUTHS)
    modifier = _own_modifier(item)
    if modifier is not None and count:
        _modifiers(item).remove(modifier)
    return count


def _steps(shapes: dict[str, Any], cues: Sequence[Cue], rate: float) -> list[tuple[int, str]]:
    if lacking := reason(shapes):
        raise AddonError(lacking, "Name a layer after each shape, or draw one shape a frame in the order A to H, X.")
    steps = held(cues, rate)
    if not steps:
        raise AddonError("Nothing is heard in this speech.", "Choose another recording.")
    return steps


def _drawing(shapes: dict[str, Any], shape: str) -> Any:
    """What shows a mouth shape: its own drawing, else the one it is replaced by."""
    return shapes[shape] if shape in shapes else shapes[INSTEAD[shape]]


def _name(layer: Any) -> str:
    return str(layer.info if hasattr(layer, "info") else layer.name)


def _modifiers(item: bpy.types.Object) -> Any:
    return item.grease_pencil_modifiers if item.type == "GPENCIL" else item.modifiers


def _kind(item: bpy.types.Object) -> str:
    return "GP_TIME" if item.type == "GPENCIL" else "GREASE_PENCIL_TIME"


def _own_modifier(item: bpy.types.Object) -> Any:
    """What `show_frames` has put on an object; one of another kind may have its name."""
    mine = (found for found in _modifiers(item) if found.type == _kind(item) and found.name.startswith(_MODIFIER))
    return next(mine, None)
