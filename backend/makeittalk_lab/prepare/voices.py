"""Recordings of many speakers as voice conversion learns from them: mel, phones, and the voice of every stretch.

Each speaker has few recordings here, often a single one. It is cut into parts whose voices are embedded one by one,
so that a source and the embedding that goes with it can come from different stretches of the same speaker.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from makeittalk.audio.embedding import speaker_embedding
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.exchange import bounded_json, storage
from makeittalk.exchange.constants import EMBEDDING, FRAME_RATE, MAX_AUDIO_SECONDS, MEL_HOP, SAMPLE_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent

from ..data.clips import Prepared
from ..data.phone_files import cached_phones
from ..data.phone_source import PhoneSource, Unaligned
from ..data.phones import PHONES, Phone, phone_track
from ..data.recordings import UNLABELLED, Recording
from ..data.splits import split_voices
from .campaign import Campaign, Job, left_out

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
        value = bounded_json.loads(storage.read_bytes(path, 1 << 22))
        rows = value["phones"] if isinstance(value, dict) else value
        phones = [(float(start), float(end), PHONES[PHONES.index(phone)]) for start, end, phone in rows]
        if not all(0.0 <= start <= end <= MAX_AUDIO_SECONDS for start, end, _ in phones):
            raise ValueError("no times of phones")
        return phones
    except (KeyError, TypeError, ValueError, OverflowError) as error:
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
    workers: int = 1,
) -> Prepared:
    """Writes one file a recording; a second run goes on where the first one stopped (`campaign`).

    Args:
        source: folder of .flac or .wav recordings, either straight in it, when what stands before the first "-" of
            a name is the speaker (LibriSpeech), or in a folder for each speaker, however deep (VCTK).
        dest: folder to write, made where missing.
        phones: folder with one JSON a recording: a list of [start s, end s, ARPAbet name], or an object whose
            `phones` that is. Where the corpus knows the words of its recordings (`PhoneSource`), those that it lacks
            are made there, and recordings whose phones nobody can tell are skipped with their reason.
        like: prepared folder of films of **one** speaker, whose training and validation clips are taken and whose
            test clips are not; without it, voices are split by `split_voices`.
        progress: told after every recording. workers: processes, 0 for as many as there are cores.

    Raises:
        InputError: there are no recordings, or none that can be used. MissingError: Resemblyzer is not installed, or
            PocketSphinx where words are aligned.
    """
    source, dest = Path(source), Path(dest)
    paths = find_recordings(source)
    if not paths:
        raise InputError(f"{source} holds no recordings.", "Name a folder of .flac or .wav files.")
    if like is None:
        splits = split_voices(paths)
    else:
        films = Prepared.load(like)
        splits = [n for n in films.train if n in paths], [n for n in films.validation if n in paths], []
    jobs = {}
    for name in (name for names in splits for name in names):
        speaker = source.parent.name if like is not None else name.partition("-")[0]
        labels = () if phones is None else (Path(phones) / f"{paths[name].stem}.json",)
        jobs[name] = Job((paths[name], speaker), (paths[name], *labels))
    settings = {"kind": "voices", "phones": phones is not None}
    work = KeepRecording(dest, Path(phones) if phones else None, source)
    results = Campaign(dest, settings, "Listening to voices", workers).run(work, jobs, progress)
    skipped = left_out(results, source)
    train, validation, test = ([name for name in names if name not in skipped] for names in splits)
    prepared = Prepared(dest, "voices", train, validation, test, skipped)
    prepared.save()
    return prepared


@dataclass(frozen=True)
class KeepRecording:
    """Writes recordings' files, and their phones where the corpus knows their words: the work of a `campaign`.

    Attributes:
        dest: folder to write. phones: folder of phones, or None for none. source: the corpus, see `PhoneSource`.
        needed: whether a recording whose words are known and do not fit is left out.
    """

    dest: Path
    phones: Path | None
    source: Path
    needed: bool = True

    def __call__(self, name: str, recording: tuple[Path, str]) -> None:
        """Writes one, of which file and speaker are given.

        Raises:
            InputError: it cannot be used. MissingError: see `prepare_voices`.
        """
        path, speaker = recording
        if self.phones is not None:
            try:
                _keep_phones(self._spoken, path, self.phones)
            except Unaligned:
                if self.needed:
                    raise
        read = read_recording(path, name, speaker, self.phones)
        if not len(read.parts):
            raise InputError(f"{path} holds too little speech.")
        read.save(self.dest)

    @cached_property
    def _spoken(self) -> PhoneSource:
        assert self.phones is not None
        self.phones.mkdir(parents=True, exist_ok=True)
        return PhoneSource(self.source)
