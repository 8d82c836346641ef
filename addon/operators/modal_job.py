"""A long job as an operator: without freezing where there is a window, blocking where a script calls it."""

from __future__ import annotations

import bpy

from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ..core.remarks import plain
from ..jobs.connection import redraw_panels
from ..jobs.long_job import LongJob, current_job
from .reasons import Reasoned

_TICK = 0.05  # s


class Running(Reasoned):
    """What the operators with a long job share; they say how it starts.

    `invoke` runs it beside the user's work, ESC cancels; `execute` blocks until it is done.
    """

    tick = _TICK
    _task: LongJob | None = None
    _timer: bpy.types.Timer | None = None

    def start(self, context: bpy.types.Context) -> LongJob:
        """Starts the job.

        Raises:
            MakeItTalkError: it cannot be started.
        """
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            task = self.start(context)
            try:
                task.wait()
            except BaseException:
                task.close()
                raise
            return self._finish(context, task)
        except MakeItTalkError as error:
            return self.fail(context, error)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        try:
            self._task = self.start(context)
        except MakeItTalkError as error:
            return self.fail(context, error)
        manager = context.window_manager
        self._timer = manager.event_timer_add(self.tick, window=context.window)
        manager.modal_handler_add(self)  # type: ignore[arg-type]
        redraw_panels()
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        task = self._task
        if task is None or current_job() is not task:
            self._stop_timer(context)
            return {"CANCELLED"}
        if event.type == "ESC" and event.value == "PRESS":
            task.cancel()
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        try:
            finished = task.poll()
        except BaseException:  # nobody would end it any more
            self._stop_timer(context)
            task.close()
            raise
        redraw_panels()
        if not finished:
            return {"PASS_THROUGH"}
        self._stop_timer(context)
        return self._finish(context, task)

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator itself: another file is opened, or Blender quits."""
        self._stop_timer(context)
        if self._task is not None and current_job() is self._task:
            self._task.cancel()
            self._task.close()

    def _finish(self, context: bpy.types.Context, task: LongJob) -> set[str]:
        session = context.window_manager.makeittalk
        if task.cancelled:
            task.close()
            session.say(task.when_cancelled)
            self.report({"INFO"}, "Cancelled.")  # type: ignore[attr-defined]
            return {"CANCELLED"}
        try:
            message = task.finish(context)
        except MakeItTalkError as error:
            return self.fail(context, error)
        session.say(message)
        self.report({"INFO"}, plain(message))  # type: ignore[attr-defined]
        return {"FINISHED"}

    def fail(self, context: bpy.types.Context, error: MakeItTalkError) -> set[str]:
        redraw_panels()
        return super().fail(context, error)

    def _stop_timer(self, context: bpy.types.Context) -> None:
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
