"""A long job of the backend's and what becomes of it in Blender; one at a time."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import bpy

from ...backend.makeittalk.exchange import protocol
from ...backend.makeittalk.exchange.amounts import Amounts
from .. import preferences
from ..core.client import Job
from ..core.errors import AddonError
from ..scene import character as characters
from . import connection
from . import rebake as rebaking

#: What is read from the scene before the backend is asked: each step yields the done fraction and what is being done.
Reading = Generator[tuple[float, str], None, None]

_INTERVAL = 0.02  # s between two looks at a job that Blender waits for
_current: Task | None = None


class Task:
    """One job under way: what it reads from the scene, then the backend's work on it.

    Args:
        context: where it was asked for; its scene gets the result.
        ask: makes the request, once everything is read; it is given the job's folder, as `reading` is.
        take: turns the answer into Blender data and returns a sentence for the user.
        answer: what the backend answers.
        reading: what has to be read from the scene first, in steps that are short enough for the user to go on.
        when_cancelled: the sentence for a user who has cancelled it.

    Raises:
        AddonError: the backend cannot be started.
    """

    def __init__(
        self,
        context: bpy.types.Context,
        ask: Callable[[Path], Any],
        take: Callable[[bpy.types.Context, Any], str],
        answer: type[Any] = protocol.AnimateData,
        reading: Callable[[Path], Reading] | None = None,
        when_cancelled: str = "Cancelled. Nothing was changed.",
    ) -> None:
        global _current
        self._ask, self._take, self._answer = ask, take, answer
        self._scene = context.scene.session_uid
        self._job: Job | None = None
        self._error: AddonError | None = None
        self._stopped = False
        self.when_cancelled = when_cancelled
        self.folder = Path(tempfile.mkdtemp(prefix="makeittalk-"))
        self._reading = reading(self.folder) if reading is not None else None
        try:
            self.client = connection.get()
            if self._reading is None:
                self._submit()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self._session.say("")
        self._session.progress(0.0, "Starting the backend" if self.client.hello is None else "Starting")
        self._session.running = True
        _current = self

    @property
    def _session(self) -> Any:
        return bpy.context.window_manager.makeittalk  # never kept: opening a file may replace it

    @property
    def cancelled(self) -> bool:
        """Whether it was stopped as asked."""
        return self._stopped or (self._job is not None and self._job.cancelled)

    def poll(self) -> bool:
        """Reads on, or takes in what the backend said; True once the job is finished, well or not."""
        self.client.poll()
        if self._job is None:
            return self._stopped or not self._read_on()
        job = self._job
        if job.cancel_asked is not None:
            self._session.progress(job.fraction, "Cancelling")
        elif job.stage:
            self._session.progress(job.fraction, job.stage, job.seconds_left)
        return job.finished

    def wait(self) -> None:
        """Blocks until the job is finished."""
        while not self.poll():
            if self._job is not None:
                time.sleep(_INTERVAL)

    def cancel(self) -> None:
        """Asks the backend to stop; `poll` goes on until it has."""
        if self._job is not None:
            self.client.cancel(self._job)
        else:
            self._stopped = True

    def finish(self, context: bpy.types.Context) -> str:
        """Turns the finished job into Blender data and returns a sentence for the user.

        Raises:
            AddonError: the job failed or was cancelled, or the result cannot be used; the scene is as it was.
        """
        try:
            if self._error is not None:
                raise self._error
            if self._job is None:
                raise AddonError("Cancelled.")
            data = self._answer.from_dict(self._job.result())
            scene = next((item for item in bpy.data.scenes if item.session_uid == self._scene), None)
            if scene is None:
                raise AddonError("The scene was removed meanwhile.", "Run it again.")
            if context.window is not None and context.window.scene != scene:
                context.window.scene = scene
            return self._take(context, data)
        except protocol.ProtocolError as error:
            raise AddonError("The backend's answer cannot be read.", "Install both from the same release.") from error
        finally:
            self.close()

    def close(self) -> None:
        """Ends the task, whatever became of it."""
        global _current
        if self._reading is not None:
            self._reading.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._session.running = False
        self._session.progress(0.0, "")
        if _current is self:
            _current = None

    def _read_on(self) -> bool:
        """Takes the next step of the reading; False once there is nothing to wait for any more."""
        assert self._reading is not None
        try:
            fraction, stage = next(self._reading)
            self._session.progress(fraction, stage)
        except StopIteration:
            self._submit()
        except AddonError as error:
            self._error = error
            return False
        return True

    def _submit(self) -> None:
        self._job = self.client.submit(self._ask(self.folder))


def current() -> Task | None:
    """The job under way, or None."""
    return _current


def make(context: bpy.types.Context) -> Task:
    """Starts making a new character from the scene's settings.

    Raises:
        AddonError: the backend cannot be started.
    """
    scene = context.scene
    settings = scene.makeittalk
    portrait, speech = bpy.path.abspath(settings.portrait), bpy.path.abspath(settings.speech)
    start, every_frame = settings.start_frame(scene), settings.every_frame
    remembered: dict[str, Any] = {
        name: getattr(settings, name) for name in ("face", "seed", "voice", "style", "lip", "head", "blink", "smooth")
    } | {"portrait": settings.portrait, "speech": settings.speech}
    request = _request(remembered, rebaking.scene_rate(scene))
    request.own_mouth = settings.own_mouth

    def take(context: bpy.types.Context, data: protocol.AnimateData) -> str:
        audio = Path(data.audio) if data.audio else Path(speech)
        made = characters.Made(
            name=Path(portrait).stem[:40] or "Character",
            face=Path(data.face),
            mesh=Path(data.mesh),
            motion=Path(data.motion),
            bake=Path(data.bake),
            audio=audio,
            start=start,
            pack_sound=audio.resolve() != Path(speech).resolve(),  # a repaired copy lies in a folder that goes
            every_frame=every_frame,
            settings=remembered | _answered(data),
        )
        collection = characters.build(context.scene, made)
        told = f"{collection.name} speaks from frame {start} to {start + collection.makeittalk.frames - 1}."
        return f"{told} Photoreal Frames below draw it as the photograph it is." if data.style == "photo" else told

    return Task(context, _into(request), take)


def retake(context: bpy.types.Context, character: bpy.types.Collection) -> Task:
    """Starts predicting a character's motion anew, with its seed and voice as they are now.

    Raises:
        AddonError: the backend cannot be started.
    """
    uid = character.session_uid
    settings = character.makeittalk
    names = ("portrait", "speech", "face", "seed", "voice", "style", "lip", "head", "blink", "smooth")
    request = _request({name: getattr(settings, name) for name in names}, rebaking.scene_rate(context.scene))

    def take(_context: bpy.types.Context, data: protocol.AnimateData) -> str:
        found = rebaking.find(uid)
        if found is None:
            raise AddonError("The character was removed meanwhile.")
        kept = characters.retake(found, Path(data.motion), Path(data.bake))
        return f"{found.name} has a new take. {rebaking.kept_message(kept)}".strip()

    return Task(context, _into(request), take)


def _answered(data: protocol.AnimateData) -> dict[str, Any]:
    """What a character remembers of the backend's answer: the style it chose where that was left to it."""
    style = data.style if data.style in ("cartoon", "photo") else "cartoon"
    return {"style": style, "notices": "\n".join(str(notice) for notice in data.notices)}


def _into(request: protocol.Animate) -> Callable[[Path], protocol.Animate]:
    return lambda folder: replace(request, folder=str(folder))


def _request(values: dict[str, Any], fps: float) -> protocol.Animate:
    return protocol.Animate(
        portrait=bpy.path.abspath(values["portrait"]),
        audio=bpy.path.abspath(values["speech"]),
        voice=bpy.path.abspath(values["voice"]) if values["voice"] else "",
        face_number=values["face"],
        style=values["style"],
        device=preferences.device(),
        seed=values["seed"],
        fps=fps,
        amounts=Amounts(**{item.name: values[item.name] for item in fields(Amounts)}),
    )


def unregister() -> None:
    """Lets go of a job under way."""
    if _current is not None:
        _current.close()
