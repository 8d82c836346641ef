"""Choosing and removing characters, showing their pictures, restarting the backend."""

from typing import ClassVar

import bpy
from bpy.props import BoolProperty, StringProperty

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..jobs import connection
from ..scene import character as characters
from ..scene import view
from . import reasons


class MAKEITTALK_OT_select_character(reasons.Reasoned, bpy.types.Operator):
    """Work on this character"""

    bl_idname = "makeittalk.select_character"
    bl_label = "Select Character"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    name: StringProperty(name="Character", description="Name of the character's collection")

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return reasons.character_reason(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        found = next((item for item in characters.characters(context.scene) if item.name == self.name), None)
        if found is None or found.makeittalk.rig is None:
            self.report({"ERROR"}, f"There is no character called {self.name}.")
            return {"CANCELLED"}
        characters.select(found.makeittalk.rig)
        return {"FINISHED"}


class MAKEITTALK_OT_remove_character(reasons.Reasoned, bpy.types.Operator):
    """Remove this character with its mesh, rig, curves, pictures and the speech strip that was made for it"""

    bl_idname = "makeittalk.remove_character"
    bl_label = "Remove Character"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return reasons.busy_reason() or reasons.removal_reason(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        characters.remove(context.scene, characters.active(context))
        return {"FINISHED"}


class MAKEITTALK_OT_dismiss_notices(reasons.Reasoned, bpy.types.Operator):
    """Remove these remarks about the portrait and the recording from the panel"""

    bl_idname = "makeittalk.dismiss_notices"
    bl_label = "Dismiss"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return reasons.character_reason(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        characters.active(context).makeittalk.notices = ""
        return {"FINISHED"}


class MAKEITTALK_OT_show_texture(reasons.Reasoned, bpy.types.Operator):
    """Show pictures on objects in this viewport's Solid shading, and where further characters of this session appear"""

    bl_idname = "makeittalk.show_texture"
    bl_label = "Show Portrait in Solid View"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    show: BoolProperty(name="Show", default=True, options={"SKIP_SAVE"})

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return str(cls.__doc__) if properties.show else "Leave Solid shading as it is, and ask no more in this session"

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        return "" if view.area_of(context) is not None else "There is no 3D viewport."

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.window_manager.makeittalk.texture = "SHOW" if self.show else "LEAVE"
        if self.show:
            view.show_texture(view.area_of(context).spaces.active)
        return {"FINISHED"}


class MAKEITTALK_OT_restart_backend(reasons.Reasoned, bpy.types.Operator):
    """End the backend process and start it again"""

    bl_idname = "makeittalk.restart_backend"
    bl_label = "Restart Backend"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        return reasons.busy_reason() or connection.no_python_reason()

    def execute(self, context: bpy.types.Context) -> set[str]:
        session = context.window_manager.makeittalk
        connection.close()
        try:
            connection.get()
        except MakeItTalkError as error:
            return self.fail(context, error)
        session.say("")
        connection.redraw_panels()
        return {"FINISHED"}


CLASSES = (
    MAKEITTALK_OT_select_character,
    MAKEITTALK_OT_remove_character,
    MAKEITTALK_OT_dismiss_notices,
    MAKEITTALK_OT_show_texture,
    MAKEITTALK_OT_restart_backend,
)
