"""A character of every line of a list, one after the other."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import bpy

from ...backend.makeittalk.exchange import protocol
from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ...backend.makeittalk.exchange.formats.shots import Problem, Shot, read_shots
from ..core.errors import AddonError
from . import connection
from . import recipe as recipes
from .backend_job import BackendJob
from .long_job import LongJob
from .task import return_to_scene

_TOLD = 6  # lines that the panel tells of


class ListJob(LongJob):
    """The characters of a list under way. A line that fails is told at the end and stops none of the others.

    Args:
        context: where it was asked for; its scene gets them. path: the list.

    Raises:
        InputError: the list cannot be read. AddonError: the backend cannot be started.
    """

    def __init__(self, context: bpy.types.Context, path: Path) -> None:
        shots = read_shots(path, with_outputs=False)
        self._waiting, self._problems = deque(shots.shots), list(shots.problems)
        self._count, self._made = len(shots.shots), 0
        self._name, self._scene = path.name, context.scene.session_uid
        self._shot: Shot | None = None
        self._recipe: recipes.Recipe | None = None
        self._job: BackendJob | None = None
        self._stopped, self._unsaved = False, ""
        connection.get()  # where there is none, no line can be made
        self.begin("Starting")

    @property
    def cancelled(self) -> bool:
        """Whether it was stopped as asked."""
        return self._stopped

    def poll(self) -> bool:
        """Takes in what the backend said, and begins with the next line; True once there is none any more."""
        context = bpy.context
        if self._job is None:
            if self._stopped or not self._waiting:
                return True
            try:
                self._next(context)
            except MakeItTalkError as error:
                self._problem(error)
            return False
        finished, job = self._job.poll(), self._job.job
        if job is not None:
            done = self._count - len(self._waiting) - 1
            stage = "Cancelling" if self._stopped else f"{done + 1} of {self._count}: {job.stage or 'Starting'}"
            self.session.progress((done + job.fraction) / max(1, self._count), stage)
        if finished:
            try:
                if not self._stopped:
                    self._take(context)
            except MakeItTalkError as error:
                self._problem(error)
            finally:
                self._drop()
        return False

    def cancel(self) -> None:
        """Asks the backend to stop; characters that are made stay."""
        self._stopped = True
        self.when_cancelled = f"Cancelled. {_characters(self._made)} of {self._name} made before stay."
        if self._job is not None:
            self._job.cancel()

    def finish(self, context: bpy.types.Context) -> str:
        """Says what became of the lines.

        Raises:
            AddonError: no character was made.
        """
        self.close()
        told = [f"Line {problem.line}: {problem.sentence}" for problem in sorted(self._problems, key=_line)]
        more = f" … and {len(told) - _TOLD} more lines." if len(told) > _TOLD else ""
        trouble = " ".join(told[:_TOLD]) + more
        if self._made == 0:
            raise AddonError(f"{self._name} made no character.", trouble or "It holds no line.")
        return f"{_characters(self._made)} made of {self._name}. {trouble}".strip()

    def close(self) -> None:
        """Ends the job, whatever became of it."""
        self._drop()
        if self._stopped:
            self._remember()  # a cancelled operator leaves no undo step of its own
        super().close()

    def _next(self, context: bpy.types.Context) -> None:
        """Asks the backend for the next line."""
        self._shot = self._waiting.popleft()
        self._recipe = recipes.of_shot(return_to_scene(context, self._scene), self._shot)
        self._job = BackendJob(protocol.AnimateData)
        reading = self._recipe.into(self._job.folder)
        try:
            while True:
                next(reading)
        except StopIteration as done:
            self._job.submit(done.value)

    def _take(self, context: bpy.types.Context) -> None:
        assert self._job is not None and self._recipe is not None
        data = self._job.answer()
        return_to_scene(context, self._scene)
        self._remember()
        self._unsaved = recipes.build(context, self._recipe, data)
        self._made += 1

    def _remember(self) -> None:
        """Gives the character made last its own undo step; that of the last one of all is the operator's."""
        if self._unsaved and not bpy.app.background:
            bpy.ops.ed.undo_push(message=self._unsaved[:60])
        self._unsaved = ""

    def _problem(self, error: MakeItTalkError) -> None:
        assert self._shot is not None
        self._problems.append(Problem(self._shot.line, str(error)))

    def _drop(self) -> None:
        if self._job is not None:
            self._job.discard()
        self._job, self._recipe = None, None


def _line(problem: Problem) -> int:
    return problem.line


def _characters(count: int) -> str:
    return "1 character" if count == 1 else f"{count} characters"
