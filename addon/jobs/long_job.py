"""What a job that takes time has in common, whoever does the work; one at a time in a Blender session."""

from __future__ import annotations

import time
from typing import Any

import bpy

_INTERVAL = 0.02  # s between two looks at a job that Blender waits for
_current: LongJob | None = None


class LongJob:
    """A job under way, which the panel shows and an operator drives: see `operators/modal_job.py`.

    Attributes:
        when_cancelled: the sentence for a user who has cancelled it.
    """

    when_cancelled = "Cancelled. Nothing was changed."

    def begin(self, stage: str) -> None:
        """Makes this the job under way."""
        global _current
        self.session.say("")
        self.session.progress(0.0, stage)
        self.session.running = True
        _current = self

    @property
    def session(self) -> Any:
        """What the panel shows; never kept, as opening a file may replace it."""
        return bpy.context.window_manager.makeittalk

    @property
    def cancelled(self) -> bool:
        """Whether it was stopped as asked."""
        raise NotImplementedError

    def poll(self) -> bool:
        """Takes in what has happened; True once the job is finished, well or not."""
        raise NotImplementedError

    def wait(self) -> None:
        """Blocks until the job is finished."""
        while not self.poll():
            time.sleep(_INTERVAL)

    def cancel(self) -> None:
        """Asks it to stop; `poll` goes on until it has."""
        raise NotImplementedError

    def finish(self, context: bpy.types.Context) -> str:
        """Makes what is to be made of the finished job and returns a sentence for the user.

        Raises:
            MakeItTalkError: it failed; everything is as it was.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Ends the job, whatever became of it."""
        global _current
        self.session.running = False
        self.session.progress(0.0, "")
        if _current is self:
            _current = None


def current_job() -> LongJob | None:
    """The job under way, or None."""
    return _current


def unregister() -> None:
    """Lets go of a job under way."""
    if _current is not None:
        _current.cancel()
        _current.close()
