"""A character that is shown while it is made: its picture, its first seconds, the whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch

from ..animation.bake import bake_motion
from ..animation.predict import analyse_speech, hear_speech, predict_parts, show_parts
from ..audio.loading import load_audio
from ..exchange.constants import FRAME_RATE
from ..exchange.errors import Cancelled
from ..exchange.formats import Bake, Mesh
from ..exchange.progress import Progress, part
from ..exchange.protocol import PreviewPart
from ..images.style import resolve_style
from ..networks.device import choose_device, one_thread
from ..networks.speech import Speech
from . import kept
from .animate import AnimateOptions, Character, PathLike, Portrait, bake, build_portrait, playable_sound

FIRST = 4.0  # s that are shown first
AHEAD = 2.2  # s heard behind what is shown: then what the networks read of it at once, 6 s, is full, as in the whole
_GROWTH = 2.0  # a stretch is at least so much longer than the one before it
_SHARE = 0.5  # of the time until a stretch is played out, that may go by before the next one is there


@dataclass
class Previewed:
    """A character that was shown while it was made.

    Attributes:
        bake: its file. style, reason: as `resolve_style` answers.
    """

    character: Character
    bake: Path
    style: str
    reason: str


def preview_character(
    source: PathLike,
    recording: PathLike,
    folder: Path,
    fps: float,
    style: str,
    options: AnimateOptions,
    show: Callable[[PreviewPart], None],
    progress: Progress,
) -> Previewed:
    """`animate.animate` and `animate.bake`, whose files these are, bit for bit; what can be shown is shown at once.

    The recording is listened to while the mesh is built. Stretches of the motion come from its beginning, each of them
    as long as can be predicted in half the time until the one before it is played out.

    Args:
        source, recording, folder, options: see `animate`. fps: see `bake`. style: see `resolve_style`.
        show: is given the parts of the preview: picture and mesh, then stretches from the beginning, then all.

    Raises:
        InputError, OutputError, MissingError: with a sentence for the user.
        Cancelled: `progress` said so.
    """
    device = choose_device(options.device)
    torch.get_num_threads()  # is settled for this thread here, before another one may change it for itself
    ended = threading.Event()

    def watch(_fraction: float, _stage: str) -> None:
        if ended.is_set():
            raise Cancelled

    with ThreadPoolExecutor(1, "listening") as pool:
        try:
            reading = pool.submit(_read_sound, recording, folder, options, device, watch)
            listening = pool.submit(_listen, reading, options, device, watch)
            portrait, mesh = build_portrait(source, folder, options, part(progress, 0.0, 0.3))
            style, reason = resolve_style(style, portrait.rgba, portrait.face.landmarks)
            sound = reading.result()
            known = PreviewPart(
                portrait=str(portrait.face.image),
                mesh=str(folder / "mesh.npz"),
                audio=str(sound.path),
                style=style,
                seconds=sound.seconds,
            )
            show(known)
            speech, beginning, spent = listening.result()
        finally:
            ended.set()
            pool.shutdown(cancel_futures=True)
    if beginning is not None:
        draft = _Draft(portrait, mesh, options, fps)
        for number, baked in enumerate(_stretches(draft, speech, beginning, spent, sound.seconds, progress)):
            path = folder / f"preview{number}.npz"
            baked.save(path)
            show(replace(known, bake=str(path), until=baked.frames / fps))
    hear_speech(speech, options, device, part(progress, 0.35, 0.7))
    kept.keep_speech(sound.key, speech)
    motion = show_parts(portrait.face, predict_parts(speech, portrait.face, options, part(progress, 0.7, 0.95)))
    del speech
    progress(0.95, "Baking the curves")
    whole = bake(motion, mesh, folder, fps)
    show(replace(known, bake=str(whole), until=sound.seconds, final=True))
    progress(0.97, "Saving")
    motion.save(folder / "motion.npz")
    progress(1.0, "Saving")
    notices = [*portrait.notices, *sound.notices]
    return Previewed(
        Character(portrait, mesh, motion, folder, sound.path, sound.seconds, notices), whole, style, reason
    )


def next_stretch(shown: float, left: float, pace: float, seconds: float) -> float:
    """How much is to be shown next, s from the beginning; `seconds`, the whole, where hardly anything would be left.

    Args:
        shown: s that are shown. left: s until they are played out. pace: s that a second of speech takes to predict.
    """
    can = _SHARE * left / max(pace, 1e-6) - AHEAD
    stretch = max(_GROWTH * shown, can)
    return seconds if stretch + AHEAD >= seconds else stretch


@dataclass
class _Sound:
    """A recording that was read; `samples` and `voice` (n,) only until they were listened to."""

    path: Path
    seconds: float
    notices: list[str]
    samples: np.ndarray | None
    voice: np.ndarray | None
    key: bytes


def _read_sound(recording: PathLike, folder: Path, options: AnimateOptions, device: str, progress: Progress) -> _Sound:
    audio = load_audio(recording, progress)
    voice = load_audio(options.voice_file, progress) if options.voice_file else None
    return _Sound(
        playable_sound(recording, audio, folder),
        audio.seconds,
        [*audio.notices, *(voice.notices if voice else [])],
        audio.samples,
        None if voice is None else voice.samples,
        kept.speech_key(audio.samples, device),
    )


def _listen(
    reading: Future[_Sound], options: AnimateOptions, device: str, progress: Progress
) -> tuple[Speech, Speech | None, float]:
    """A recording's speech; its beginning as the networks will hear it, None where the whole is hardly longer; the
    time, s, that went into that."""
    sound = reading.result()
    assert sound.samples is not None
    speech = kept.speech_of(sound.key, sound.voice) or analyse_speech(sound.samples, sound.voice, progress)
    sound.samples = sound.voice = None
    if sound.seconds <= FIRST + AHEAD:
        return speech, None, 0.0
    begun = time.monotonic()
    beginning = speech.beginning(int((FIRST + AHEAD) * FRAME_RATE))
    with one_thread():  # the mesh is built meanwhile
        hear_speech(beginning, options, device, progress)
    return speech, beginning, time.monotonic() - begun


@dataclass
class _Draft:
    """What curves are made of while the whole recording has not been heard."""

    portrait: Portrait
    mesh: Mesh
    options: AnimateOptions
    fps: float

    def bake(self, speech: Speech, seconds: float, progress: Progress) -> Bake:
        """The curves of the first seconds of a speech that goes on for a little longer."""
        face = self.portrait.face
        with one_thread():
            motion = show_parts(face, predict_parts(speech, face, self.options, progress))
        baked, shapes = bake_motion(motion, self.mesh, self.fps), Bake.shapes()
        frames = max(1, int(seconds * self.fps))
        rows = [item.name for item in fields(Bake) if shapes[item.name][:1] == ("N",)]
        cut = {name: value[:frames] for name in rows if (value := getattr(baked, name)) is not None}
        return replace(baked, **cut)


def _stretches(
    draft: _Draft, speech: Speech, beginning: Speech, spent: float, seconds: float, progress: Progress
) -> Iterator[Bake]:
    """The curves of longer and longer stretches of a speech from its beginning on, until the next one is the whole.

    Args:
        beginning: of `speech`, for the first stretch. spent: s that went into hearing it.
        seconds: the speech's length.
    """
    stretch, played_since, low = FIRST, 0.0, 0.3
    while stretch < seconds:
        begun, high = time.monotonic(), (low + 0.35) / 2  # nobody knows yet how many there will be
        yield draft.bake(beginning, stretch, part(progress, low, high))
        now, low = time.monotonic(), high
        played_since = played_since or now
        pace = (now - begun + spent) / (stretch + AHEAD)
        stretch = next_stretch(stretch, stretch - (now - played_since), pace, seconds)
        spent, beginning = 0.0, speech.beginning(int((stretch + AHEAD) * FRAME_RATE))
