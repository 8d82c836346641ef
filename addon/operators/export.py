"""Export Character: a file of another program's, without anything to be prepared by hand.

No postponed annotations here: Blender reads the annotations themselves.
"""

from collections.abc import Collection
from pathlib import Path
from typing import ClassVar

import bpy
from bpy.props import BoolProperty, EnumProperty

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..scene import character as characters
from ..scene import export
from . import reasons
from .file_dialog import Written

_ITEMS = tuple((name, item.label, item.description) for name, item in export.FORMATS.items())


class MAKEITTALK_OT_export_character(Written, reasons.Reasoned, bpy.types.Operator):
    """Write this character as it moves now, your own keys included, as a file for another program"""

    bl_idname = "makeittalk.export_character"
    bl_label = "Export Character"
    bl_options: ClassVar[set[str]] = {"UNDO", "PRESET"}

    format: EnumProperty(name="Format", description="What kind of file is written", items=_ITEMS, default="GLB")
    lit: BoolProperty(
        name="Lit",
        description="Let the lamps of the other program act on the portrait. FBX and USD know nothing else",
    )

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        reason = reasons.busy_reason() or reasons.character_reason(context)
        if reason:
            return reason
        settings = characters.active(context).makeittalk
        lost = settings.rig is None or settings.body is None or settings.body.data.shape_keys is None
        return "The character has lost its mesh or its rig. Run Make It Talk again." if lost else ""

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        character = characters.active(context)
        self.lit = character.makeittalk.lit
        return self.ask(context, character.name)

    def suffixes(self) -> Collection[str]:
        return {item.suffix for item in export.FORMATS.values()}

    def suffix(self) -> str:
        return export.FORMATS[self.format].suffix

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "format")
        if export.FORMATS[self.format].unlit:
            layout.prop(self, "lit")

    def execute(self, context: bpy.types.Context) -> set[str]:
        if not self.filepath:
            self.report({"ERROR"}, "Name a file to write.")
            return {"CANCELLED"}
        self.check(context)
        path = Path(bpy.path.abspath(self.filepath))
        try:
            export.write(context, characters.active(context), self.format, path, self.lit)
        except MakeItTalkError as error:
            return self.fail(context, error)
        self.report({"INFO"}, f"{path.name} is written.")
        return {"FINISHED"}


CLASSES = (MAKEITTALK_OT_export_character,)
