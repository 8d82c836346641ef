"""Corpora in miniature, each laid out as the real one: films of a talking photograph whose face the detector finds, and
the voice of the demo, read faster or slower for other speakers."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import soundfile
from makeittalk.animation.basis import character_keys
from makeittalk.audio.loading import load_audio
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.audio.prosody import loudness_curve
from makeittalk.exchange.constants import FRAME_RATE, SAMPLE_RATE
from makeittalk.exchange.formats import Face
from makeittalk.images.portrait import prepare_portrait
from makeittalk.landmarks.detector import detect_landmarks
from makeittalk.landmarks.landmark_motion import motion_of_landmarks
from makeittalk.mesh.build import build_mesh
from makeittalk.rendering.warp import Warper
from media import encode_film
from PIL import Image
from project import ASSETS

FPS = 25
_SIDE = 224  # px
_POSES = 6


@lru_cache(maxsize=1)
def _speech() -> np.ndarray:
    return load_audio(ASSETS / "speech.flac").samples


def voice(speaker: int, seconds: float, start: float = 0.3) -> np.ndarray:
    """So many seconds of the demo's sentence at 16 kHz, in the voice of a speaker by number."""
    samples = _speech()
    pace = 0.82 + 0.09 * speaker
    place = np.arange(round(seconds * SAMPLE_RATE)) * pace + start * SAMPLE_RATE
    return np.interp(place % (len(samples) - 1), np.arange(len(samples)), samples).astype(np.float32)


class TalkingPhoto:
    """The embedded photograph with its jaw in `_POSES` places, made by its mesh; it leans and sways as a picture.

    Args:
        folder: where a small copy of it is kept.
    """

    def __init__(self, folder: Path) -> None:
        with Image.open(next(ASSETS.glob("portrait_photo.*"))) as picture:
            picture.convert("RGB").resize((_SIDE, _SIDE)).save(folder / "small.png")
        _, rgba, _ = prepare_portrait(folder / "small.png", folder)
        neutral = detect_landmarks(rgba).landmarks
        names, keys, _ = character_keys(neutral)
        jaw = keys[list(names).index("jawOpen")]
        landmarks = neutral + np.linspace(0.0, 0.7, _POSES)[:, None, None] * jaw
        mesh = build_mesh(Face(Path("p.png"), rgba.shape[1], rgba.shape[0], neutral), rgba)
        motion = motion_of_landmarks(landmarks.astype(np.float32), neutral.astype(np.float32), float(FPS))
        with Warper(mesh, rgba, backend="cpu") as warper:
            self._pictures = [np.ascontiguousarray(frame[..., :3]) for frame in warper.frames(motion)]
        self._middle = neutral[:, :2].mean(0)

    def film(self, path: Path, samples: np.ndarray, seed: int = 0, scenes: int = 1) -> Path:
        """Writes a film of the face speaking, its jaw as open as the sound is loud.

        Args:
            samples: (n,) at 16 kHz. seed: of the head's motion. scenes: of different brightness, as many as that.
        """
        count = int(len(samples) / SAMPLE_RATE * FPS)
        times = np.arange(count) / FPS
        loud = loudness_curve(mel_spectrogram(samples))
        poses = np.rint((_POSES - 1) * np.interp(times, np.arange(len(loud)) / FRAME_RATE, loud)).astype(int)
        rng = np.random.default_rng(seed)
        phase, speed = rng.uniform(0.0, 6.0, 3), rng.uniform(1.0, 3.0, 3)
        lean, right, down = (np.array([4.0, 3.0, 2.0]) * np.sin(speed * times[:, None] + phase)).T
        frames = []
        for index, pose in enumerate(poses):
            way = cv2.getRotationMatrix2D(tuple(map(float, self._middle)), float(lean[index]), 1.0)
            way[:, 2] += right[index], down[index]
            picture = self._pictures[pose]
            frame = cv2.warpAffine(picture, way, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
            frames.append(frame // 2 if index * scenes // count % 2 else frame)
        path.parent.mkdir(parents=True, exist_ok=True)
        return encode_film(path, frames, [Fraction(index, FPS) for index in range(count)], samples)


def write_vctk(folder: Path, speakers: int = 5, recordings: int = 2, seconds: float = 2.0) -> Path:
    """VCTK 0.92: two microphones, texts of all but the last speaker, `speaker-info.txt`, and a broken recording."""
    root = folder / "VCTK-Corpus-0.92"
    rows = ["ID  AGE  GENDER  ACCENTS  REGION COMMENTS "]
    for number in range(speakers):
        who = f"p{225 + number}"
        rows.append(f"{who}  {22 + number}  {'FM'[number % 2]}    English    Southern  England (no remarks)")
        for part in ("wav48_silence_trimmed", "txt"):
            (root / part / who).mkdir(parents=True, exist_ok=True)
        for index in range(1, recordings + 1):
            stem = f"{who}_{index:03d}"
            samples = voice(number, seconds, 0.3 * index)
            for mic in ("mic1", "mic2"):
                soundfile.write(root / "wav48_silence_trimmed" / who / f"{stem}_{mic}.flac", samples, SAMPLE_RATE)
            if number < speakers - 1:
                (root / "txt" / who / f"{stem}.txt").write_text("Please call Stella.\n")
    (root / "wav48_silence_trimmed" / "p225" / "p225_099_mic1.flac").write_bytes(b"no sound")
    (root / "speaker-info.txt").write_text("\n".join(rows) + "\n")
    return folder


def write_obama(folder: Path, photo: TalkingPhoto, films: int = 5, seconds: float = 5.0) -> Path:
    """Weekly addresses: films of one speaker, the first twice as long, in two scenes, and one that is no film."""
    for number in range(films):
        samples = voice(1, seconds if number else 2.0 * seconds, number)
        photo.film(folder / f"2010-01-{number:02d} Address.mp4", samples, number, 2 - bool(number))
    (folder / "notes.mp4").write_bytes(b"no film")
    return folder


def write_voxceleb2(folder: Path, photo: TalkingPhoto, speakers: int = 5, clips: int = 1, seconds: float = 2.0) -> Path:
    """VoxCeleb2: `dev/mp4/ID/VIDEO/CLIP.mp4`, the sound of the first speaker in `dev/aac`, and one that is no film."""
    for number in range(speakers):
        for index in range(clips):
            name = f"id{number:05d}/aB-c_{number}"
            samples = voice(number, seconds, index)
            photo.film(folder / "dev" / "mp4" / name / f"{index:05d}.mp4", samples, 10 * number + index)
            if not number:
                sound = folder / "dev" / "aac" / name / f"{index:05d}.wav"
                sound.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(sound, samples, SAMPLE_RATE)
    (folder / "dev" / "mp4" / "id00000" / "aB-c_0" / "99999.mp4").write_bytes(b"no film")
    return folder


def write_crops(folder: Path, photo: TalkingPhoto, films: int = 3, seconds: float = 1.0) -> Path:
    """The crops of Siarohin et al. 2019: `train/` and `test/`, named ID#VIDEO#FIRST#LAST.mp4."""
    for number in range(films):
        part = "test" if number == films - 1 else "train"
        photo.film(folder / part / f"id1000{number}#w0IBEWc9Qw{number}#00{number}#100.mp4", voice(2, seconds), number)
    return folder
