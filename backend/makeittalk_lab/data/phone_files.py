"""Phones that were recognised once, kept as JSON: beside prepared clips, or in the user's cache for recordings."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from makeittalk.audio.loading import load_audio
from makeittalk.exchange import storage
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent

from .clips import Prepared
from .phones import Aligner, Phone

SOUNDS = frozenset((".flac", ".wav", ".ogg", ".opus", ".mp3", ".m4a", ".aac"))
FOLDER = "phones"  # beside the clips of a prepared folder
_NO_WORDS = frozenset(("sil", "sp"))


def cache_folder() -> Path:
    """Where the phones of recordings are kept: `MAKEITTALK_CACHE`, or the user's cache."""
    named = os.environ.get("MAKEITTALK_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named or Path(base) / "makeittalk") / "recognised"


def read_phones(path: Path) -> list[Phone]:
    """Start and end in seconds and symbol of each phone in a JSON file.

    Raises:
        InputError: the file is missing or holds no phones.
    """
    data = storage.read_bytes(path, 1 << 22)
    try:
        value = json.loads(data)
        return [(float(start), float(end), str(name)) for start, end, name in value]
    except (TypeError, ValueError, RecursionError) as error:
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
    """The phones of a prepared clip; none where `prepare_phones` did not run."""
    path = prepared.folder / FOLDER / f"{name}.json"
    return read_phones(path) if path.is_file() else []


def recording_phones(samples: np.ndarray, aligner: Callable[[], Aligner]) -> list[Phone]:
    """Phones of a recording, (n,) at 16 kHz, recognised once for the same sound."""
    key = hashlib.sha256(np.ascontiguousarray(samples, "<f4").tobytes()).hexdigest()[:32]
    return cached_phones(cache_folder() / f"{key}.json", lambda: aligner().recognise(samples))


def prepare_phones(source: str | Path, dest: str | Path, progress: Progress = silent) -> Prepared:
    """Writes the phones of a prepared folder's validation and test clips, for the closure score.

    Known words are aligned where the corpus has `align/NAME.align` (GRID), the others are recognised. A second run
    goes on where the first one stopped.

    Args:
        source: the corpus: `audio/NAME.*`, or `NAME.*` in the folder itself. dest: the prepared folder.
        progress: told after every clip.

    Raises:
        InputError: the folder was not prepared, or none of its clips' sounds is in `source`.
        MissingError: PocketSphinx is not installed.
    """
    source, prepared, aligner = Path(source), Prepared.load(dest), Aligner()
    folder = source / "audio" if (source / "audio").is_dir() else source
    sounds = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in SOUNDS}
    names = [name for name in prepared.validation + prepared.test if name in sounds]
    if not names:
        raise InputError(f"{source} holds no sound of a clip in {dest}.", "Name the corpus the clips were made from.")
    for number, name in enumerate(names):
        words = aligned_words(source / "align" / f"{name}.align")

        def phones(sound: Path = sounds[name], words: str = words) -> list[Phone]:
            samples = load_audio(sound).samples
            return aligner.align(samples, words) if words else aligner.recognise(samples)

        cached_phones(prepared.folder / FOLDER / f"{name}.json", phones)
        progress((number + 1) / len(names), "Recognising phones")
    return prepared


def aligned_words(path: Path) -> str:
    """The words of an .align file (start, end, word in each line); none where there is no such file."""
    if not path.is_file():
        return ""
    rows = (row.split() for row in storage.read_bytes(path, 1 << 20).decode("utf-8", "replace").splitlines())
    return " ".join(row[2] for row in rows if len(row) == 3 and row[2] not in _NO_WORDS)
