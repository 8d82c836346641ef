"""Long films of one speaker, as the Obama weekly addresses → clips for the content branch (paper, section 4.1).

    SOURCE/**/*.mp4 (.mkv, .webm, .mov, .avi, .m4v), the sound inside, or beside it under the same name

Each film is cut where the picture changes, where the face is lost, and in pauses. Landmarks are registered to a
front-facing template by the best-fitting affine map, which removes the head's motion. Films are split 60/20/20.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from makeittalk.audio.embedding import speaker_embedding
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.audio.prosody import prosody_track
from makeittalk.exchange.constants import FRAME_RATE, MEL_HOP
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent
from makeittalk.landmarks.measures import opening
from makeittalk.landmarks.registration import resample_landmarks
from makeittalk.landmarks.tracking import Track, track_stretches

from ..data.clips import Clip, Prepared
from ..data.film_cuts import cut_at_pauses, picture_changes, scene_breaks, seen_stretches
from ..data.films import sound_of
from ..data.front_template import front_template, register_affine
from ..data.sound_augment import second_voice
from ..data.splits import split_voices
from .campaign import Campaign, Job, left_out

KIND = "obama"
_FILMS = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v")
_SHORTEST, _LONGEST = 2.0, 20.0  # s of a clip
_SHUT = 0.05  # share of a film's frames, those with the least open mouth, of which the face at rest is the middle


def prepare_obama(
    source: str | Path,
    dest: str | Path,
    progress: Progress = silent,
    films: int = 0,
    track: Track = track_stretches,
    workers: int = 1,
) -> Prepared:
    """Cuts the films of one speaker into clips; a second run goes on with the next film (`campaign`).

    Args:
        source: see above. dest: folder to write, made where missing. progress: told after every film.
        films: so many, spread evenly over them in the order of their names; 0 for all.
        track: finds landmarks in a film, NaN where there is no face. workers: processes, 0 for as many as there are
            cores.

    Returns:
        The prepared folder. Films of which nothing can be used are skipped with their reason.

    Raises:
        InputError: the source holds no films, or none that can be used.
    """
    source, dest = Path(source), Path(dest)
    found = long_films(source)
    if not found:
        raise InputError(f"{source} holds no films.", f"Name a folder of films ({', '.join(_FILMS)}).")
    names = sorted(found)
    if films:
        names = [names[int(index)] for index in np.linspace(0, len(names) - 1, min(films, len(names)))]
    jobs = {name: Job(found[name], (found[name], sound_of(found[name]))) for name in names}
    campaign = Campaign(dest, {"kind": KIND}, "Cutting films", workers)
    results = campaign.run(partial(keep_clips, dest=dest, track=track), jobs, progress)
    skipped = left_out(results, source)
    # No film is learned from and tested on: what stands before a name's first dash is what is split.
    splits = split_voices(name for name in names if name not in skipped)
    train, validation, test = ([clip for film in part for clip in results[film].value] for part in splits)
    prepared = Prepared(dest, KIND, train, validation, test, skipped)
    prepared.save()
    return prepared


def long_films(source: Path) -> dict[str, Path]:
    """The films below a folder by the names they get here, without dashes; of two alike the second gets a number."""
    found: dict[str, Path] = {}
    for path in sorted(path for path in source.rglob("*") if path.suffix.lower() in _FILMS):
        stem = re.sub(r"[^\w.]+", "_", path.stem)
        name, number = stem, 2
        while name in found:
            name, number = f"{stem}_{number}", number + 1
        found[name] = path
    return found


def keep_clips(name: str, film: Path, dest: Path, track: Track) -> list[str]:
    """Writes the clips of a film and answers with their names.

    Raises:
        InputError: nothing of it can be used.
    """
    clips = film_clips(name, film, track)
    for clip in clips:
        clip.save(dest)
    return [clip.name for clip in clips]


def film_clips(name: str, film: Path, track: Track = track_stretches) -> list[Clip]:
    """A long film as clips, all with the same face at rest.

    Raises:
        InputError: it is no film, shows no face for two seconds in one scene, or holds no voice.
    """
    samples = normalise_loudness(load_audio(sound_of(film)).samples)
    embedding = speaker_embedding(samples)
    if not embedding.any():
        raise InputError(f"{film} holds no voice.")
    landmarks, fps, _ = track(film, silent)
    changes, times = picture_changes(film)
    mel = mel_spectrogram(samples)
    prosody = prosody_track(samples, mel)
    parts: list[tuple[int, int]] = []
    for first, end in seen_stretches(landmarks, fps, times[scene_breaks(changes)]):
        start, stop = np.ceil(first / fps * FRAME_RATE), np.floor((end - 1) / fps * FRAME_RATE) + 1
        parts += cut_at_pauses(int(start), min(int(stop), len(mel)), prosody[:, 0], _SHORTEST, _LONGEST)
    if not parts:
        raise InputError(f"{film} never shows a face for {_SHORTEST:.0f} s in one scene.")
    posed = resample_landmarks(landmarks, fps, FRAME_RATE)
    shown = np.concatenate([posed[first:end] for first, end in parts])
    template = front_template(shown)
    frontal = register_affine(shown, template)
    gap = opening(frontal)
    neutral = np.median(frontal[gap <= np.quantile(gap, _SHUT)], axis=0)
    shifted, semitones = second_voice(samples, name)
    clips: list[Clip] = []
    place = 0
    for number, (first, end) in enumerate(parts):
        known: dict[str, Any] = {"embedding": embedding, "prosody": prosody[first:end], "semitones": semitones}
        clips.append(
            Clip(
                f"{name}.{number:03d}",
                mel[first:end],
                frontal[place : place + end - first],
                neutral,
                posed[first:end],
                shifted[first:end],
                samples=samples[first * MEL_HOP : end * MEL_HOP - 1],
                **known,
            )
        )
        place += end - first
    return clips
