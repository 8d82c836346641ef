"""Preview: portrait and voice play in the viewport before anything is made, while the rest is still predicted."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import bpy

from ...backend.makeittalk.exchange import protocol
from ...backend.makeittalk.exchange.amounts import Amounts
from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ...backend.makeittalk.exchange.formats import Bake, Mesh
from ..core.errors import AddonError
from ..core.playback import Playback
from ..core.preview_motion import still
from ..scene import landmark_mesh
from ..scene.preview_overlay import PreviewOverlay
from ..scene.preview_sound import PreviewSound
from ..scene.setup import frame_rate
from . import connection
from . import recipe as recipes
from .backend_job import BackendJob
from .long_job import LongJob
from .preview_requests import Asked, Prediction, Rebake

_SETTLED = 0.25  # s without another change before the backend is asked anew
_LOOK = 0.1  # s between two looks at the settings


class Preview(LongJob):
    """A preview under way. Amounts act at once; another seed, voice or style is predicted anew while the old plays on;
    another portrait or recording begins anew.

    Args:
        context: where it was asked for; its scene's settings count. area: the viewport that shows it.

    Attributes:
        playback: where it is. overlay: what is drawn. keeping: whether it shall become a character once it is whole.
        first_picture: s from its beginning to the first face on the screen, 0 before.

    Raises:
        MakeItTalkError: the backend cannot be started, or a setting cannot be used.
    """

    when_cancelled = "The preview was stopped. Nothing was changed."

    def __init__(self, context: bpy.types.Context, area: bpy.types.Area) -> None:
        self._begun, self.first_picture = time.monotonic(), 0.0
        self._scene = context.scene.session_uid
        recipe = recipes.read(context.scene)
        self._seed: int = recipe.request.seed
        self._wanted, self._since, self._looked = self._asked(context.scene), 0.0, 0.0
        client = connection.get()
        # A job that was left alone, as that of another file, is waited for: the backend may be ended because of it.
        self._coming: Prediction | None = None if client.busy else Prediction(recipe, self._wanted)
        self._shown: Prediction | None = None
        self._rebaking: Rebake | None = None
        self._rebaked: Rebake | None = None  # whose bake is shown
        self._ending: list[BackendJob] = []  # cancelled, and the backend has not said that it has stopped
        self.keeping = self._stopped = self._closed = False
        self._error: MakeItTalkError | None = None
        self._sound_of = self._silent = ""  # which recording is heard; why it is not
        self.playback = Playback()
        self.overlay = PreviewOverlay(area, self.playback, self._amounts)
        self.playback.play()
        self.begin("Starting the backend" if client.hello is None else "Starting")
        self.session.previewing = True

    @property
    def cancelled(self) -> bool:
        """Whether it was stopped as asked."""
        return self._stopped

    @property
    def whole(self) -> bool:
        """Whether all is predicted, as the settings are now."""
        shown = self._shown
        busy = self._coming is not None or self._rebaking is not None or self._ending
        if busy or shown is None or shown.data is None or shown.asked != self._wanted:
            return False
        scene = self._find_scene()
        return shown.asked == self._asked(scene) and shown.baked == self._bake_wanted(scene)

    def keep(self) -> None:
        """Has it become a character, as soon as all is predicted."""
        self.keeping = True

    def cancel(self) -> None:
        """Stops it: what is drawn and heard ends at once, `poll` goes on until the backend has stopped."""
        self._stopped = True
        self.playback.close()
        self.overlay.free()
        for job in self._jobs():
            job.cancel()

    def poll(self) -> bool:
        """Takes in what has come and follows the settings; True once it is to end, for whatever reason."""
        if self._error is not None:
            return True
        if self._stopped:
            ended = [job.poll() for job in self._jobs()]  # of all: each may have to be told
            return all(ended)
        try:
            self._advance()
            self._tell()
            return self.keeping and self.whole
        except MakeItTalkError as error:
            self._error = error
            return True

    def finish(self, context: bpy.types.Context) -> str:
        """Makes the character of what was shown and returns a sentence for the user.

        Raises:
            MakeItTalkError: it failed; nothing was changed.
        """
        try:
            if self._error is not None:
                raise self._error
            shown, scene = self._shown, self._find_scene()
            assert shown is not None and shown.data is not None, "it is whole"
            self.playback.close()  # before Blender opens the same recording
            self.overlay.free()
            if context.window is not None and context.window.scene != scene:
                context.window.scene = scene
            data = shown.data
            if self._rebaked is not None:
                data = replace(data, bake=self._rebaked.answer().bake)
            # Amounts and the beginning are as they are now; all else is what was predicted.
            return recipes.build(context, recipes.read(scene, self._seed), data)
        finally:
            self.close()

    def close(self) -> None:
        """Ends it, whatever became of it: nothing is drawn, heard, waited for or left on the disk."""
        if self._closed:
            return
        self._closed = True
        self.playback.close()
        self.overlay.free()
        for job in self._jobs():
            job.cancel()
            job.discard()
        self._coming = self._shown = self._rebaking = self._rebaked = None
        self._ending.clear()
        self.session.previewing = False
        super().close()

    def _jobs(self) -> list[BackendJob]:
        """All that have a folder, finished or not."""
        jobs = (self._coming, self._shown, self._rebaking, self._rebaked, *self._ending)
        return list({id(job): job for job in jobs if job is not None}.values())

    def _find_scene(self) -> bpy.types.Scene:
        scene = next((item for item in bpy.data.scenes if item.session_uid == self._scene), None)
        if scene is None:
            raise AddonError("The scene was removed meanwhile.", "Run it again.")
        return scene

    def _amounts(self) -> Amounts:
        settings = self._find_scene().makeittalk
        return Amounts(**{name: getattr(settings, name) for name in recipes.AMOUNTS})

    def _asked(self, scene: bpy.types.Scene) -> Asked:
        """What the settings ask for; a seed that was drawn stays."""
        settings = scene.makeittalk
        if not settings.draw_seed:
            self._seed = settings.seed
        points = landmark_mesh.of_portrait(scene)
        being_placed = points is not None and landmark_mesh.portrait(points) == settings.portrait
        placed = landmark_mesh.read(points).round(2).tobytes() if points is not None and being_placed else b""
        begins = (settings.portrait, settings.speech, settings.face, settings.landmarks, settings.landmarks_of, placed)
        return Asked(begins, (settings.voice, settings.style, settings.own_mouth, settings.weights_set, self._seed))

    def _bake_wanted(self, scene: bpy.types.Scene) -> tuple[float, float]:
        return frame_rate(scene), scene.makeittalk.smooth

    def _advance(self) -> None:
        client = connection.current()
        if client is not None and client.alive:
            client.poll()  # for a job that was left alone, too
        for job in [job for job in self._ending if job.poll()]:
            self._ending.remove(job)
            if job is not self._shown:
                job.discard()
        self._take_coming()
        self._take_rebaked()
        if time.monotonic() - self._looked > _LOOK:
            self._looked = time.monotonic()
            self._follow(self._find_scene())
        self.playback.update()
        if self.overlay.error is not None:
            raise self.overlay.error
        if self.overlay.pictures and not self.first_picture:
            self.first_picture = time.monotonic() - self._begun

    def _take_coming(self) -> None:
        """What the backend has said of the newest prediction."""
        coming = self._coming
        if coming is None or coming.job is None:
            return
        finished = coming.poll()
        for part in coming.job.take_parts():
            if part.bake or self.overlay.motion is None:
                self._show(coming, part)
        if finished:
            data = coming.data = coming.answer()
            if self._shown is not coming:  # the parts were lost
                self._show(
                    coming,
                    protocol.PreviewPart(
                        portrait=data.portrait,
                        mesh=data.mesh,
                        audio=data.audio,
                        seconds=data.seconds,
                        bake=data.bake,
                        final=True,
                    ),
                )
            self._coming = None

    def _show(self, coming: Prediction, part: protocol.PreviewPart) -> None:
        """Takes a part of a prediction; the first of it takes the place of what was shown before."""
        if self._shown is not coming:
            mesh = Mesh.load(part.mesh)
            self.overlay.show(mesh, Path(part.portrait), self._bake_of(part, coming, mesh))
            before, self._shown = self._shown, coming
            for job in (before, self._rebaking, self._rebaked):
                self._leave(job)
            self._rebaking = self._rebaked = None
        elif part.bake:
            self.overlay.use(Bake.load(part.bake))
        audio = part.audio or coming.recipe.request.audio
        if audio != self._sound_of:
            self._sound_of = audio
            self.playback.hear(self._open_sound(Path(audio)))
        self.playback.show(part.seconds if part.final else part.until, part.seconds)

    def _bake_of(self, part: protocol.PreviewPart, coming: Prediction, mesh: Mesh) -> Bake:
        return Bake.load(part.bake) if part.bake else still(mesh, coming.recipe.request.fps)

    def _open_sound(self, path: Path) -> PreviewSound | None:
        self._silent = ""
        try:
            return PreviewSound(path)
        except OSError as error:
            self._silent = str(error)
            return None

    def _take_rebaked(self) -> None:
        rebaking, shown = self._rebaking, self._shown
        if rebaking is None or not rebaking.poll():
            return
        assert shown is not None, "what is baked again is shown"
        self.overlay.use(Bake.load(rebaking.answer().bake))
        shown.baked = rebaking.baked
        self._leave(self._rebaked)
        self._rebaking, self._rebaked = None, rebaking

    def _follow(self, scene: bpy.types.Scene) -> None:
        """Asks the backend for what the settings have become, once they have settled and it has nothing else to do."""
        now, wanted = time.monotonic(), self._asked(scene)
        if wanted != self._wanted:
            self._wanted, self._since = wanted, now
        newest = self._coming or self._shown
        if newest is None or newest.asked != wanted or newest.cancelled:
            if now - self._since > _SETTLED:
                self._predict(scene, wanted, newest)
        elif newest.data is not None and self._rebaking is None and newest.baked != self._bake_wanted(scene):
            self._rebaking = Rebake(newest.data, self._bake_wanted(scene))

    def _predict(self, scene: bpy.types.Scene, wanted: Asked, newest: Prediction | None) -> None:
        """Begins another prediction, when what is under way has ended."""
        reason = self._cannot(scene)
        if reason:
            raise AddonError(reason, "Choose it, and press Preview again.")
        for job in (self._coming, self._rebaking):
            self._leave(job)
        self._coming = self._rebaking = None
        if newest is not None and newest.asked.begins != wanted.begins and self._shown is not None:
            shown, rebaked = self._shown, self._rebaked
            self._shown = self._rebaked = None
            self._leave(shown)
            self._leave(rebaked)
            self.overlay.clear()
            self.playback.hear(None)
            self.playback.show(0.0, 0.0)
            self._sound_of = ""
        client = connection.current()
        if not self._ending and not (client is not None and client.alive and client.busy):
            self._coming = Prediction(recipes.read(scene, self._seed), wanted)

    def _cannot(self, scene: bpy.types.Scene) -> str:
        """Why the files of the settings cannot be predicted from."""
        settings = scene.makeittalk
        for name, what in (("portrait", "portrait"), ("speech", "speech"), ("voice", "voice")):
            path = getattr(settings, name)
            if not path and name != "voice":
                return f"There is no {what} any more."
            if path and not os.path.isfile(bpy.path.abspath(path)):
                return f"{Path(path).name} does not exist."
        return ""

    def _leave(self, job: BackendJob | None) -> None:
        """Lets a job go, with its files; those of one that the backend is at when it has stopped."""
        if job is None:
            return
        if job.job is not None and not job.job.finished:
            job.cancel()
            if job not in self._ending:
                self._ending.append(job)
        elif job is not self._shown:
            job.discard()

    def _tell(self) -> None:
        """Says in the panel and beside the time what is going on."""
        coming, session = self._coming, self.session
        job = coming.job if coming is not None else None
        if job is None:
            session.progress(1.0, "")
        elif job.stage:
            session.progress(job.fraction, job.stage, job.seconds_left)
        note = ""
        if self._shown is None and job is not None:
            note = job.stage
        elif coming is not None and coming is not self._shown:
            note = f"The new take is predicted, {job.fraction:.0%}" if job is not None else ""
        elif coming is not None:
            note = f"Provisional, the rest is predicted, {job.fraction:.0%}" if job is not None else ""
        elif self._ending or (self._shown is not None and self._shown.asked != self._wanted):
            note = "The new take is predicted"
        elif self._rebaking is not None:
            note = "Baked again"
        elif self._silent:
            note = self._silent
        self.overlay.note = "Kept as soon as all is predicted" if self.keeping and not self.whole else note
