"""What an animator, and chance, may do to a character; after every step everything is looked at that must hold.

Runs inside Blender, in the background and in a window. A character, its real backend and its real files are there.
"""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

_MARK = "torture"  # custom property of the collection that is followed through everything
_VALUE = 2e-4  # by how much a key's value may be another one: Blender stores single precision
_FRAME = 0.02


@dataclass
class Key:
    """One key that the animator set.

    Attributes:
        owner: "rig" or "keys". path, index: of its curve. frame: of the scene. value: as Blender keyed it.
    """

    owner: str
    path: str
    index: int
    frame: float
    value: float


@dataclass
class Expected:
    """What must be there. `keys`: by the animator. `edits`: how many were set in all."""

    keys: list[Key] = field(default_factory=list)


class Torture:
    """Random steps, from a seed.

    Args:
        part: gives the extension's modules by name. seed: of the steps. folder: for files.
        recordings: speech to choose from. backend: whether bakes and takes can be asked for.
    """

    def __init__(
        self, part: Callable[[str], Any], seed: int, folder: Path, recordings: list[Path], backend: bool = True
    ) -> None:
        self.part, self.random, self.folder, self.recordings = part, random.Random(seed), folder, recordings
        self.expected = Expected()
        self.history: list[Expected] = []
        self.place = -1
        self.done: Counter[str] = Counter()
        self.log: list[str] = []
        self.losses: list[str] = []
        self.before = self._orphans()
        self.steps: list[tuple[int, Callable[[], None]]] = [
            (6, self.key_the_head),
            (6, self.key_a_shape_key),
            (5, self.turn_an_amount),
            (4, self.change_the_start),
            (3, self.drag_the_strip),
            (2, self.push_down),
            (2, self.duplicate),
            (2, self.append),
            (1, self.link),
            (2, self.override),
            (3, self.rename),
            (2, self.delete_a_part),
            (4, self.undo),
            (3, self.redo),
            (2, self.save_and_reopen),
            *([(3, self.rebake), (2, self.take_anew), (2, self.replace_speech), (2, self.change_the_rate)] * backend),
        ]

    def run(self, steps: int) -> None:
        """Makes steps, and looks at everything after each.

        Raises:
            AssertionError: something was lost.
        """
        character = self.part("addon.scene.character").active(bpy.context)
        character[_MARK] = 1
        self._push("begin")
        weights, actions = zip(*self.steps, strict=True)
        for number in range(steps):
            (step,) = self.random.choices(actions, weights)
            self.log.append(f"{number}: {step.__name__}")
            step()
            self.done[step.__name__] += 1
            if step not in (self.undo, self.redo, self.save_and_reopen):
                self._push(step.__name__)
            self.losses += self.look()
            assert not self.losses, "\n".join([*self.log[-12:], *self.losses])

    # What must hold

    @property
    def character(self) -> bpy.types.Collection:
        return next(
            item
            for item in bpy.data.collections
            if _MARK in item and item.library is None and item.name in self._here()
        )

    def look(self) -> list[str]:
        """Everything that is not as it must be, a sentence each."""
        character = self.character
        settings = character.makeittalk
        found = []
        present = self._present_keys()
        for key in self.expected.keys:
            there = present.get((key.owner, key.path, key.index), [])
            if not any(abs(f - key.frame) <= _FRAME and abs(v - key.value) <= _VALUE for f, v in there):
                found.append(f"lost: {key}; there are {there[:8]}")
        speech = self.part("addon.scene.speech")
        for spoken in settings.speeches:
            if speech.is_apart(bpy.context.scene, spoken):
                found.append(f"the sound lies {speech.apart(bpy.context.scene, spoken)} frames behind the lips")
        layers, bakes = self.part("addon.scene.layers"), self.part("addon.scene.bakes")
        for owner in bakes.owners_of(character):
            for layer in layers.layers(owner):
                spoken = next((item for item in settings.speeches if item.uid == layer.speech), None)
                if spoken is not None and abs(layers.begin(layer) - spoken.start) > 0.5:
                    found.append(f"{layer.part} begins at {layers.begin(layer)}, not at {spoken.start}")
        return found + [f"orphan: {kind} {name}" for kind, name in sorted(self._orphans() - self.before)]

    @staticmethod
    def _orphans() -> set[tuple[str, str]]:
        kinds = ("actions", "meshes", "armatures", "shape_keys", "sounds", "images", "materials", "cameras")
        return {(kind, item.name) for kind in kinds for item in getattr(bpy.data, kind) if item.users == 0}

    def _here(self) -> set[str]:
        return {item.name for item in bpy.context.scene.collection.children_recursive}

    def _owners(self) -> dict[str, Any]:
        rig, keys = self.part("addon.scene.bakes").owners_of(self.character)
        return {"rig": rig, "keys": keys}

    def _present_keys(self) -> dict[tuple[str, str, int], list[tuple[float, float]]]:
        """Every key of what is not generated: (frame of the scene, value) by owner, path and index."""
        compat, part = self.part("addon.compat"), self.part("addon.scene.layers").PART
        found: dict[tuple[str, str, int], list[tuple[float, float]]] = {}

        def take(name: str, curves: Any, frame: Callable[[float], float]) -> None:
            for curve in curves.fcurves if curves is not None else ():
                place = found.setdefault((name, curve.data_path, curve.array_index), [])
                place += [(frame(point.co[0]), point.co[1]) for point in curve.keyframe_points]

        for name, owner in self._owners().items():
            data = owner.animation_data
            take(name, compat.assigned_curves(owner), float)
            for track in data.nla_tracks if data is not None else ():
                for strip in track.strips:
                    if strip.action is not None and part not in strip.action:
                        begin, first = strip.frame_start, strip.action_frame_start
                        take(name, compat.strip_curves(strip), lambda f, b=begin, a=first: b + f - a)
        return found

    def _push(self, name: str) -> None:
        self.history = [*self.history[: self.place + 1], copy.deepcopy(self.expected)]
        self.place += 1
        bpy.ops.ed.undo_push(message=name)

    def _select(self) -> None:
        if bpy.context.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        self.part("addon.scene.character").select(self.character.makeittalk.rig)

    # What the animator does

    def _frame(self) -> int:
        settings = self.character.makeittalk
        frame = settings.start + self.random.randrange(max(1, settings.frames))
        bpy.context.scene.frame_set(frame)
        return frame

    def _keyed(self, owner: str, path: str, index: int, frame: float) -> None:
        """Notes a key that Blender has just inserted, as Blender wrote it."""
        curves = self.part("addon.compat").assigned_curves(self._owners()[owner])
        curve = curves.fcurves.find(path, index=index)
        point = next(point for point in curve.keyframe_points if abs(point.co[0] - frame) < _FRAME)
        self.expected.keys = [
            key
            for key in self.expected.keys
            if (key.owner, key.path, key.index) != (owner, path, index) or abs(key.frame - frame) > _FRAME
        ]
        self.expected.keys.append(Key(owner, path, index, float(frame), float(point.co[1])))

    def key_the_head(self) -> None:
        rig = self._owners()["rig"]
        frame, axis = self._frame(), self.random.randrange(3)
        bone = self.part("addon.scene.rig").head_bone(rig)
        pose = rig.pose.bones[bone]
        pose.rotation_euler[axis] += self.random.uniform(-0.2, 0.2)
        path = self.part("addon.scene.rig").head_path("rotation_euler", bone)
        assert rig.keyframe_insert(path, index=axis, frame=frame)
        self._keyed("rig", path, axis, frame)

    def key_a_shape_key(self) -> None:
        keys, frame = self._owners()["keys"], self._frame()
        block = self.random.choice([item for item in keys.key_blocks[1:] if not item.name.startswith("residual")])
        block.value += self.random.uniform(0.05, 0.3)
        path = f'key_blocks["{bpy.utils.escape_identifier(block.name)}"].value'
        assert keys.keyframe_insert(path, frame=frame)
        self._keyed("keys", path, 0, frame)

    def turn_an_amount(self) -> None:
        settings = self.character.makeittalk
        name = self.random.choice(["lip", "head", "nod", "turn", "tilt", "sway", "blink"])
        value = self.random.choice([0.0, 0.5, 1.0, 1.4])
        setattr(settings, name, value)
        assert abs(getattr(settings, name) - value) < 1e-6
        layers, bakes = self.part("addon.scene.layers"), self.part("addon.scene.bakes")
        for owner in bakes.owners_of(self.character):
            for layer in layers.layers(owner):
                found = next((item for item in (*layers.FACE, *layers.HEAD) if item.name == layer.part), None)
                if found is not None and found.amounts:
                    wanted = 1.0
                    for amount in found.amounts:
                        wanted *= getattr(settings, amount)
                    shown = float(layers.influence(layer, 1)[0]) * layer.gain
                    assert abs(shown - wanted) < 1e-3, (found.name, shown, wanted)

    def change_the_start(self) -> None:
        settings = self.character.makeittalk
        before = settings.start
        settings.start = self.random.randrange(1, 80)
        self._moved(settings.start - before)

    def drag_the_strip(self) -> None:
        speech, compat = self.part("addon.scene.speech"), self.part("addon.compat")
        strip = speech.strip_of(bpy.context.scene, self.character.makeittalk.current)
        if strip is None:
            return
        before = self.character.makeittalk.start
        compat.move_strip(strip, self.random.randrange(0, 40))
        self._select()
        if self.random.random() < 0.5:
            assert bpy.ops.makeittalk.timing_from_strip() == {"FINISHED"}
        else:
            self.character.makeittalk.start = before + 1
        self._moved(self.character.makeittalk.start - before)

    def _moved(self, frames: float) -> None:
        for key in self.expected.keys:
            key.frame += frames

    def push_down(self) -> None:
        """As the NLA editor's Push Down does: the action becomes a strip that blends as it did."""
        compat, layers = self.part("addon.compat"), self.part("addon.scene.layers")
        for owner in self._owners().values():
            data = owner.animation_data
            action = data.action
            curves = compat.assigned_curves(owner)
            if action is None or curves is None or not len(curves.fcurves):
                continue
            first = min(point.co[0] for curve in curves.fcurves for point in curve.keyframe_points)
            slot = data.action_slot if compat.SLOTTED_ACTIONS else None
            track = data.nla_tracks.new()
            strip = track.strips.new(action.name, int(first), action)
            if slot is not None:
                strip.action_slot = slot
            strip.action_frame_start = first
            strip.frame_start = first
            strip.frame_end = first + max(1.0, strip.action_frame_end - first)
            strip.blend_type, strip.extrapolation = data.action_blend_type, "HOLD"
            data.action = None
            assert strip.blend_type == layers.blending(owner)

    def duplicate(self) -> None:
        """Shift-D over the whole character; the copy works alone, and is removed again."""
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
        del made[_MARK]
        bpy.context.scene.collection.children.link(made)
        bpy.context.view_layer.update()
        if self.part("addon.scene.speech").is_missing(bpy.context.scene, made.makeittalk.current):
            bpy.context.view_layer.objects.active = made.makeittalk.rig
            assert bpy.ops.makeittalk.restore_speech() == {"FINISHED"}
        self._try_and_remove(made.makeittalk.rig)

    def _try_and_remove(self, rig: bpy.types.Object) -> None:
        original = self.character
        bpy.context.view_layer.objects.active = rig
        made = self.part("addon.scene.character").active(bpy.context)
        assert made != original, "the copy is taken for the original"
        start = original.makeittalk.start
        before = self._present_keys()
        made.makeittalk.start = start + 7
        made.makeittalk.lip, made.makeittalk.head = 0.3, 0.0
        assert original.makeittalk.start == start and self._present_keys() == before
        speech = self.part("addon.scene.speech")
        for item in (made, original):
            assert not speech.is_apart(bpy.context.scene, item.makeittalk.current)
        assert bpy.ops.makeittalk.remove_character() == {"FINISHED"}
        self._select()

    def link(self) -> None:
        """A linked character says what to do, and goes again."""
        made = self._linked()
        bpy.context.scene.collection.children.link(made)
        bpy.context.view_layer.objects.active = next(item for item in made.objects if item.type == "ARMATURE")
        assert "Library Override" in self.part("addon.operators.reasons").character_reason(bpy.context)
        assert not bpy.ops.makeittalk.rebake.poll()
        bpy.context.scene.collection.children.unlink(made)
        self._purge(made.library)

    def override(self) -> None:
        """An override has amounts and a start of its own."""
        linked = self._linked()
        bpy.context.scene.collection.children.link(linked)
        made = linked.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer, do_fully_editable=True)
        if linked.name in bpy.context.scene.collection.children:
            for child in list(bpy.context.scene.collection.children):
                if child.library is not None:
                    bpy.context.scene.collection.children.unlink(child)
        bpy.context.view_layer.objects.active = made.makeittalk.rig
        assert self.part("addon.scene.character").active(bpy.context) == made
        before = self._present_keys()
        made.makeittalk.lip = 0.5
        made.makeittalk.head = 0.0
        layers = self.part("addon.scene.layers")
        owners = self.part("addon.scene.bakes").owners_of(made)
        strengths = {
            layer.part: float(layers.influence(layer, 1)[0]) * layer.gain
            for owner in owners
            for layer in layers.layers(owner)
        }
        assert abs(strengths["Lips"] - 0.5) < 1e-3 and strengths["Nod"] == 0.0, strengths
        assert self._present_keys() == before
        library = linked.library
        for item in list(made.objects):
            bpy.data.objects.remove(item)
        bpy.data.collections.remove(made)
        self._purge(library)
        self._select()

    def _saved_copy(self) -> Path:
        path = self.folder / f"copy{sum(self.done.values())}.blend"
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

    def rename(self) -> None:
        character = self.character
        settings = character.makeittalk
        owners = self._owners()
        new = f"n{self.random.randrange(10_000)}"
        kind = self.random.choice(["collection", "rig", "body", "bone", "key", "strip", "track", "action"])
        if kind == "collection":
            character.name = new
        elif kind in ("rig", "body"):
            getattr(settings, kind).name = new
        elif kind == "bone":
            old = self.part("addon.scene.rig").head_bone(settings.rig)
            settings.rig.data.bones[old].name = new
            self._renamed(f'"{old}"', f'"{new}"', "rig")
        elif kind == "key":
            block = self.random.choice(list(owners["keys"].key_blocks[1:]))
            old, block.name = block.name, new
            self._renamed(f'"{old}"', f'"{new}"', "keys")
        elif kind == "strip":
            strip = self.part("addon.scene.speech").strip_of(bpy.context.scene, character.makeittalk.current)
            if strip is not None:
                strip.name = new
        else:
            data = owners[self.random.choice(["rig", "keys"])].animation_data
            track = self.random.choice(list(data.nla_tracks))
            if kind == "track":
                track.name = new
            else:
                track.strips[0].action.name = new

    def _renamed(self, old: str, new: str, owner: str) -> None:
        for key in self.expected.keys:
            if key.owner == owner:
                key.path = key.path.replace(f"[{old}]", f"[{new}]")

    def delete_a_part(self) -> None:
        character, speech = self.character, self.part("addon.scene.speech")
        kind = self.random.choice(["camera", "strip", "key"])
        if kind == "camera" and character.makeittalk.camera is not None:
            data = character.makeittalk.camera.data
            bpy.data.objects.remove(character.makeittalk.camera)
            if data.users == 0:
                bpy.data.cameras.remove(data)
        elif kind == "strip" and speech.strip_of(bpy.context.scene, character.makeittalk.current) is not None:
            strip = speech.strip_of(bpy.context.scene, character.makeittalk.current)
            self.part("addon.scene.strips").remove(bpy.context.scene, strip)
            self._select()
            assert bpy.ops.makeittalk.restore_speech() == {"FINISHED"}
        elif kind == "key":
            keys = self._owners()["keys"]
            used = {key.path for key in self.expected.keys}
            free = [item for item in keys.key_blocks[1:] if f'key_blocks["{item.name}"].value' not in used]
            free = [item for item in free if item.name.startswith("residual")]
            if free:
                character.makeittalk.body.shape_key_remove(self.random.choice(free))

    def undo(self) -> None:
        if self.place <= 0:
            return
        assert bpy.ops.ed.undo() == {"FINISHED"}
        self.place -= 1
        self.expected = copy.deepcopy(self.history[self.place])

    def redo(self) -> None:
        if self.place + 1 >= len(self.history):
            return
        assert bpy.ops.ed.redo() == {"FINISHED"}
        self.place += 1
        self.expected = copy.deepcopy(self.history[self.place])

    def save_and_reopen(self) -> None:
        path = str(self.folder / "torture.blend")
        bpy.ops.wm.save_as_mainfile(filepath=path)
        bpy.ops.wm.open_mainfile(filepath=path)
        self.history, self.place = [], -1
        self._push("opened")

    # What asks the backend

    def rebake(self) -> None:
        self._select()
        self.character.makeittalk.smooth = self.random.choice([0.0, 1.0, 1.5])
        assert bpy.ops.makeittalk.rebake() == {"FINISHED"}

    def take_anew(self) -> None:
        self._select()
        self.character.makeittalk.seed = self.random.randrange(1, 1000)
        assert bpy.ops.makeittalk.new_take() == {"FINISHED"}

    def replace_speech(self) -> None:
        self._select()
        assert bpy.ops.makeittalk.replace_speech(filepath=str(self.random.choice(self.recordings))) == {"FINISHED"}

    def change_the_rate(self) -> None:
        self._select()
        bpy.context.scene.render.fps = self.random.choice([24, 25, 30])
        assert bpy.ops.makeittalk.rebake() == {"FINISHED"}
