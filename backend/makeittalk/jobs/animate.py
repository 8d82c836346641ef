"""From a portrait and a recording to the files of a character; what the command line and the server both call."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..animation.bake import bake_motion
from ..animation.placement import place_motion
from ..animation.predict import PredictOptions, analyse_speech, predict_parts, show_parts
from ..animation.retarget import retarget
from ..audio.loading import Audio, load_audio, write_flac
from ..exchange.errors import InputError
from ..exchange.formats import Face, Mesh, Motion
from ..exchange.progress import Progress, part, silent
from ..exchange.rates import exact_rate
from ..images.portrait import prepare_portrait, write_portrait
from ..landmarks.detector import Detection, NoFaceError, detect_landmarks
from ..networks.device import choose_device
from . import kept
from .later_face import find_later_face

PathLike = str | os.PathLike[str]


@dataclass
class Portrait:
    """A prepared picture and the face in it.

    Attributes:
        face: landmarks; its `image` is the prepared PNG. rgba: (H, W, 4) uint8, that picture.
        path: the face.json that holds it. notices: sentences for the user.
    """

    face: Face
    rgba: np.ndarray
    path: Path
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class AnimateOptions(PredictOptions):
    """What can be chosen about a character.

    Attributes:
        face_file: corrected landmarks instead of detection. detector: see `detect_landmarks`.
        face: which of several faces, from 1, the largest. voice_file: a recording whose manner is taken.
        own_mouth: keep the pixels of an open mouth. style: see `resolve_style`.
        The rest: see `PredictOptions`.
    """

    face_file: PathLike = ""
    voice_file: PathLike = ""
    detector: str = "auto"
    face: int = 1
    own_mouth: bool = True
    style: str = "auto"


@dataclass
class Character:
    """Everything made for one character, in memory and as files in one folder.

    Attributes:
        sound: what is to be played, the recording itself or a copy as it was heard. seconds: its length.
    """

    portrait: Portrait
    mesh: Mesh
    motion: Motion
    folder: Path
    sound: Path
    seconds: float
    notices: list[str]


def find_face(
    source: PathLike,
    folder: PathLike,
    face_file: PathLike = "",
    detector: str = "auto",
    face: int = 1,
    progress: Progress = silent,
    detect: Callable[..., Detection] = detect_landmarks,
) -> Portrait:
    """Prepares a portrait and finds its face; writes `portrait.png` and `face.json` into `folder`.

    Args:
        source: the picture. folder: an existing folder. face_file: corrected landmarks instead of detection.
        detector, face: see `detect_landmarks`. detect: what finds it.

    Raises:
        InputError: the picture or the face file cannot be used, or there is no such face.
        OutputError: the folder cannot be written.
    """
    progress(0.0, "Reading the portrait")
    # A face file is checked first: it is cheap to read and names its own mistakes.
    given = Face.load(face_file) if face_file else None
    prepared = prepare_portrait(source, folder)
    progress(0.4, "Finding the face")
    looking = part(progress, 0.4, 1.0)
    portrait = _with_face(source, Path(folder), prepared, given, face_file, detector, face, looking, detect)
    progress(1.0, "Finding the face")
    return portrait


def _with_face(
    source: PathLike,
    folder: Path,
    prepared: tuple[Path, np.ndarray, list[str]],
    given: Face | None = None,
    face_file: PathLike = "",
    detector: str = "auto",
    number: int = 1,
    progress: Progress = silent,
    detect: Callable[..., Detection] = detect_landmarks,
) -> Portrait:
    """The face of a prepared portrait, given or detected; writes `face.json`."""
    image, rgba, notices = prepared
    height, width = rgba.shape[:2]
    if given is not None:
        check_picture(given, rgba, face_file, source)
        face = Face(image, width, height, given.landmarks, given.detector, given.confidence, given.irises)
    else:
        try:
            found = detect(rgba, detector, name=str(source), face=number)
            notices = [*notices, *found.notices]
        except NoFaceError:
            later = find_later_face(source, detector, number, progress)
            if later is None:
                raise
            picture, found = later
            image, rgba = write_portrait(picture.image, folder)
            height, width = rgba.shape[:2]
            notices = found.notices
        face = Face(image, width, height, found.landmarks, found.detector, found.confidence, found.irises)
    path = folder / "face.json"
    face.save(path)
    return Portrait(face, rgba, path, notices)


def check_picture(face: Face, rgba: np.ndarray, face_file: PathLike, source: PathLike) -> None:
    """Sees to it that a face's pixels are those of a picture (H, W, 4).

    Raises:
        InputError: the picture is of another size.
    """
    height, width = rgba.shape[:2]
    if (face.width, face.height) != (width, height):
        raise InputError(
            f"{face_file} belongs to a picture of {face.width} × {face.height} px, "
            f"but {source} has {width} × {height} px.",
            "Detect the landmarks of this portrait again.",
        )


def animate(
    source: PathLike,
    recording: PathLike,
    folder: PathLike,
    options: AnimateOptions | None = None,
    progress: Progress = silent,
) -> Character:
    """The whole way; writes `portrait.png`, `face.json`, `mesh.npz` and `motion.npz` into `folder`.

    Args:
        source, recording: portrait and speech. folder: an existing folder for the results.
        options: defaults where None.

    Raises:
        InputError, OutputError, MissingError: with a sentence for the user.
        Cancelled: `progress` said so.
    """
    options = options or AnimateOptions()
    folder = Path(folder)
    progress(0.0, "Reading the recording")
    audio = load_audio(recording)
    voice = load_audio(options.voice_file) if options.voice_file else None
    notices, seconds = [*audio.notices, *(voice.notices if voice else [])], audio.seconds
    sound = playable_sound(recording, audio, folder)
    portrait, mesh = build_portrait(source, folder, options, part(progress, 0.05, 0.3))
    key = kept.speech_key(audio.samples, choose_device(options.device))
    other = None if voice is None else voice.samples
    speech = kept.speech_of(key, other) or analyse_speech(audio.samples, other, part(progress, 0.3, 0.5))
    del audio, voice, other  # hours of sound are as large as the motion
    parts = predict_parts(speech, portrait.face, options, part(progress, 0.5, 0.95))
    kept.keep_speech(key, speech)
    del speech
    motion = show_parts(portrait.face, parts)
    progress(0.95, "Saving")
    motion.save(folder / "motion.npz")
    progress(1.0, "Saving")
    return Character(portrait, mesh, motion, folder, sound, seconds, [*portrait.notices, *notices])


def build_portrait(
    source: PathLike, folder: PathLike, options: AnimateOptions, progress: Progress = silent
) -> tuple[Portrait, Mesh]:
    """The picture with its face, and their mesh, built once for all takes; writes the files of both into `folder`.

    Raises:
        InputError, OutputError: as `find_face` and `build_mesh`.
    """
    progress(0.0, "Reading the portrait")
    looking = part(progress, 0.0, 0.6)
    face_file, detector, face = options.face_file, options.detector, options.face
    portrait = find_face(source, folder, face_file, detector, face, looking, kept.detect)
    progress(0.6, "Building the mesh")
    mesh = kept.mesh_of(portrait.face, portrait.rgba, options.own_mouth, options.style)
    mesh.save(Path(folder) / "mesh.npz")
    progress(1.0, "Building the mesh")
    return portrait, mesh


def playable_sound(recording: PathLike, audio: Audio, folder: PathLike) -> Path:
    """What is to be played of a recording: itself, or a copy in `folder` as it was heard.

    Raises:
        OutputError: the copy cannot be written.
    """
    if audio.plain:
        return Path(recording)
    # One clock: what is played is what was heard.
    sound = Path(folder) / "speech.flac"
    write_flac(sound, audio.original, audio.original_rate)
    return sound


def bake(motion: Motion, mesh: Mesh, folder: PathLike, fps: float, smooth: float | None = None) -> Path:
    """Bakes a motion for a scene's rate and writes `bake.npz` into `folder`.

    Raises:
        InputError: the rate is impossible.
    """
    exact_rate(fps)
    path = Path(folder) / "bake.npz"
    bake_motion(motion, mesh, fps, smooth).save(path)
    return path


def face_for_motion(
    source: PathLike,
    motion: Motion,
    folder: PathLike,
    detector: str = "auto",
    progress: Progress = silent,
    face: int = 1,
) -> tuple[Portrait, Motion]:
    """A portrait prepared for a motion, and the motion on it.

    Where the picture has the size of the motion's own, its face is looked for there and tells whether it is that
    picture, a moment of the film that was tracked, or another face (see `placement.place_motion`); a picture in which
    no face is found is taken for the motion's own. On a picture of another size the motion is carried over.

    Args:
        detector, face: see `detect_landmarks`.

    Raises:
        InputError: the portrait cannot be used.
    """
    folder = Path(folder)
    prepared = image, rgba, notices = prepare_portrait(source, folder)
    height, width = rgba.shape[:2]
    progress(0.5, "Reading the portrait")
    irises = None
    if motion.image_size is None or (width, height) != tuple(int(side) for side in motion.image_size):
        portrait = _with_face(source, folder, prepared, detector=detector, number=face)
        progress(1.0, "Reading the portrait")
        return portrait, retarget(motion, portrait.face.landmarks)
    try:
        found = detect_landmarks(rgba, detector, name=str(source), face=face)
        landmarks, motion, carried = place_motion(motion, found.landmarks)
        notices, irises = [*notices, *found.notices], found.irises
        if carried:
            notices.append(f"The motion is of another face and was carried over to the one in {source}.")
    except NoFaceError:
        landmarks = motion.neutral
    progress(1.0, "Reading the portrait")
    shown = Face(image, width, height, landmarks, irises=irises)
    return Portrait(shown, rgba, folder / "face.json", notices), motion
