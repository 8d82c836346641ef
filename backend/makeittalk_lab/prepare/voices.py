"""Recordings of many speakers as voice conversion learns from them: mel, phones, and the voice of every stretch.

Each speaker has few recordings here, often a single one. It is cut into parts whose voices are embedded one by one,
so that a source and the embedding that goes with it can come from different stretches of the same speaker.
"""

from __future__ import annotations

import json
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from makeittalk.audio.embedding import speaker_embedding
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.exchange import storage
from makeittalk.exchange.constants import EMBEDDING, FRAME_RATE, MEL_HOP, SAMPLE_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent

from ..data.clips import Prepared
from ..data.phone_files import cached_phones
from ..data.phone_source import PhoneSource, Unaligned
from ..data.phones import PHONES, Phone, phone_track
from ..data.recordings import UNLABELLED, Recording
from ..data.splits import split_voices

_PART = 3.0  # s of a part: the speaker encoder reads 1.6 s at a time


def cut_parts(samples: int) -> list[tuple[int, int]]:
    """Stretches of about three seconds that a recording of so many samples falls into, in samples."""
    count = max(1, round(samples / (_PART * SAMPLE_RATE)))
    edges = np.linspace(0, samples, count + 1).astype(int).tolist()
    return list(pairwise(edges))


def read_recording(path: Path, name: str, speaker: str, phones: Path | None) -> Recording:
    """One recording with its labels, where a phones folder holds some.

    Raises:
        InputError: the recording or its labels cannot be read. MissingError: Resemblyzer is not installed.
    """
    samples = load_audio(path).samples
    loud = normalise_loudness(samples)
    mel = mel_spectrogram(loud)
    parts, embeddings = [], []
    for start, end in cut_parts(len(samples)):
        embedding = speaker_embedding(samples[start:end])
        if embedding.any():
            parts.append((start // MEL_HOP, end // MEL_HOP))
            embeddings.append(embedding)
    labels = np.full(len(mel), UNLABELLED, np.int64)
    if phones is not None and (phones / f"{path.stem}.json").is_file():
        heard = _phone_times(phones / f"{path.stem}.json")
        known = min(len(mel), round(heard[-1][1] * FRAME_RATE)) if heard else 0
        labels[:known] = phone_track(heard, known, FRAME_RATE)
    return Recording(
        name,
        speaker,
        mel,
        labels,
        np.array(parts, np.int64).reshape(-1, 2),
        np.array(embeddings, np.float32).reshape(-1, EMBEDDING),
        speaker_embedding(samples),
        loud,
    )


def _phone_times(path: Path) -> list[Phone]:
    try:
        value = json.loads(storage.read_bytes(path, 1 << 22))
        rows = value["phones"] if isinstance(value, dict) else value
        return [(float(start), float(end), PHONES[PHONES.index(phone)]) for start, end, phone in rows]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{path} holds no phones.", "Write a list of [start s, end s, ARPAbet name].") from error


def _keep_phones(spoken: PhoneSource, path: Path, phones: Path) -> None:
    """Writes the phones of a recording whose words are known, where the folder `phones` lacks them.

    Raises:
        Unaligned: its words cannot be relied on. MissingError: PocketSphinx is missing, or what says unknown words.
    """
    kept = phones / f"{path.stem}.json"
    if not kept.is_file() and spoken.words(path.stem):
        cached_phones(kept, partial(spoken.phones, path.stem, load_audio(path).samples))


def find_recordings(source: Path) -> dict[str, Path]:
    """Recordings in a folder by name; those in a speaker's folder are named `speaker-name`."""
    paths = sorted(path for path in source.rglob("*") if path.suffix.lower() in (".flac", ".wav"))
    # VCTK: <anything>/p225/p225_001_mic1.flac.
    return {path.stem if path.parent == source else f"{path.parent.name}-{path.stem}": path for path in paths}


def prepare_voices(
    source: str | Path,
    dest: str | Path,
    phones: str | Path | None = None,
    like: str | Path | None = None,
    progress: Progress = silent,
) -> Prepared:
    """Writes one file a recording.

    Args:
        source: folder of .flac or .wav recordings, either straight in it, when what stands before the first "-" of
            a name is the speaker (LibriSpeech), or in a folder for each speaker, however deep (VCTK).
        dest: folder to write, made where missing.
        phones: folder with one JSON a recording: a list of [start s, end s, ARPAbet name], or an object whose
            `phones` that is. Where the corpus knows the words of its recordings (`PhoneSource`), those that it lacks
            are made there, and recordings whose phones nobody can tell are skipped with their reason.
        like: prepared folder of films of **one** speaker, whose training and validation clips are taken and whose
            test clips are not; without it, voices are split by `split_voices`.
        progress: told after every recording.

    Raises:
        InputError: there are no recordings, or one cannot be read. MissingError: Resemblyzer is not installed, or
            PocketSphinx where words are aligned.
    """
    source, dest = Path(source), Path(dest)
    paths = find_recordings(source)
    if not paths:
        raise InputError(f"{source} holds no recordings.", "Name a folder of .flac or .wav files.")
    dest.mkdir(parents=True, exist_ok=True)
    if like is None:
        splits = split_voices(paths)
    else:
        films = Prepared.load(like)
        splits = [n for n in films.train if n in paths], [n for n in films.validation if n in paths], []
    spoken = PhoneSource(source)
    skipped: dict[str, str] = {}
    chosen = [name for names in splits for name in names]
    for number, name in enumerate(chosen):
        progress(number / len(chosen), "Listening to voices")
        speaker = source.parent.name if like is not None else name.partition("-")[0]
        try:
            if phones is not None:
                _keep_phones(spoken, paths[name], Path(phones))
        except Unaligned as error:
            skipped[name] = error.message
            continue
        recording = read_recording(paths[name], name, speaker, Path(phones) if phones is not None else None)
        if len(recording.parts):
            recording.save(dest)
        else:
            skipped[name] = f"{paths[name]} holds too little speech."
    train, validation, test = ([name for name in names if name not in skipped] for names in splits)
    prepared = Prepared(dest, "voices", train, validation, test, skipped)
    prepared.save()
    progress(1.0, "Listening to voices")
    return prepared
