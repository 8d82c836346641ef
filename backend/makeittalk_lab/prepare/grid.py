"""GRID recordings (Cooke, Barker, Cunningham, Shao 2006) → clips to learn from."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from makeittalk.audio.embedding import speaker_embedding
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.exchange import storage
from makeittalk.exchange.constants import FRAME_RATE, SAMPLE_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent
from makeittalk.landmarks.registration import neutral_frame, register, resample_landmarks
from makeittalk.landmarks.tracking import Track, track_video

from ..data.clips import Clip, Prepared, listed_test, split_names
from ..data.sound_augment import second_voice
from .campaign import Campaign, Job, left_out

_EMBEDDING_SECONDS = 60.0  # of speech that describe the speaker


def prepare_grid(
    source: str | Path,
    dest: str | Path,
    progress: Progress = silent,
    count: int = 0,
    track: Track = track_video,
    workers: int = 1,
) -> Prepared:
    """Tracks a speaker's films and writes one clip each; a second run goes on where the first one stopped (`campaign`).

    Args:
        source: folder with `video/*.mp4`, `audio/*.flac` and `test.txt` (names that are never trained on), or with
            films and sounds side by side, named `SPEAKER_SENTENCE`, of several speakers.
        dest: folder to write, made where missing.
        progress: told after every clip.
        count: so many films besides those in `test.txt`, 0 for all.
        track: finds landmarks in a film. workers: processes, 0 for as many as there are cores.

    Returns:
        The prepared folder. Clips without a face in every frame are skipped with their reason.

    Raises:
        InputError: the source holds no films.
    """
    source, dest = Path(source), Path(dest)
    films, sounds = (source / "video", source / "audio") if (source / "video").is_dir() else (source, source)
    videos = _drawn(sorted(films.glob("*.mp4")), listed_test(source), count)
    if not videos:
        raise InputError(f"{source} holds no video/*.mp4.", "Name a speaker's folder of the GRID corpus.")
    heard = {video.stem: sounds / f"{video.stem}.flac" for video in videos}
    pairs = {video.stem: (video, heard[video.stem] if heard[video.stem].is_file() else video) for video in videos}
    campaign = Campaign(dest, {"kind": "grid"}, "Tracking faces", workers)
    jobs = {name: Job(pair, pair) for name, pair in pairs.items()}
    skipped = left_out(campaign.run(partial(_keep_clip, dest=dest, track=track), jobs, progress), source)
    names = [name for name in pairs if name not in skipped]
    train, validation, held_out = split_names(names, listed_test(source))
    prepared = Prepared(dest, "grid", train, validation, held_out, skipped)
    prepared.save()
    _describe_speaker(sounds, dest, train)
    return prepared


def _keep_clip(_name: str, files: tuple[Path, Path], dest: Path, track: Track) -> None:
    grid_clip(*files, track).save(dest)


def _drawn(videos: list[Path], test: set[str], count: int) -> list[Path]:
    """Those of the test and so many others, drawn alike every time; all of them for 0."""
    rest = [video for video in videos if video.stem not in test]
    if not 0 < count < len(rest):
        return videos
    order = np.random.default_rng(0).permutation(len(rest))[:count]
    return sorted([*(rest[index] for index in order), *(video for video in videos if video.stem in test)])


def grid_clip(video: Path, sound: Path, track: Track) -> Clip:
    """One film and its sound as a clip.

    Raises:
        InputError: the face is not seen in every frame, or the clip is too short.
    """
    landmarks, fps, _ = track(video, silent)
    if not np.isfinite(landmarks).all():
        raise InputError(f"{video} has frames without a face.")
    posed = resample_landmarks(landmarks, fps, FRAME_RATE)
    samples = normalise_loudness(load_audio(sound).samples)
    mel = mel_spectrogram(samples)
    count = min(len(mel), len(posed))
    if count < FRAME_RATE / 2:
        raise InputError(f"{video} is shorter than half a second.")
    neutral = posed[neutral_frame(posed)]
    pitch_shifted, semitones = second_voice(samples, video.stem)
    return Clip(
        video.stem,
        mel[:count],
        register(posed[:count], neutral),
        neutral,
        posed[:count],
        pitch_shifted[:count],
        semitones,
        embedding=speaker_embedding(samples),
        samples=samples,
    )


def _describe_speaker(sounds: Path, dest: Path, names: list[str]) -> None:
    """Writes the speaker's embedding, from a minute of the clips to train on."""
    parts: list[np.ndarray] = []
    for name in names:
        sound = sounds / f"{name}.flac"
        if sound.is_file():
            parts.append(load_audio(sound).samples)
        if sum(map(len, parts)) > _EMBEDDING_SECONDS * SAMPLE_RATE:
            break
    if parts:
        embedding = speaker_embedding(normalise_loudness(np.concatenate(parts)))
        storage.write_npz(dest / "speaker.npz", {"format": 1, "speaker_embedding": embedding})
