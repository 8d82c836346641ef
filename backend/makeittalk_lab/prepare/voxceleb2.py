"""VoxCeleb2 (Chung, Nagrani & Zisserman 2018) → clips with head motion, as the speaker-aware branch learns from.

    SOURCE/dev/mp4/idXXXXX/VIDEO/00001.mp4     (or SOURCE/mp4/…), the sound inside, beside it (00001.m4a), or in
    SOURCE/dev/aac/idXXXXX/VIDEO/00001.m4a

Speakers are chosen by Poisson disk sampling of their embeddings, clips by the quality of their landmarks, and split
60/20/20 by speaker (paper, section 4.1). Landmarks are not registered: the head's motion is what is learned.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from makeittalk.audio.embedding import speaker_embedding
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.audio.prosody import prosody_track
from makeittalk.exchange import storage
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, part, silent
from makeittalk.landmarks.measures import face_width
from makeittalk.landmarks.pose import fit_rigid
from makeittalk.landmarks.registration import neutral_frame, register, resample_landmarks
from makeittalk.landmarks.tracking import Track, track_video
from scipy.signal import savgol_filter
from scipy.spatial.transform import Rotation

from ..data.clips import Clip, Prepared
from ..data.films import sound_of, voxceleb2_films
from ..data.splits import split_voices
from .campaign import Campaign, Job, left_out
from .pool import Unusable
from .speakers import choose_speakers

KIND = "voxceleb2"
QUALITY = "quality.json"
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
    workers: int = 1,
) -> Prepared:
    """Tracks the films of chosen speakers; a second run goes on where the first one stopped (`campaign`).

    Args:
        source: see above. dest: folder to write, made where missing.
        speakers: how many, by Poisson disk sampling (67 in the paper); 0 for all.
        clips: the best so many of each speaker; 0 for all that are good enough.
        track: finds landmarks in a film. workers: processes, 0 for as many as there are cores.

    Returns:
        The prepared folder; `quality.json` in it tells each clip's Quality. Clips that cannot be used are skipped with
        their reason.

    Raises:
        InputError: the source holds no films in that layout, or nothing in it can be used.
    """
    source, dest = Path(source), Path(dest)
    films = voxceleb2_films(source)
    if not films:
        raise InputError(f"{source} holds no mp4/SPEAKER/VIDEO/CLIP.mp4.", "Name the folder of VoxCeleb2.")
    chosen = sorted(films)
    if speakers:
        sounds = {speaker: tuple(sound_of(film) for _, film in clips) for speaker, clips in films.items()}
        chosen = choose_speakers(sounds, speakers, dest, part(progress, 0.0, 0.1), workers)
    jobs = {name: Job(film, (film, sound_of(film))) for speaker in chosen for name, film in films[speaker]}
    campaign = Campaign(dest, {"kind": KIND}, "Tracking faces", workers)
    results = campaign.run(partial(keep_clip, dest=dest, track=track), jobs, part(progress, 0.1, 1.0))
    skipped = left_out(results, source)
    qualities = {name: Quality(**answer.value) for name, answer in results.items() if answer.value}
    storage.write_json(dest / QUALITY, {name: asdict(quality) for name, quality in qualities.items()})
    names: list[str] = []
    for speaker in chosen:
        good = [name for name, _ in films[speaker] if name not in skipped]
        best = sorted(good, key=lambda name: qualities[name].jitter)
        names += sorted(best[: clips or None])
    train, validation, test = split_voices(names)
    prepared = Prepared(dest, KIND, train, validation, test, skipped)
    prepared.save()
    return prepared


def keep_clip(name: str, film: Path, dest: Path, track: Track) -> dict[str, float]:
    """Writes a film's clip where its landmarks can be trusted, and answers how good they are.

    Raises:
        InputError: they cannot, or there are none.
    """
    clip, quality = film_clip(name, film, track)
    if fault := quality.fault():
        raise Unusable(fault, asdict(quality))
    clip.save(dest)
    return asdict(quality)


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
