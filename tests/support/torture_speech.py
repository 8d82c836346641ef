"""Random steps on what a character says: takes, recordings, where they lie, what their strips hide."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
from torture_keys import KeySteps

_MOST = 3  # speeches
_STEP = 0.5  # frames that lips and sound may lie apart


class SpeechSteps(KeySteps):
    """What an animator does with recordings. Steps that ask the backend yield seconds to wait."""

    def choose_a_speech(self) -> None:
        self.settings.active_speech = self.random.randrange(len(self.settings.speeches))

    def change_the_start(self) -> None:
        with self.moving():
            self.settings.current.start = self.random.randrange(1, 80)

    def drag_the_strip(self) -> None:
        strip = self.strip()
        if strip is None:
            return
        self.select()
        self.part("addon.compat").move_strip(strip, self.random.randrange(0, 40))
        with self.moving():
            if self.random.random() < 0.5:
                assert bpy.ops.makeittalk.timing_from_strip() == {"FINISHED"}
            else:
                self.settings.current.start += 1

    def trim_the_strip(self) -> None:
        """Cuts the end off, or lets it be heard again."""
        strip = self.strip()
        if strip is None:
            return
        self.select()
        frames = self.settings.current.frames
        self.part("addon.compat").set_strip_length(strip, self.random.choice([frames // 2, frames - 5, frames + 1]))
        with self.moving():
            assert bpy.ops.makeittalk.timing_from_strip() == {"FINISHED"}
        self.amounts_act(self.character)

    def rebake(self) -> Iterator[float]:
        self.select()
        self.settings.smooth = self.random.choice([0.0, 1.0, 1.5])
        yield from self._bake(bpy.ops.makeittalk.rebake)

    def take_anew(self) -> Iterator[float]:
        self.select()
        self.settings.seed = self.random.randrange(1, 1000)
        yield from self._bake(bpy.ops.makeittalk.new_take)

    def replace_speech(self) -> Iterator[float]:
        self.select()
        yield from self._bake(bpy.ops.makeittalk.replace_speech, filepath=str(self.random.choice(self.recordings)))

    def add_speech(self) -> Iterator[float]:
        """Says one more where nothing is said yet."""
        self.select()
        if len(self.settings.speeches) >= _MOST:
            return
        speech = self.part("addon.scene.speech")
        bpy.context.scene.frame_set(speech.span(self.character)[1] + self.random.randrange(1, 30))
        count = len(self.settings.speeches)
        yield from self._bake(bpy.ops.makeittalk.add_speech, filepath=str(self.random.choice(self.recordings)))
        assert len(self.settings.speeches) == count + 1
        assert self.settings.current.start == bpy.context.scene.frame_current

    def remove_speech(self) -> None:
        self.select()
        count = len(self.settings.speeches)
        assert bpy.ops.makeittalk.remove_speech.poll() == (count > 1)
        if count > 1:
            assert bpy.ops.makeittalk.remove_speech() == {"FINISHED"}
            assert len(self.settings.speeches) == count - 1

    def change_the_rate(self) -> Iterator[float]:
        self.select()
        bpy.context.scene.render.fps = self.random.choice([24, 25, 30])
        yield from self._bake(bpy.ops.makeittalk.rebake)
        speech, chosen = self.part("addon.scene.speech"), self.settings.active_speech
        for number, spoken in enumerate(self.settings.speeches):  # a strip's handles stay on their frames
            if speech.is_apart(bpy.context.scene, spoken):
                self.settings.active_speech = number
                with self.moving():
                    assert bpy.ops.makeittalk.timing_from_strip() == {"FINISHED"}
        self.settings.active_speech = chosen

    def delete_a_part(self) -> None:
        character, settings, scene = self.character, self.settings, bpy.context.scene
        kind = self.random.choice(["camera", "strip", "key"])
        if kind == "camera" and settings.camera is not None:
            data = settings.camera.data
            bpy.data.objects.remove(settings.camera)
            if data.users == 0:
                bpy.data.cameras.remove(data)
        elif kind == "strip" and self.strip() is not None:
            self.part("addon.scene.strips").remove(scene, self.strip())
            self.select()
            assert bpy.ops.makeittalk.restore_speech() == {"FINISHED"}
            if settings.current.cut_before or settings.current.cut_behind:  # it is heard whole again
                with self.moving():
                    assert bpy.ops.makeittalk.timing_from_strip() == {"FINISHED"}
        elif kind == "key":
            used = {key.path for key in self.expected.keys}
            free = [item for item in self.owners()["keys"].key_blocks[1:] if item.name.startswith("residual")]
            free = [item for item in free if f'key_blocks["{item.name}"].value' not in used]
            if free:
                character.makeittalk.body.shape_key_remove(self.random.choice(free))

    def _bake(self, operator: object, **arguments: str) -> Iterator[float]:
        merged = bool(self.settings.merged)
        yield from self.ask(operator, **arguments)
        if merged:
            assert not self.settings.merged
            self.was_split()

    def out_of_step(self) -> list[str]:
        """Lips and sounds that do not belong together, a sentence each."""
        scene, found = bpy.context.scene, []
        speech, layers, compat = (self.part(f"addon.{name}") for name in ("scene.speech", "scene.layers", "compat"))
        speeches = {item.uid: item for item in self.settings.speeches}
        strips = [self.strip(item) for item in speeches.values()]
        for spoken, strip in zip(speeches.values(), strips, strict=True):
            if strip is None:
                if compat.plays_sound():
                    found.append(f"{spoken.uid} is not heard")
                continue
            begin = compat.strip_begin(strip)
            if abs(begin - spoken.start) > _STEP or speech.is_apart(scene, spoken):
                cuts = speech.cuts(scene, spoken), (spoken.cut_before, spoken.cut_behind)
                found.append(f"the sound begins at {begin}, the lips at {spoken.start}; cut {cuts}")
            heard, said = strip.sound.filepath, spoken.recording
            if bpy.path.basename(heard) != bpy.path.basename(said):
                found.append(f"{heard} is heard, not {said}")
        sounding = [item for item in compat.sequencer_strips(scene) or () if item.type == "SOUND"]
        if len(sounding) != len([item for item in strips if item is not None]):
            found.append(f"{len(sounding)} sounds of {len(strips)} speeches")
        parts: dict[str, set[str]] = {uid: set() for uid in speeches}
        for owner in self.owners().values():
            for layer in layers.layers(owner):
                if not layer.speech:
                    continue
                if layer.speech not in speeches:
                    found.append(f"{layer.part} is of a speech that is not there")
                    continue
                parts[layer.speech].add(layer.part)
                if abs(layers.begin(layer) - speeches[layer.speech].start) > _STEP:
                    found.append(f"{layer.part} begins at {layers.begin(layer)}, not {speeches[layer.speech].start}")
        if not self.settings.merged:
            found += [f"{uid} moves {names} alone" for uid, names in parts.items() if not {"Lips", "Nod"} <= names]
        return found
