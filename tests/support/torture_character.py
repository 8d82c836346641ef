"""The character that random steps are done to: what must be there of it, and what is. Runs inside Blender."""

from __future__ import annotations

import contextlib
import copy
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy
import numpy as np

MARK = "torture"  # custom property of the collection that is followed through everything: the number of the last step
VALUE = 2e-4  # by how much a key's value may be another one: Blender stores single precision
FRAME = 0.02
Place = tuple[str, str, int]  # owner, path and index of a curve


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

    @property
    def place(self) -> Place:
        return self.owner, self.path, self.index

    def lies_on(self, frame: float, value: float) -> bool:
        return abs(frame - self.frame) <= FRAME and abs(value - self.value) <= VALUE


@dataclass
class Expected:
    """What must be there.

    Attributes:
        keys: by the animator. merged: what the amounts said when the layers were merged, None while there are layers.
    """

    keys: list[Key] = field(default_factory=list)
    merged: dict[str, Any] | None = None


def blocking(operator: Any, **arguments: Any) -> Iterator[float]:
    """Runs an operator to its end, as a script does."""
    assert operator(**arguments) == {"FINISHED"}
    yield from ()


class Followed:
    """A character that is found again after everything, and what is known of it.

    Args:
        part: gives the extension's modules by name. seed: of the steps. folder: for files.
        recordings: speech to choose from. ask: runs an operator that asks the backend, yielding seconds to wait.
    """

    def __init__(
        self,
        part: Callable[[str], Any],
        seed: int,
        folder: Path,
        recordings: list[Path],
        ask: Callable[..., Iterator[float]] = blocking,
    ) -> None:
        self.part, self.random, self.folder, self.recordings = part, random.Random(seed), folder, recordings
        self.ask = ask
        self.expected = Expected()
        self.known: dict[int, Expected] = {}  # by number of the step
        self.number, self.newest = 0, 0
        self.undoable, self.redoable = 0, 0
        self.done: Counter[str] = Counter()
        self.edits = 0

    @property
    def character(self) -> bpy.types.Collection:
        here = {item.name for item in bpy.context.scene.collection.children_recursive}
        return next(
            item for item in bpy.data.collections if MARK in item and item.library is None and item.name in here
        )

    @property
    def settings(self) -> Any:
        return self.character.makeittalk

    def owners(self) -> dict[str, Any]:
        rig, keys = self.part("addon.scene.bakes").owners_of(self.character)
        return {"rig": rig, "keys": keys}

    def head(self) -> str:
        return self.part("addon.scene.rig").head_bone(self.settings.rig)

    def strip(self, spoken: Any = None) -> Any:
        return self.part("addon.scene.speech").strip_of(bpy.context.scene, spoken or self.settings.current)

    def select(self) -> None:
        if bpy.context.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        self.part("addon.scene.character").select(self.settings.rig)

    # States that undo leads back to

    def begin_step(self) -> None:
        self.newest += 1
        self.number = self.newest
        self.character[MARK] = self.number

    def end_step(self, name: str) -> None:
        """Has Blender remember the state."""
        self.known[self.number] = copy.deepcopy(self.expected)
        bpy.ops.ed.undo_push(message=name)
        self.undoable, self.redoable = self.undoable + 1, 0

    def state_changed(self) -> None:
        """What is there now is a state from before."""
        self.number = self.character[MARK]
        self.expected = copy.deepcopy(self.known[self.number])

    def forget_states(self) -> None:
        """Another file is open: there is nothing to undo."""
        self.undoable = self.redoable = 0
        bpy.ops.ed.undo_push(message="Opened")

    # Keys

    def own_keys(self) -> dict[Place, list[tuple[float, float]]]:
        """Frame and value of every key of the actions on top."""
        curves_of = self.part("addon.compat").assigned_curves
        return {
            place: found
            for name, owner in self.owners().items()
            for place, found in _keys(name, curves_of(owner)).items()
        }

    def strip_keys(self) -> Iterator[tuple[Any, dict[Place, list[tuple[float, float]]]]]:
        """Every strip that is not generated, and frame of the scene and value of its keys."""
        compat, part = self.part("addon.compat"), self.part("addon.scene.layers").PART
        for name, owner in self.owners().items():
            for track in owner.animation_data.nla_tracks if owner.animation_data is not None else ():
                for strip in track.strips:
                    if strip.action is not None and part not in strip.action:
                        ahead = strip.frame_start - strip.action_frame_start
                        yield strip, _keys(name, compat.strip_curves(strip), ahead)

    def present_keys(self) -> dict[Place, list[tuple[float, float]]]:
        """Frame of the scene and value of every key that is not generated."""
        found = self.own_keys()
        for _strip, keys in self.strip_keys():
            for place, there in keys.items():
                found[place] = found.get(place, []) + there
        return found

    def lost_keys(self) -> list[str]:
        """The keys of the animator's that are not where they were, a sentence each."""
        present, found = self.present_keys(), []
        there = {place: _by_frame(keys) for place, keys in present.items()}
        for key in self.expected.keys:
            number = round(key.frame)
            near = [item for at in (number - 1, number, number + 1) for item in there.get(key.place, {}).get(at, ())]
            if not any(key.lies_on(*other) for other in near):
                found.append(f"lost: {key}; near it are {near}")
        return found

    def keyed(self, owner: str, path: str, index: int, frame: float) -> None:
        """Notes a key that Blender has just inserted, as Blender wrote it."""
        self.edits += 1
        place = owner, path, index
        value = next(value for there, value in self.own_keys()[place] if abs(there - frame) < FRAME)
        self.forget_keys(lambda key: key.place == place and abs(key.frame - frame) <= FRAME)
        self.expected.keys.append(Key(*place, float(frame), float(value)))

    def forget_keys(self, which: Callable[[Key], bool]) -> None:
        self.expected.keys = [key for key in self.expected.keys if not which(key)]

    def keys_are(self, keys: dict[Place, list[tuple[float, float]]]) -> None:
        """From now on these are the animator's keys."""
        self.expected.keys = [Key(*place, *there) for place, found in keys.items() for there in found]

    def keyed_amounts(self) -> set[str]:
        """The properties of the rig that have curves of their own."""
        return {
            path.partition(".")[2] for _owner, path, _index in self.present_keys() if path.startswith("makeittalk.")
        }

    @contextlib.contextmanager
    def moving(self) -> Iterator[None]:
        """The current speech is moved meanwhile, and with it the keys that belong to it."""
        spoken, several = self.settings.current, len(self.settings.speeches) > 1
        uid, first, last = spoken.uid, spoken.placed, spoken.placed + spoken.frames - 1
        own, pushed_down = self.own_keys(), list(self.strip_keys())
        moved = []
        for key in self.expected.keys:
            if any(key.lies_on(*there) for there in own.get(key.place, ())):
                goes = first <= key.frame <= last
            else:
                strip = next(
                    strip
                    for strip, keys in pushed_down
                    if any(key.lies_on(*there) for there in keys.get(key.place, ()))
                )
                goes = first <= strip.frame_start and strip.frame_end <= last
            if goes or not several:
                moved.append(key)
        yield
        spoken = next(item for item in self.settings.speeches if item.uid == uid)
        for key in moved:
            key.frame += spoken.placed - first
        # A key that another one was moved onto is gone, as in Blender's editors.
        shift = spoken.placed - first
        taken = {
            (place, round(frame + shift, 1))
            for place, keys in own.items()
            for frame, _value in keys
            if shift and several and first <= frame <= last
        }
        kept = {id(key) for key in moved}
        self.forget_keys(lambda key: id(key) not in kept and (key.place, round(key.frame, 1)) in taken)

    # Motion

    def motion(self) -> dict[str, np.ndarray]:
        """What Blender shows on every frame around the speeches, by path and index: shape keys and the head."""
        scene, settings = bpy.context.scene, self.settings
        before, span = scene.frame_current, self.part("addon.scene.speech").span(self.character)
        blocks = [
            block for block in settings.body.data.shape_keys.key_blocks[1:] if not block.name.startswith("target")
        ]
        head = settings.rig.pose.bones[self.head()]
        rows = []
        for frame in range(span[0] - 3, span[1] + 4):
            scene.frame_set(frame)
            rows.append([*(block.value for block in blocks), *head.location, *head.rotation_euler])
        scene.frame_set(before)
        path = self.part("addon.scene.rig").head_path
        names = [f'key_blocks["{bpy.utils.escape_identifier(block.name)}"].value[0]' for block in blocks]
        names += [f"{path(name, head.name)}[{axis}]" for name in ("location", "rotation_euler") for axis in range(3)]
        return dict(zip(names, np.array(rows).T, strict=True))

    def moves_as(self, before: dict[str, np.ndarray], times: float) -> None:
        """Asserts that everything moves as it did.

        Args:
            times: what leaving keys out may cost that counts as the same.
        """
        allowed, now = self.part("addon.scene.bakes").tolerances(self.character), self.motion()
        for path, values in before.items():
            apart = np.abs(now[path] - values)
            limit = times * allowed[path] + 1e-4
            assert apart.max() <= limit, f"{path} is {apart.max()} off, not {limit}, in row {apart.argmax()}"


def _keys(owner: str, holder: Any, ahead: float = 0.0) -> dict[Place, list[tuple[float, float]]]:
    """Frame and value of every key of an action, `ahead` frames later than it says."""
    found = {}
    for curve in holder.fcurves if holder is not None else ():
        values = np.empty(2 * len(curve.keyframe_points), np.float32)
        curve.keyframe_points.foreach_get("co", values)
        frames = (values[0::2].astype(float) + ahead).tolist()
        found[owner, curve.data_path, curve.array_index] = list(zip(frames, values[1::2].tolist(), strict=True))
    return found


def _by_frame(keys: list[tuple[float, float]]) -> dict[int, list[tuple[float, float]]]:
    found: dict[int, list[tuple[float, float]]] = {}
    for key in keys:
        found.setdefault(round(key[0]), []).append(key)
    return found
