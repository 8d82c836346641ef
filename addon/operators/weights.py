"""Import Weights: the original checkpoints, for whoever has them. Remove Weights: a set of them, taken away again.

No postponed annotations here: Blender reads the annotations themselves.
"""

from typing import ClassVar

import bpy
from bpy.props import BoolProperty, StringProperty

from ...backend.makeittalk.exchange.data_folder import RELEASED, check_set_name, weights_folder
from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ...backend.makeittalk.exchange.whole_folder import remove_folder
from ..core.errors import AddonError
from ..jobs import import_weights
from ..jobs.task import Task
from ..package import settings
from . import reasons
from .modal_job import Running


class MAKEITTALK_OT_import_weights(Running, bpy.types.Operator):
    """Take in the networks of the original MakeItTalk (CC BY-NC 4.0: not for commerce) from a folder of yours: a clone
    of its repository with the checkpoints in examples/ckpt. No code in them is run"""

    bl_idname = "makeittalk.import_weights"
    bl_label = "Import Weights…"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    directory: StringProperty(
        name="Folder", description="A clone of the original repository, or its files alone", subtype="DIR_PATH"
    )
    name: StringProperty(name="Name", description="What the set of weights is called in menus", default=RELEASED)
    filter_folder: BoolProperty(default=True, options={"HIDDEN"})

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        return reasons.busy_reason() or reasons.backend_reason()

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.directory:
            return super().invoke(context, event)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        if not self.directory or not self.options.is_invoke or bpy.app.background:
            return super().execute(context)
        reason = self.disabled_reason(context)  # another job may have begun while the browser was open
        if reason:
            return self.fail(context, AddonError(reason))
        # The file browser executes what it was opened for: from here on it runs beside the user's work.
        bpy.ops.makeittalk.import_weights("INVOKE_DEFAULT", directory=self.directory, name=self.name)
        return {"FINISHED"}

    def start(self, context: bpy.types.Context) -> Task:
        if not self.directory:
            raise AddonError("No folder is named.", "Name a clone of the original MakeItTalk repository.")
        return import_weights.start(context, self.directory, self.name)


class MAKEITTALK_OT_remove_weights(reasons.Reasoned, bpy.types.Operator):
    """Delete an imported set of weights from this machine. Characters made with it stay as they are and remember its
    name; without the set they cannot be predicted anew"""

    bl_idname = "makeittalk.remove_weights"
    bl_label = "Remove Weights…"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    name: StringProperty(name="Name", description="What the set of weights is called in menus", default=RELEASED)

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        return reasons.busy_reason()  # which may be reading it

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            check_set_name(self.name)
            missing = reasons.weights_reason(self.name)
            if missing:
                raise AddonError(missing)
            remove_folder(weights_folder() / self.name)
        except MakeItTalkError as error:
            return self.fail(context, error)
        for owner in (settings(), *(scene.makeittalk for scene in bpy.data.scenes)):
            if owner is not None and owner.weights_set == self.name:
                owner.weights_set = ""
        return self.tell(context, f"The set {self.name} is removed.")


CLASSES = (MAKEITTALK_OT_import_weights, MAKEITTALK_OT_remove_weights)
