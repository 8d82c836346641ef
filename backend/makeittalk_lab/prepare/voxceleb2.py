"""VoxCeleb2 (Chung, Nagrani & Zisserman 2018) → clips with head motion, as the speaker-aware branch learns from.

    SOURCE/dev/mp4/idXXXXX/VIDEO/00001.mp4     (or SOURCE/mp4/…), the sound inside, beside it (00001.m4a), or in
    SOURCE/dev/aac/idXXXXX/VIDEO/00001.m4a

Speakers are chosen by Poisson disk sampling of their embeddings, clips by the quality of their landmarks, and split
60/20/20 by speaker (paper, section 4.1). Landmarks are not registered: the head's motion is what is learned.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from makeittalk.audio.embedding import speaker_embedding
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.audio.prosody import prosody_track
from makeittalk.exchange import storage
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.exchange.errors import InputError, MakeItTalkError
from makeittalk.exchange.progress import Progress, part, silent
from makeittalk.landmarks.measures import face_width
from makeittalk.landmarks.pose import fit_rigid
from makeittalk.landmarks.registration import neutral_frame, register, resample_landmarks
from makeittalk.landmarks.tracking import Track, track_video
from scipy.signal import savgol_filter
from scipy.spatial.transform import Rotation

from ..data.clips import Clip, Prepared
from ..data.poisson_disk import poisson_disk
from ..data.splits import split_voices

KIND = "voxceleb2"
QUALITY = "quality.json"
_SOUNDS = (".m4a", ".wav", ".flac", ".aac")
_SHORTEST = 1.0  # s
_SMOOTH = 7  # frames of the film (0.28 s): what landmarks do beyond a cubic over them is jitter


@dataclass(frozen=True)
class Quality:
    """How well a clip's landmarks can be trusted.

    Attributes:
        jitter: mean distance of the landmarks from their smoothed course, % of the face's width.
        width: of the face, px. turned: furthest the head looks away from its mean, degrees.
    """

    jitter: float
    width: float
    turned: float

    def fault(self) -> str:
        """Why a clip is left out, empty if it is not."""
        if self.jitter > 1.5:
            return f"Its landmarks tremble ({self.jitter:.1f} % of the face's width)."
        if self.width < 40:
            return f"Its face is only {self.width:.0f} px wide."
        if self.turned > 50:
            return f"Its head turns by {self.turned:.0f}°."
        return ""


def prepare_voxceleb2(
    source: str | Path,
    dest: str | Path,
    progress: Progress = silent,
    speakers: int = 0,
    clips: int = 0,
    track: Track = track_video,
) -> Prepared:
    """Tracks the films of chosen speakers; a second run goes on where the first one stopped.

    Args:
        source: see above. dest: folder to write, made where missing.
        speakers: how many, by Poisson disk sampling (67 in the paper); 0 for all.
        clips: the best so many of each speaker; 0 for all that are good enough.
        track: finds landmarks in a film.

    Returns:
        The prepared folder; `quality.json` in it tells each clip's Quality. Clips that cannot be used are skipped with
        their reason.

    Raises:
        InputError: the source holds no films in that layout.
    """
    source, dest = Path(source), Path(dest)
    films = find_films(source)
    if not films:
        raise InputError(f"{source} holds no mp4/SPEAKER/VIDEO/CLIP.mp4.", "Name the folder of VoxCeleb2.")
    dest.mkdir(parents=True, exist_ok=True)
    skipped: dict[str, str] = {}
    chosen = choose_speakers(films, speakers, skipped, part(progress, 0.0, 0.1)) if speakers else sorted(films)
    wanted = [(name, film) for speaker in chosen for name, film in films[speaker]]
    path = dest / QUALITY
    known = storage.read_json(path) if path.is_file() else {}
    qualities = {name: Quality(**value) for name, value in known.items()}
    for number, (name, film) in enumerate(wanted):
        progress(0.1 + 0.9 * number / len(wanted), "Tracking faces")
        if name not in qualities:
            try:
                clip, qualities[name] = film_clip(name, film, track)
            except MakeItTalkError as error:
                skipped[name] = error.message
                continue
            if not qualities[name].fault():
                clip.save(dest)
            storage.write_json(path, {key: asdict(value) for key, value in qualities.items()})
        if fault := qualities[name].fault():
            skipped[name] = fault
    names: list[str] = []
    for speaker in chosen:
        good = [name for name, _ in films[speaker] if name in qualities and name not in skipped]
        best = sorted(good, key=lambda name: qualities[name].jitter)
        names += sorted(best[: clips or None])
    train, validation, test = split_voices(names)
    prepared = Prepared(dest, KIND, train, validation, test, skipped)
    prepared.save()
    progress(1.0, "Tracking faces")
    return prepared


def find_films(source: Path) -> dict[str, list[tuple[str, Path]]]:
    """Clips by speaker, each with the name SPEAKER-VIDEO-CLIP that it gets here and its film."""
    found: dict[str, list[tuple[str, Path]]] = {}
    for root in (source / "dev" / "mp4", source / "mp4", source / "test" / "mp4"):
        for film in sorted(root.glob("*/*/*.mp4")):
            video, speaker = film.parent.name, film.parent.parent.name
            found.setdefault(speaker, []).append((f"{speaker}-{video}-{film.stem}", film))
    return found


def sound_of(film: Path) -> Path:
    """The file that holds a film's sound: one beside it, one in the `aac` tree, else the film."""
    speaker, video = film.parent.parent, film.parent.name
    aac = speaker.parent.parent / "aac" / speaker.name / video / film.name
    for path in (film, aac):
        for suffix in _SOUNDS:
            if (sound := path.with_suffix(suffix)).is_file():
                return sound
    return film


