"""A long job of the backend's and what becomes of it in Blender."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import bpy

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..core.errors import AddonError
from .backend_job import BackendJob
from .long_job import LongJob

#: What is read from the scene before the backend is asked: each step yields the done fraction and what is being done,
#: and the request comes last.
Reading = Generator[tuple[float, str], None, Any]


class Task(BackendJob, LongJob):
    """One job under way: what it reads from the scene, then the backend's work on it.

    Args:
        context: where it was asked for; its scene gets the result.
        read: reads from the scene what the request needs, in steps that are short enough for the user to go on, and
            returns the request; it is given the job's folder.
        take: turns the answer into Blender data and returns a sentence for the user.
        answer: what the backend answers.
        when_cancelled: the sentence for a user who has cancelled it.

    Raises:
        AddonError: the backend cannot be started.
    """

    def __init__(
        self,
        context: bpy.types.Context,
        read: Callable[[Path], Reading],
        take: Callable[[bpy.types.Context, Any], str],
        answer: type[Any],
        when_cancelled: str = "Cancelled. Nothing was changed.",
    ) -> None:
        super().__init__(answer)
        self._reading, self._take = read(self.folder), take
        self._scene = context.scene.session_uid
        self._error: MakeItTalkError | None = None
        self._stopped = False
        self.when_cancelled = when_cancelled
        self.begin("Starting the backend" if self.client.hello is None else "Starting")

    @property
    def cancelled(self) -> bool:
        """Whether it was stopped as asked."""
        return self._stopped or super().cancelled

    def poll(self) -> bool:
        """Reads on, or takes in what the backend said; True once the job is finished, well or not."""
        finished = super().poll()
        if self.job is None:
            return self._stopped or not self._read_on()
        if self.job.cancel_asked is not None:
            self.session.progress(self.job.fraction, "Cancelling")
        elif self.job.stage:
            self.session.progress(self.job.fraction, self.job.stage, self.job.seconds_left)
        return finished

    def cancel(self) -> None:
        """Asks the backend to stop; `poll` goes on until it has."""
        super().cancel()
        self._stopped = self._stopped or self.job is None

    def finish(self, context: bpy.types.Context) -> str:
        """Turns the finished job into Blender data and returns a sentence for the user.

        Raises:
            MakeItTalkError: the job failed or was cancelled, or the result cannot be used; the scene is as it was.
        """
        try:
            if self._error is not None:
                raise self._error
            data = self.answer()
            return_to_scene(context, self._scene)
            return self._take(context, data)
        finally:
            self.close()

    def close(self) -> None:
        """Ends the task, whatever became of it."""
        self._reading.close()
        self.discard()
        super().close()

    def _read_on(self) -> bool:
        """Takes the next step of the reading; False once there is nothing to wait for any more."""
        try:
            self.session.progress(*next(self._reading))
        except StopIteration as done:
            self.submit(done.value)
        except MakeItTalkError as error:
            self._error = error
            return False
        return True


def return_to_scene(context: bpy.types.Context, uid: int) -> bpy.types.Scene:
    """Shows the scene for which a job was asked for.

    Args:
        uid: its `session_uid`.

    Raises:
        AddonError: it was removed.
    """
    scene = next((item for item in bpy.data.scenes if item.session_uid == uid), None)
    if scene is None:
        raise AddonError("The scene was removed meanwhile.", "Run it again.")
    if context.window is not None and context.window.scene != scene:
        context.window.scene = scene
    return scene
