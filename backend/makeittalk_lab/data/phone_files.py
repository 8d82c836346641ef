"""Phones that were found once, kept as JSON: beside prepared clips, or in the user's cache for recordings."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from makeittalk.audio.loading import load_audio
from makeittalk.exchange import bounded_json, storage
from makeittalk.exchange.constants import MAX_AUDIO_SECONDS
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent

from .clips import Prepared
from .phone_source import PhoneSource, Unaligned
from .phones import Phone

SOUNDS = frozenset((".flac", ".wav", ".ogg", ".opus", ".mp3", ".m4a", ".aac"))
FOLDER = "phones"  # beside the clips of a prepared folder
_VERSION = 2  # of how phones are found: a new one leaves those behind that were kept before


def cache_folder() -> Path:
    """Where the phones of recordings are kept: `MAKEITTALK_CACHE`, or the user's cache."""
    named = os.environ.get("MAKEITTALK_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named or Path(base) / "makeittalk") / "phones"


def read_phones(path: Path) -> list[Phone]:
    """Start and end in seconds and symbol of each phone in a JSON file.

    Raises:
        InputError: the file is missing or holds no phones.
    """
    data = storage.read_bytes(path, 1 << 22)
    try:
        value = bounded_json.loads(data)
        phones = [(float(start), float(end), str(name)) for start, end, name in value]
        if not phones or not all(0.0 <= start <= end <= MAX_AUDIO_SECONDS for start, end, _ in phones):
            raise ValueError("no times of phones")
        return phones
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path} holds no phones.", "Delete it; it is made again.") from error


def cached_phones(path: Path, make: Callable[[], list[Phone]]) -> list[Phone]:
    """What a JSON file holds, made and written where it is missing."""
    if path.is_file():
        return read_phones(path)
    found = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    with storage.replacing(path) as temporary:
        temporary.write_text(json.dumps(found), encoding="utf-8")
    return found


def clip_phones(prepared: Prepared, name: str) -> list[Phone]:
    """The phones of a prepared clip; none where `prepare_phones` did not run, or could not tell them."""
    path = prepared.folder / FOLDER / f"{name}.json"
    return read_phones(path) if path.is_file() else []


def recording_phones(source: PhoneSource, name: str, samples: np.ndarray) -> list[Phone]:
    """Phones of a recording, (n,) at 16 kHz, found once for the same sound and the same words.

    Raises:
        Unaligned: nobody can tell them. MissingError: PocketSphinx is not installed, or what says unknown words.
    """
    digest = hashlib.sha256(np.ascontiguousarray(samples, "<f4").tobytes())
    digest.update(json.dumps([_VERSION, *source.words(name)]).encode())
    path = cache_folder() / f"{digest.hexdigest()[:32]}.json"
    return cached_phones(path, lambda: source.phones(name, samples))


def prepare_phones(source: str | Path, dest: str | Path, progress: Progress = silent) -> Prepared:
    """Writes the phones of a prepared folder's clips, for the measures of closures and for taught mouths.

    A second run goes on where the first one stopped.

    Args:
        source: the corpus: `audio/NAME.*`, or `NAME.*` in the folder itself; what it says of their words is used
            (`PhoneSource`). dest: the prepared folder.
        progress: told after every clip.

    Returns:
        The prepared folder; what it skipped are the clips whose phones nobody can tell.

    Raises:
        InputError: the folder was not prepared, or none of its clips' sounds is in `source`.
        MissingError: PocketSphinx is not installed, or what says unknown words.
    """
    source, prepared = Path(source), Prepared.load(dest)
    folder = source / "audio" if (source / "audio").is_dir() else source
    sounds = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in SOUNDS}
    names = [name for name in prepared.validation + prepared.test + prepared.train if name in sounds]
    if not names:
        raise InputError(f"{source} holds no sound of a clip in {dest}.", "Name the corpus the clips were made from.")
    phones, skipped = PhoneSource(source), {}
    for number, name in enumerate(names):
        path = prepared.folder / FOLDER / f"{name}.json"
        try:
            cached_phones(path, partial(_sound_phones, phones, name, sounds[name]))
        except Unaligned as error:
            skipped[name] = error.message
        progress((number + 1) / len(names), "Aligning words")
    return replace(prepared, skipped=skipped)


def _sound_phones(source: PhoneSource, name: str, sound: Path) -> list[Phone]:
    return source.phones(name, load_audio(sound).samples)
