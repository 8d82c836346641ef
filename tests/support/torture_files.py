"""Random steps with copies, files and undo: duplicates, appended, linked and overridden characters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy
from torture_character import MARK
from torture_speech import SpeechSteps

_OPENED = 0.5  # s until a window shows a file


class FileSteps(SpeechSteps):
    """What an animator does with whole characters; what it makes works alone, and goes again."""

    def duplicate(self) -> None:
        """Shift-D over the whole character."""
        original = self.character
        if bpy.context.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        for item in bpy.context.view_layer.objects:
            item.select_set(item.name in original.objects)
        bpy.context.view_layer.objects.active = original.makeittalk.rig
        assert bpy.ops.object.duplicate() == {"FINISHED"}
        bpy.context.view_layer.update()
        self.part("addon.scene.copies").settle(bpy.context.scene)
        self._try_and_remove(bpy.context.view_layer.objects.active)

    def append(self) -> None:
        """Appends the character as it is to the same file."""
        path = self._saved_copy()
        with bpy.data.libraries.load(str(path), link=False) as (_source, wanted):
            wanted.collections = [self.character.name]
        made = wanted.collections[0]
        del made[MARK]
        bpy.context.scene.collection.children.link(made)
        bpy.context.view_layer.update()
        bpy.context.view_layer.objects.active = made.makeittalk.rig
        chosen = made.makeittalk.active_speech
        for number, spoken in enumerate(made.makeittalk.speeches):
            made.makeittalk.active_speech = number
            if self.part("addon.scene.speech").is_missing(bpy.context.scene, spoken):
                assert bpy.ops.makeittalk.restore_speech() == {"FINISHED"}
        made.makeittalk.active_speech = chosen
        self._try_and_remove(made.makeittalk.rig)

    def _try_and_remove(self, rig: bpy.types.Object) -> None:
        original = self.character
        bpy.context.view_layer.objects.active = rig
        made = self.part("addon.scene.character").active(bpy.context)
        assert made != original, "the copy is taken for the original"
        start, before = original.makeittalk.start, self.present_keys()
        made.makeittalk.start = start + 7
        made.makeittalk.lip, made.makeittalk.head = 0.3, 0.0
        assert original.makeittalk.start == start and self.present_keys() == before
        speech = self.part("addon.scene.speech")
        for item in (made, original):
            assert abs(speech.apart(bpy.context.scene, item.makeittalk.current)) <= 0.5
        self.amounts_act(made)
        for owner in (made.makeittalk.rig, made.makeittalk.body.data.shape_keys):
            for curve in owner.animation_data.drivers:
                for variable in curve.driver.variables:
                    target = variable.targets[0].id
                    assert target in (made.makeittalk.rig, made.makeittalk.body.data.shape_keys), target
        assert bpy.ops.makeittalk.remove_character() == {"FINISHED"}
        self.select()

    def link(self) -> None:
        """A linked character says what to do."""
        made = self._linked()
        bpy.context.scene.collection.children.link(made)
        bpy.context.view_layer.objects.active = next(item for item in made.objects if item.type == "ARMATURE")
        assert "Library Override" in self.part("addon.operators.reasons").character_reason(bpy.context)
        assert not bpy.ops.makeittalk.rebake.poll()
        bpy.context.scene.collection.children.unlink(made)
        self._purge(made.library)

    def override(self) -> None:
        """An override has amounts of its own."""
        linked = self._linked()
        bpy.context.scene.collection.children.link(linked)
        made = linked.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer, do_fully_editable=True)
        for child in list(bpy.context.scene.collection.children):
            if child.library is not None:
                bpy.context.scene.collection.children.unlink(child)
        bpy.context.view_layer.objects.active = made.makeittalk.rig
        assert self.part("addon.scene.character").active(bpy.context) == made
        before = self.present_keys()
        made.makeittalk.lip, made.makeittalk.head = 0.5, 0.0
        self.amounts_act(made)
        assert self.present_keys() == before
        library = linked.library
        for item in list(made.objects):
            bpy.data.objects.remove(item)
        bpy.data.collections.remove(made)
        self._purge(library)
        self.select()

    def _saved_copy(self) -> Path:
        path = self.folder / f"copy{self.newest}.blend"
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
        return path

    def _linked(self) -> bpy.types.Collection:
        path = self._saved_copy()
        with bpy.data.libraries.load(str(path), link=True) as (_source, wanted):
            wanted.collections = [self.character.name]
        return wanted.collections[0]

    @staticmethod
    def _purge(library: bpy.types.Library) -> None:
        bpy.data.libraries.remove(library)
        bpy.data.orphans_purge(do_local_ids=True, do_linked_ids=True, do_recursive=True)

    def undo(self) -> None:
        if self.undoable <= 0:
            return
        assert bpy.ops.ed.undo() == {"FINISHED"}
        self.undoable, self.redoable = self.undoable - 1, self.redoable + 1
        self.state_changed()

    def redo(self) -> None:
        if self.redoable <= 0:
            return
        assert bpy.ops.ed.redo() == {"FINISHED"}
        self.undoable, self.redoable = self.undoable + 1, self.redoable - 1
        self.state_changed()

    def save_and_reopen(self) -> Iterator[float]:
        path = str(self.folder / "torture.blend")
        bpy.ops.wm.save_as_mainfile(filepath=path)
        bpy.ops.wm.open_mainfile(filepath=path)
        yield _OPENED
        self.state_changed()
        self.forget_states()
