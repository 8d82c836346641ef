"""The panel of what is heard: markers of words, phones and mouth shapes."""

import bpy

from ..scene import character as characters
from .main import OfCharacter


class MAKEITTALK_PT_cues(OfCharacter, bpy.types.Panel):
    bl_idname = "MAKEITTALK_PT_cues"
    bl_label = "Words and Phones"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.enabled = not context.window_manager.makeittalk.running
        current = characters.active(context).makeittalk.current
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        row = column.row()
        row.enabled = current.words_text is None
        row.prop(current, "words")
        column.prop(current, "words_text")
        layout.operator("makeittalk.mark_words", icon="MARKER_HLT")
        layout.operator("makeittalk.mark_phones", icon="MARKER").shapes = False
        layout.operator("makeittalk.mark_phones", text="Mark Mouth Shapes", icon="MARKER").shapes = True
        layout.operator("makeittalk.remove_markers", icon="TRASH")


CLASSES = (MAKEITTALK_PT_cues,)
