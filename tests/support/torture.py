"""What an animator, and chance, may do to a character; after every step everything is looked at that must hold.

Runs inside Blender, in the background and in a window. A character, its real backend and its real files are there.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import bpy
from torture_character import MARK
from torture_files import FileSteps

_KINDS = (
    *("actions", "meshes", "armatures", "shape_keys", "sounds", "images", "materials", "cameras", "node_groups"),
    *("objects", "collections"),
)
_TOLD = 12  # steps that a failure names


class Torture(FileSteps):
    """Random steps, from a seed; its arguments are those of `Followed`."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.log: list[str] = []
        self.errors: list[str] = []  # of what Blender calls, which prints them and goes on
        self.before = self._orphans()
        self._steps: list[tuple[int, Callable[[], Iterator[float] | None]]] = [
            *((6, self.key_the_head), (6, self.key_a_shape_key), (3, self.key_an_amount), (5, self.turn_an_amount)),
            *((5, self.gesture), (3, self.hold_still_or_blink), (4, self.revert_an_edit), (3, self.push_down)),
            *((3, self.edit_what_is_generated), (2, self.merge_or_split), (4, self.rename), (3, self.delete_a_part)),
            *((3, self.add_speech), (2, self.remove_speech), (3, self.choose_a_speech), (3, self.replace_speech)),
            *((4, self.change_the_start), (3, self.drag_the_strip), (3, self.trim_the_strip), (3, self.rebake)),
            *((3, self.take_anew), (2, self.change_the_rate), (2, self.duplicate), (2, self.append), (1, self.link)),
            *((2, self.override), (5, self.undo), (4, self.redo), (2, self.save_and_reopen)),
        ]

    def run(self, count: int) -> None:
        """Makes steps, and looks at everything after each.

        Raises:
            AssertionError: something was lost.
        """
        for _wait in self.steps(count):
            pass

    def steps(self, count: int) -> Iterator[float]:
        """The same, yielding seconds to wait.

        Raises:
            AssertionError: something was lost.
        """
        self.part("addon.scene.character").active(bpy.context)[MARK] = 0
        self.end_step("Begin")
        weights, actions = zip(*self._steps, strict=True)
        hook, sys.excepthook = sys.excepthook, self._note_error
        try:
            for number in range(count):
                (step,) = self.random.choices(actions, weights)
                self.log.append(f"{number}: {step.__name__}")
                yield from self._do(step)
        finally:
            sys.excepthook = hook

    def _do(self, step: Callable[[], Iterator[float] | None]) -> Iterator[float]:
        back = step in (self.undo, self.redo, self.save_and_reopen)
        if not back:
            self.begin_step()
        try:
            yield from step() or ()
            lost = self.look()
        except Exception as error:
            raise AssertionError("\n".join([self.told(), *self.errors])) from error
        if not back:
            self.end_step(step.__name__)
        yield 0.0
        lost += self.errors
        assert not lost, "\n".join([self.told(), *lost])
        self.done[step.__name__] += 1

    def _note_error(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        self.errors.append("".join(traceback.format_exception(kind, error, trace)))

    def look(self) -> list[str]:
        """Everything that is not as it must be, a sentence each."""
        if not self.settings.merged:
            self.amounts_act(self.character)
        orphans = sorted(self._orphans() - self.before)
        return [*self.lost_keys(), *self.out_of_step(), *(f"orphan: {kind} {name}" for kind, name in orphans)]

    def told(self) -> str:
        """The last steps."""
        return "\n".join(self.log[-_TOLD:])

    @property
    def summary(self) -> str:
        """How many steps, edits and losses, and what the steps were."""
        steps = sum(self.done.values())
        return f"{steps} steps, {self.edits} edits, 0 losses; {len(self.expected.keys)} keys; {dict(self.done)}"

    @staticmethod
    def _orphans() -> set[tuple[str, str]]:
        return {(kind, item.name) for kind in _KINDS for item in getattr(bpy.data, kind) if item.users == 0}
