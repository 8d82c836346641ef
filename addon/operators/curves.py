"""Edit Head Curves, Edit Face Curves: the animator's own curves or one generated layer, in the Graph Editor."""

import contextlib
from typing import Any, ClassVar

import bpy
from bpy.props import BoolProperty, EnumProperty

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..scene import bakes, curve_editor, layers
from ..scene import character as characters
from . import reasons
from .gestures import moving_reason

_PARTS = (
    (curve_editor.HEAD, "Head", "The bone that carries the head"),
    (curve_editor.FACE, "Face", "The shape keys"),
)
_shown: list[tuple[str, str, str]] = []  # Blender does not keep the texts of a list that is made anew


def _generated(_self: bpy.types.Operator, context: bpy.types.Context | None) -> list[tuple[str, str, str]]:
    found: list[str] = []
    if context is not None and not moving_reason(context):
        with contextlib.suppress(MakeItTalkError):  # a mesh of somebody else's: the operator says so
            owners = bakes.owners_of(characters.active(context))
            found = [layer.part for owner in owners for layer in layers.layers(owner)]
    _shown[:] = [(name, name, f"The generated layer {name}") for name in found]
    return _shown


def _open_editor() -> Any:
    return BoolProperty(
        name="Open a Graph Editor",
        description="Turn another editor of the window, such as the timeline, into a Graph Editor where there is none",
    )


class MAKEITTALK_OT_edit_curves(reasons.Reasoned, bpy.types.Operator):
    """Show your own curves of the character in the Graph Editor: select what carries them and enter the right mode"""

    bl_idname = "makeittalk.edit_curves"
    bl_label = "Edit Curves"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    part: EnumProperty(name="Part", items=_PARTS)
    open_editor: _open_editor()

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        what = "head: pose mode, head bone" if properties.part == curve_editor.HEAD else "face: object mode, mesh"
        return f"Edit your own curves of the {what} selected, Graph Editors of the window set to show them"

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return moving_reason(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        character = characters.active(context)
        try:
            count = curve_editor.edit_own(character, self.part)
        except MakeItTalkError as error:
            return self.fail(context, error)
        shown = curve_editor.show(context, character, self.part, self.open_editor)
        if not count:
            self.report({"INFO"}, "Nothing is keyed here yet: add a gesture, press I, or edit a generated layer.")
        elif not shown:
            self.report({"INFO"}, "Selected. Open a Graph Editor to see the curves.")
        return {"FINISHED"}


class MAKEITTALK_OT_edit_generated(reasons.Reasoned, bpy.types.Operator):
    """Edit one generated layer in the Graph Editor: your changes are kept above it. Tab in the NLA editor, or Head and
    Face Curves, ends it"""

    bl_idname = "makeittalk.edit_generated"
    bl_label = "Edit Generated Curves"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    layer: EnumProperty(name="Layer", description="Which share of the performance", items=_generated)
    open_editor: _open_editor()

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return moving_reason(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        character = characters.active(context)
        try:
            part = curve_editor.edit_generated(character, self.layer)
        except MakeItTalkError as error:
            return self.fail(context, error)
        curve_editor.show(context, character, part, self.open_editor)
        return {"FINISHED"}


CLASSES = (MAKEITTALK_OT_edit_curves, MAKEITTALK_OT_edit_generated)
