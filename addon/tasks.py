"""A long job of the backend's and what becomes of it in Blender; one at a time."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from ..backend.makeittalk import protocol
from . import connection, rebaking
from .errors import AddonError
from .scene import character as characters

_current: Task | None = None


class Task:
    """One `animate` job under way.

    Args:
        context: where it was asked for; its scene gets the result.
        request: what the backend is asked; its folder is filled in here.
        take: turns the answer into Blender data and returns a sentence for the user.

    Raises:
        AddonError: the backend cannot be started.
    """

    def __init__(
        self,
        context: bpy.types.Context,
        request: protocol.Animate,
        take: Callable[[bpy.types.Context, protocol.AnimateData], str],
    ) -> None:
        global _current
        self._take = take
        self._scene = context.scene.session_uid
        self.folder = Path(tempfile.mkdtemp(prefix="makeittalk-"))
        try:
            request.folder = str(self.folder)
            self.client = connection.get()
            self.job = self.client.submit(request)
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

    def poll(self) -> bool:
        """Takes in what the backend said; True once the job is finished."""
        self.client.poll()
        job = self.job
        if job.cancel_asked is not None:
            self._session.progress(job.fraction, "Cancelling")
        elif job.stage:
            self._session.progress(job.fraction, job.stage, job.seconds_left)
        return job.finished

    def cancel(self) -> None:
        """Asks the backend to stop; `poll` goes on until it has."""
        self.client.cancel(self.job)

    def finish(self, context: bpy.types.Context) -> str:
        """Turns the finished job into Blender data and returns a sentence for the user.

        Raises:
            AddonError: the job failed or was cancelled, or the result cannot be used; the scene is as it was.
        """
        try:
            data = protocol.AnimateData.from_dict(self.job.result())
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
        shutil.rmtree(self.folder, ignore_errors=True)
        self._session.running = False
        self._session.progress(0.0, "")
        if _current is self:
            _current = None


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
        name: getattr(settings, name) for name in ("seed", "voice", "style", "lip", "head", "blink", "smooth")
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
            settings=remembered | {"notices": "\n".join(str(notice) for notice in data.notices)},
        )
        collection = characters.build(context.scene, made)
        return f"{collection.name} speaks from frame {start} to {start + collection.makeittalk.frames - 1}."

    return Task(context, request, take)


def retake(context: bpy.types.Context, character: bpy.types.Collection) -> Task:
    """Starts predicting a character's motion anew, with its seed and voice as they are now.

    Raises:
        AddonError: the backend cannot be started.
    """
    uid = character.session_uid
    settings = character.makeittalk
    names = ("portrait", "speech", "seed", "voice", "style", "lip", "head", "blink", "smooth")
    request = _request({name: getattr(settings, name) for name in names}, rebaking.scene_rate(context.scene))

    def take(_context: bpy.types.Context, data: protocol.AnimateData) -> str:
        found = rebaking.find(uid)
        if found is None:
            raise AddonError("The character was removed meanwhile.")
        kept = characters.retake(found, Path(data.motion), Path(data.bake))
        return f"{found.name} has a new take. {rebaking.kept_message(kept)}".strip()

    return Task(context, request, take)


def _request(values: dict[str, Any], fps: float) -> protocol.Animate:
    return protocol.Animate(
        portrait=bpy.path.abspath(values["portrait"]),
        audio=bpy.path.abspath(values["speech"]),
        voice=bpy.path.abspath(values["voice"]) if values["voice"] else "",
        style=values["style"],
        seed=values["seed"],
        fps=fps,
        lip=values["lip"],
        head=values["head"],
        blink=values["blink"],
        smooth=values["smooth"],
    )


def unregister() -> None:
    """Lets go of a job under way."""
    if _current is not None:
        _current.close()
