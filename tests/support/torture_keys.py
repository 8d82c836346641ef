"""Random steps on the animator's own layer: keys, gestures, amounts, edits taken back, layers merged and split."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from torture_character import FRAME, Followed, Key

_GESTURES = ("NOD", "SHAKE", "TILT", "LOOK_AWAY", "BROWS", "BLINK", "SMILE", "FROWN", "SURPRISE")
_AMOUNTS = ("lip", "head", "nod", "turn", "tilt", "sway", "blink")
_HOLDING = ("still", "eyes_open")
_HIGHEST = 4.0  # of an amount
_MERGED = 1.05  # tolerances that merging may cost
_SPLIT = 4.0  # splitting leaves out what key reduction leaves, once below and once above


class KeySteps(Followed):
    """What an animator does to curves."""

    def any_frame(self) -> int:
        """Goes to a frame of the current speech."""
        frame = self.settings.start + self.random.randrange(max(1, self.settings.frames))
        bpy.context.scene.frame_set(frame)
        return frame

    def key_the_head(self) -> None:
        rig, frame, axis, bone = self.settings.rig, self.any_frame(), self.random.randrange(3), self.head()
        rig.pose.bones[bone].rotation_euler[axis] += self.random.uniform(-0.2, 0.2)
        path = self.part("addon.scene.rig").head_path("rotation_euler", bone)
        assert rig.keyframe_insert(path, index=axis, frame=frame)
        self.keyed("rig", path, axis, frame)

    def key_a_shape_key(self) -> None:
        keys, frame = self.owners()["keys"], self.any_frame()
        block = self.random.choice([item for item in keys.key_blocks[1:] if not item.name.startswith("residual")])
        block.value += self.random.uniform(0.05, 0.3)
        path = f'key_blocks["{bpy.utils.escape_identifier(block.name)}"].value'
        assert keys.keyframe_insert(path, frame=frame)
        self.keyed("keys", path, 0, frame)

    def key_an_amount(self) -> None:
        rig, frame, name = self.settings.rig, self.any_frame(), self.random.choice(_AMOUNTS)
        setattr(rig.makeittalk, name, self.random.choice([0.0, 0.4, 0.9, 1.3]))
        assert rig.keyframe_insert(f"makeittalk.{name}", frame=frame)
        self.keyed("rig", f"makeittalk.{name}", 0, frame)
        rig.animation_data.action.update_tag()
        bpy.context.view_layer.update()
        self.amounts_act(self.character)

    def turn_an_amount(self) -> None:
        name, value = self.random.choice(_AMOUNTS), self.random.choice([0.0, 0.5, 1.0, 1.4])
        setattr(self.settings, name, value)
        assert abs(getattr(self.settings, name) - value) < 1e-6
        self.amounts_act(self.character)

    def amounts_act(self, character: bpy.types.Collection) -> None:
        """Asserts that each generated layer shows as much as the amounts say, at its middle where all of it shows."""
        layers, bakes = self.part("addon.scene.layers"), self.part("addon.scene.bakes")
        settings = character.makeittalk
        parts = {part.name: part for part in (*layers.FACE, *layers.HEAD)}
        speeches = {item.uid: item for item in settings.speeches}
        for owner in bakes.owners_of(character):
            for layer in layers.layers(owner):
                part, spoken = parts.get(layer.part), speeches.get(layer.speech)
                if part is None or spoken is None or spoken.frames < spoken.cut_before + spoken.cut_behind + 4:
                    continue
                frame = layers.begin(layer) + (spoken.cut_before + spoken.frames - spoken.cut_behind) // 2
                wanted = 1.0
                for name in part.amounts:
                    wanted *= min(max(self._amount(settings.rig, name, frame), 0.0), _HIGHEST)
                if part.held_by:
                    wanted *= 1.0 - min(max(self._amount(settings.rig, part.held_by, frame), 0.0), 1.0)
                shown = layer.strip.fcurves.find("influence").evaluate(frame) * layer.gain
                assert abs(shown - wanted) < 0.02, f"of {layer.part} on {frame} is seen {shown}, not {wanted}"

    def _amount(self, rig: bpy.types.Object, name: str, frame: float) -> float:
        """What Blender makes of an amount: what each of its curves says beyond the default adds up."""
        compat, path = self.part("addon.compat"), f"makeittalk.{name}"
        said = [(compat.assigned_curves(rig), frame)]
        for track in rig.animation_data.nla_tracks:
            for strip in track.strips:
                if self.part("addon.scene.layers").PART not in strip.action:
                    inside = min(max(frame, strip.frame_start), strip.frame_end)
                    said.append((compat.strip_curves(strip), inside - strip.frame_start + strip.action_frame_start))
        found = [(holder.fcurves.find(path), time) for holder, time in said if holder is not None]
        values = [curve.evaluate(time) for curve, time in found if curve is not None]
        if name in _HOLDING:  # acts by its keys alone
            return sum(values)
        return 1.0 + sum(value - 1.0 for value in values) if values else getattr(rig.makeittalk, name)

    def push_down(self) -> None:
        """As the NLA editor's Push Down does: the action becomes a strip that blends as it did."""
        compat, layers = self.part("addon.compat"), self.part("addon.scene.layers")
        for owner in self.owners().values():
            data = owner.animation_data
            action, curves = data.action, compat.assigned_curves(owner)
            if action is None or curves is None or not len(curves.fcurves):
                continue
            frames = [point.co[0] for curve in curves.fcurves for point in curve.keyframe_points]
            first, last = min(frames), max(min(frames) + 1.0, *frames)
            slot = data.action_slot if compat.SLOTTED_ACTIONS else None
            track = data.nla_tracks.new()
            strip = track.strips.new(action.name, int(first), action)
            if slot is not None:
                strip.action_slot = slot
            strip.use_sync_length = False
            strip.action_frame_end = last  # first: a start lies never behind it
            strip.action_frame_start = first
            strip.frame_end = max(last, strip.frame_start + 1.0)
            strip.frame_start, strip.frame_end = first, last
            strip.repeat = strip.scale = 1.0
            lies = strip.frame_start, strip.frame_end, strip.action_frame_start, strip.action_frame_end
            assert np.allclose(lies, (first, last, first, last)), f"the strip lies on {lies}, not {first} to {last}"
            strip.blend_type, strip.extrapolation = data.action_blend_type, "HOLD"
            data.action = None
            assert strip.blend_type == layers.blending(owner) or self.settings.merged

    def gesture(self) -> None:
        self.select()
        kind = self.random.choice(_GESTURES)
        self.any_frame()
        with self.adding():
            assert bpy.ops.makeittalk.gesture(kind=kind, strength=self.random.choice([0.5, 1.0])) == {"FINISHED"}

    def hold_still_or_blink(self) -> None:
        """Holds the head, or removes or moves a generated blink where there is one."""
        self.select()
        frame = self.any_frame()
        gestures, setup = self.part("addon.scene.gestures"), self.part("addon.scene.setup")
        found = gestures.blink_at(self.character, frame, setup.frame_rate(bpy.context.scene))
        operator = self.random.choice([bpy.ops.makeittalk.remove_blink, bpy.ops.makeittalk.move_blink])
        with self.adding():
            assert (operator if found else bpy.ops.makeittalk.hold_still)() == {"FINISHED"}

    def adding(self) -> _Adding:
        """What is keyed meanwhile is added to what was there: no key goes, and none outside of the span changes."""
        return _Adding(self)

    def revert_an_edit(self) -> None:
        """Takes one row of the list back: its keys go, no others."""
        if self.settings.merged:
            return
        self.select()
        edits, setup = self.part("addon.scene.edits"), self.part("addon.scene.setup")
        found = edits.edits(self.character, setup.frame_rate(bpy.context.scene))
        if not found:
            return
        edit = self.random.choice(found)
        own = self.own_keys()
        assert bpy.ops.makeittalk.revert_edit(item=edit.uid) == {"FINISHED"}
        owner = {"head": "rig", "face": "keys"}
        gone = [
            (owner[touch.owner], touch.path, touch.index, touch.first, touch.last)
            for touch in edit.touches
            if edit.source == edits.OWN
        ]
        self.forget_keys(
            lambda key: (
                any(key.place == touch[:3] and touch[3] <= key.frame <= touch[4] for touch in gone)
                and any(key.lies_on(*there) for there in own.get(key.place, ()))
            )
        )
        left = edits.edits(self.character, setup.frame_rate(bpy.context.scene))
        assert len(left) < len(found) and edit.uid not in {item.uid for item in left}, (edit.uid, left)

    def edit_what_is_generated(self) -> None:
        """Changes keys of a generated curve; the list of edits tells of it, and it is seen after the next bake."""
        if self.settings.merged:
            return
        layers, bakes, edits = (self.part(f"addon.scene.{name}") for name in ("layers", "bakes", "edits"))
        owner = bakes.owners_of(self.character)[1]
        generated = [layer for layer in layers.layers(owner) if layer.part == "Lips" and len(layer.curves.fcurves)]
        if not generated:
            return
        layer = self.random.choice(generated)
        curve = self.random.choice(list(layer.curves.fcurves))
        key = self.random.choice(list(curve.keyframe_points))
        if layers.influence(layer, round(key.co[0]) + 1)[-1] < 0.3:  # of which nothing is seen is no edit
            return
        key.co[1] += 0.4
        curve.update()
        fps = self.part("addon.scene.setup").frame_rate(bpy.context.scene)
        self.edits += 1
        assert any(edit.source == edits.PENDING for edit in edits.edits(self.character, fps))

    def merge_or_split(self) -> None:
        self.select()
        if not self.settings.merged:
            before = self.motion()
            assert bpy.ops.makeittalk.merge() == {"FINISHED"}
            self.moves_as(before, _MERGED)
            self.was_merged()
            return
        unchanged = self.expected.merged == self.amounts()
        before = self.motion()
        assert bpy.ops.makeittalk.split() == {"FINISHED"}
        if unchanged:
            self.moves_as(before, _SPLIT)
        self.was_split()

    def was_merged(self) -> None:
        """Keys of what is generated are part of the one action now; others stay."""
        present = self.present_keys()
        self.forget_keys(lambda key: not any(key.lies_on(*there) for there in present.get(key.place, ())))
        self.expected.merged = self.amounts()

    def was_split(self) -> None:
        """Whatever the action says beyond the layers is the animator's."""
        self.expected.merged = None
        self.keys_are(self.own_keys())

    def amounts(self) -> dict[str, Any]:
        """What the amounts say, keyed or not."""
        rig, keys = self.settings.rig, self.present_keys()
        said: dict[str, Any] = {name: getattr(rig.makeittalk, name) for name in _AMOUNTS}
        return said | {place[1]: found for place, found in keys.items() if place[1].startswith("makeittalk.")}

    def rename(self) -> None:
        character, settings = self.character, self.settings
        new = f"n{self.random.randrange(10_000)}"
        kind = self.random.choice(["collection", "rig", "body", "bone", "key", "strip", "track", "action"])
        if kind == "collection":
            character.name = new
        elif kind in ("rig", "body"):
            getattr(settings, kind).name = new
        elif kind == "bone":
            old = self.head()
            settings.rig.data.bones[old].name = new
            self._renamed(f'"{old}"', f'"{new}"', "rig")
        elif kind == "key":
            block = self.random.choice(list(self.owners()["keys"].key_blocks[1:]))
            old, block.name = block.name, new
            self._renamed(f'"{old}"', f'"{new}"', "keys")
        elif kind == "strip":
            if self.strip() is not None:
                self.strip().name = new
        else:
            tracks = self.owners()[self.random.choice(["rig", "keys"])].animation_data.nla_tracks
            if not len(tracks):  # merged
                return
            track = self.random.choice(list(tracks))
            if kind == "track":
                track.name = new
            else:
                track.strips[0].action.name = new

    def _renamed(self, old: str, new: str, owner: str) -> None:
        for key in self.expected.keys:
            if key.owner == owner:
                key.path = key.path.replace(f"[{old}]", f"[{new}]")


class _Adding:
    def __init__(self, steps: KeySteps) -> None:
        self.steps, self.before = steps, steps.own_keys()

    def __enter__(self) -> None:
        self.expected = [key for key in self.steps.expected.keys if self._own(key)]

    def __exit__(self, *error: object) -> None:
        if error[0] is not None:
            return
        after = self.steps.own_keys()
        for place, there in self.before.items():
            gone = {round(frame, 1) for frame, _value in there} - {round(frame, 1) for frame, _value in after[place]}
            assert not gone, (place, gone)
        new = [
            Key(*place, *there)
            for place, found in after.items()
            for there in found
            if not any(Key(*place, *there).lies_on(*other) for other in self.before.get(place, ()))
        ]
        self.steps.edits += bool(new)
        self.steps.forget_keys(
            lambda key: (
                any(key.place == other.place and abs(key.frame - other.frame) <= FRAME for other in new)
                and self._own(key)
            )
        )
        self.steps.expected.keys += new

    def _own(self, key: Key) -> bool:
        return any(key.lies_on(*there) for there in self.before.get(key.place, ()))
