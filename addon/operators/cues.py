"""Words and phones: markers of what is heard, and mouth shapes as a file.

No postponed annotations here: Blender reads the annotations themselves.
"""

from collections.abc import Collection
from pathlib import Path
from typing import ClassVar

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ...backend.makeittalk.exchange.cues import EXTENDED
from ..core.errors import AddonError
from ..jobs import cues
from ..jobs.connection import redraw_panels
from ..jobs.task import Task
from ..scene import character as characters
from ..scene import markers
from . import reasons
from .file_dialog import Written
from .modal_job import Running

_FORMATS = (
    ("TSV", "TSV", "Lines of time and shape"),
    ("XML", "XML", "Rhubarb's XML"),
    ("JSON", "JSON", "Rhubarb's JSON"),
    ("DAT", "DAT", "A switch of Moho and OpenToonz, in frames of the scene's rate"),
)
_SUFFIXES = {name: f".{name.lower()}" for name, _, _ in _FORMATS}
_NO_WORDS = "Say what is said in it, in Words or as a Text."


class _Heard(Running):
    """What is asked of the backend about the recording of the current speech."""

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return (
            reasons.busy_reason()
            or reasons.character_reason(context)
            or reasons.recording_reason(characters.active(context))
            or reasons.backend_reason()
        )


class MAKEITTALK_OT_mark_phones(_Heard, bpy.types.Operator):
    """Put a marker on the timeline where each phone of this speech begins; only earlier ones of it are replaced"""

    bl_idname = "makeittalk.mark_phones"
    bl_label = "Mark Phones"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    shapes: BoolProperty(name="Mouth Shapes", description="Mark mouth shapes, A to H and X, instead of phones")

    def start(self, context: bpy.types.Context) -> Task:
        return cues.mark(context, characters.active(context), "SHAPES" if self.shapes else "PHONES")


class MAKEITTALK_OT_mark_words(_Heard, bpy.types.Operator):
    """Put a marker on the timeline where each word of this speech begins; only earlier ones of it are replaced"""

    bl_idname = "makeittalk.mark_words"
    bl_label = "Mark Words"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    text: StringProperty(
        name="Words", description="What is said; empty for the speech's own words", options={"SKIP_SAVE"}
    )

    def start(self, context: bpy.types.Context) -> Task:
        character = characters.active(context)
        text = self.text or character.makeittalk.current.said
        if not text.strip():
            raise AddonError("Nobody has said which words are spoken.", _NO_WORDS)
        return cues.mark(context, character, "WORDS", text)


class MAKEITTALK_OT_remove_markers(reasons.Reasoned, bpy.types.Operator):
    """Remove the markers of this speech's phones, words and mouth shapes; your own stay"""

    bl_idname = "makeittalk.remove_markers"
    bl_label = "Remove Markers"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        reason = reasons.busy_reason() or reasons.character_reason(context)
        if reason:
            return reason
        current = characters.active(context).makeittalk.current
        return "" if markers.of(context.scene, current) else "It has no markers."

    def execute(self, context: bpy.types.Context) -> set[str]:
        count = markers.remove(context.scene, characters.active(context).makeittalk.current)
        self.report({"INFO"}, f"{count} markers are removed.")
        redraw_panels()
        return {"FINISHED"}


class MAKEITTALK_OT_export_visemes(Written, _Heard, bpy.types.Operator):
    """Write the mouth shapes of this speech as a file that tools for Rhubarb Lip Sync read"""

    bl_idname = "makeittalk.export_visemes"
    bl_label = "Export Visemes"
    bl_options: ClassVar[set[str]] = {"REGISTER", "PRESET"}

    format: EnumProperty(name="Format", description="What kind of file is written", items=_FORMATS, default="TSV")
    extended: EnumProperty(
        name="Drawn",
        description="Which of the extended mouth shapes there are drawings of; the others are shown as A and C",
        items=(
            ("G", "G", "Teeth on the lip: F and V"),
            ("H", "H", "Tongue up: a long L"),
            ("X", "X", "At rest, in pauses"),
        ),
        options={"ENUM_FLAG"},
        default=set(EXTENDED),
    )
    preston_blair: BoolProperty(
        name="Preston Blair's Names",
        description="Call the shapes MBP, etc, E, AI, O, U, FV, L, rest, as OpenToonz does",
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.filepath:
            return super().invoke(context, event)
        return self.ask(context, characters.active(context).name)

    def suffixes(self) -> Collection[str]:
        return _SUFFIXES.values()

    def suffix(self) -> str:
        return _SUFFIXES[self.format]

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "format")
        layout.prop(self, "extended")
        if self.format == "DAT":
            layout.prop(self, "preston_blair")

    def execute(self, context: bpy.types.Context) -> set[str]:
        if not self.filepath:
            self.report({"ERROR"}, "Name a file to write.")
            return {"CANCELLED"}
        if not self.options.is_invoke or bpy.app.background:
            return super().execute(context)
        # The file browser executes what it was opened for: from here on it runs beside the user's work.
        chosen = {name: getattr(self, name) for name in ("filepath", "format", "extended", "preston_blair")}
        bpy.ops.makeittalk.export_visemes("INVOKE_DEFAULT", **chosen)
        return {"FINISHED"}

    def start(self, context: bpy.types.Context) -> Task:
        self.check(context)
        extended = "".join(shape for shape in EXTENDED if shape in self.extended)
        path = Path(bpy.path.abspath(self.filepath))
        return cues.export(context, characters.active(context), path, extended, self.preston_blair)


CLASSES = (
    MAKEITTALK_OT_mark_phones,
    MAKEITTALK_OT_mark_words,
    MAKEITTALK_OT_remove_markers,
    MAKEITTALK_OT_export_visemes,
)