def choose_speakers(
    films: dict[str, list[tuple[str, Path]]], count: int, skipped: dict[str, str], progress: Progress = silent
) -> list[str]:
    """Speakers that cover the space of voices evenly, each known by the first of its clips that can be heard."""
    names, embeddings = [], []
    for number, (speaker, clips) in enumerate(sorted(films.items())):
        progress(number / len(films), "Recognising voices")
        for name, film in clips:
            try:
                embedding = speaker_embedding(normalise_loudness(load_audio(sound_of(film)).samples))
            except MakeItTalkError as error:
                skipped[name] = error.message
                continue
            if embedding.any():
                names.append(speaker)
                embeddings.append(embedding)
                break
    if not names:
        raise InputError("None of the films has a voice.", "Put the sound beside the films.")
    return [names[index] for index in poisson_disk(np.stack(embeddings), count)]


def film_clip(name: str, film: Path, track: Track = track_video) -> tuple[Clip, Quality]:
    """One film as a clip, and how good its landmarks are.

    The face at rest is the least open mouth of the first fifth, its head brought to the mean pose of the clip.

    Raises:
        InputError: there is no face or no voice, or the clip is too short.
    """
    landmarks, fps, _ = track(film, silent)
    if not np.isfinite(landmarks).all():
        raise InputError(f"{film} has frames without a face.")
    samples = normalise_loudness(load_audio(sound_of(film)).samples)
    mel = mel_spectrogram(samples)
    posed = resample_landmarks(landmarks, fps, FRAME_RATE)
    count = min(len(mel), len(posed))
    if count < _SHORTEST * FRAME_RATE:
        raise InputError(f"{film} is shorter than a second.")
    embedding = speaker_embedding(samples)
    if not embedding.any():
        raise InputError(f"{film} holds no voice.")
    posed = posed[:count]
    still = posed[neutral_frame(posed)]
    rotation, translation, _ = fit_rigid(posed, still)
    mean = Rotation.from_matrix(rotation).mean()
    neutral = still @ mean.as_matrix().T + np.median(translation, axis=0)
    turned = np.degrees((mean.inv() * Rotation.from_matrix(rotation)).magnitude().max())
    clip = Clip(
        name,
        mel[:count],
        register(posed, neutral),
        neutral,
        posed,
        embedding=embedding,
        prosody=prosody_track(samples, mel)[:count],
        samples=samples,
    )
    return clip, Quality(jitter(landmarks), face_width(landmarks), float(turned))


def jitter(landmarks: np.ndarray) -> float:
    """Mean distance of landmarks (T, 68, 3) at the film's rate from their smoothed course, % of the face's width."""
    if len(landmarks) < _SMOOTH:
        return 0.0
    flat = landmarks[..., :2]
    smooth = savgol_filter(flat, _SMOOTH, 3, axis=0)
    return 100.0 * float(np.linalg.norm(flat - smooth, axis=2).mean()) / face_width(landmarks)
