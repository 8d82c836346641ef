"""A character that is shown while it is made: its picture, its first seconds, the whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path

from ..animation.bake import bake_motion
from ..animation.predict import analyse_speech, predict_parts, show_parts
from ..audio.loading import load_audio
from ..exchange.constants import FRAME_RATE, MEL_HOP
from ..exchange.formats import Bake, Mesh
from ..exchange.progress import Progress, part
from ..exchange.protocol import PreviewPart
from ..images.style import resolve_style
from ..mesh.build import build_mesh
from ..networks.speech import Speech
from .animate import AnimateOptions, Character, PathLike, Portrait, bake, find_face, playable_sound

_FIRST = 4.0  # s that are shown first
_AHEAD = 2.2  # s that are heard behind what is shown: windows of the networks that are full there


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

    Args:
        source, recording, folder, options: see `animate`. fps: see `bake`. style: see `resolve_style`.
        show: is given the parts of the preview: picture and mesh, then stretches from the beginning, then all.

    Raises:
        InputError, OutputError, MissingError: with a sentence for the user.
        Cancelled: `progress` said so.
    """
    progress(0.0, "Reading the portrait")
    portrait = find_face(source, folder, options.face_file, options.detector, options.face, part(progress, 0.0, 0.1))
    style, reason = resolve_style(style, portrait.rgba, portrait.face.landmarks)
    progress(0.1, "Building the mesh")
    mesh = build_mesh(portrait.face, portrait.rgba, own_mouth=options.own_mouth)
    mesh.save(folder / "mesh.npz")
    progress(0.25, "Reading the recording")
    audio = load_audio(recording)
    voice = load_audio(options.voice_file) if options.voice_file else None
    notices = [*portrait.notices, *audio.notices, *(voice.notices if voice else [])]
    sound = playable_sound(recording, audio, folder)
    known = PreviewPart(
        portrait=str(portrait.face.image),
        mesh=str(folder / "mesh.npz"),
        audio=str(sound),
        style=style,
        seconds=audio.seconds,
    )
    show(known)
    speech = analyse_speech(audio.samples, None if voice is None else voice.samples, part(progress, 0.25, 0.35))
    if audio.seconds > _FIRST + _AHEAD:
        heard = _beginning(speech, _FIRST + _AHEAD)
        baked = _bake_beginning(heard, portrait, mesh, options, fps, _FIRST, part(progress, 0.35, 0.4))
        path = folder / "preview0.npz"
        baked.save(path)
        progress(0.4, "Baking the curves")
        show(replace(known, bake=str(path), until=baked.frames / fps))
    parts = predict_parts(speech, portrait.face, options, part(progress, 0.4, 0.95))
    motion = show_parts(portrait.face, parts)
    progress(0.95, "Baking the curves")
    whole = bake(motion, mesh, folder, fps)
    progress(0.97, "Saving")
    show(replace(known, bake=str(whole), until=audio.seconds, final=True))
    motion.save(folder / "motion.npz")
    progress(1.0, "Saving")
    character = Character(portrait, mesh, motion, folder, sound, audio.seconds, notices)
    return Previewed(character, whole, style, reason)


def _beginning(speech: Speech, seconds: float) -> Speech:
    """The first seconds of a recording, at the loudness and in the voice of the whole."""
    frames = int(seconds * FRAME_RATE)
    samples = None if speech.samples is None else speech.samples[: (frames - 1) * MEL_HOP]
    prosody = None if speech.prosody is None else speech.prosody[:frames]
    return Speech(speech.mel[:frames], speech.embedding, speech.style_embedding, prosody, samples)


def _bake_beginning(
    speech: Speech,
    portrait: Portrait,
    mesh: Mesh,
    options: AnimateOptions,
    fps: float,
    seconds: float,
    progress: Progress,
) -> Bake:
    """The curves of the first seconds of a speech that goes on for a little longer."""
    motion = show_parts(portrait.face, predict_parts(speech, portrait.face, options, progress))
    baked = bake_motion(motion, mesh, fps)
    frames, shapes = int(seconds * fps), Bake.shapes()
    cut = {
        item.name: getattr(baked, item.name)[:frames]
        for item in fields(Bake)
        if shapes[item.name][:1] == ("N",) and getattr(baked, item.name) is not None
    }
    return replace(baked, **cut)
