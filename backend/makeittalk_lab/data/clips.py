"""Prepared recordings: one .npz a clip and one `prepared.json` a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from makeittalk.audio.prosody import PROSODY
from makeittalk.exchange import bounded_json, storage
from makeittalk.exchange.constants import EMBEDDING, FRAME_RATE, LANDMARKS, MEL_BANDS
from makeittalk.exchange.errors import InputError

from .mapped_npz import read_mapped, write_mapped

FORMAT = 1
INDEX = "prepared.json"
VALIDATION_CLIPS = 50  # of each folder, at most a tenth
_KEYS = {"pitch_shifted": "raised"}  # names in a file, where they are others
_MAX_INDEX = 1 << 28  # bytes: names of a million clips
_FULL_SCALE = 8192.0  # of 16-bit samples: at the loudness of speech, peaks go beyond 1
_NO_EMBEDDING = np.zeros(EMBEDDING, np.float32)


@dataclass
class Clip:
    """A recording with the face that spoke it, at 62.5 frames/s from the sound's start.

    Loaded, its arrays are views of the file (`mapped_npz`), of which only what is looked at is read: they cannot be
    written to.

    Attributes:
        name: the file's name without suffix.
        mel: (T, 80) mel of the loudness-normalised sound.
        landmarks: (T, 68, 3) px, head motion removed: registered to `neutral`.
        neutral: (68, 3) px, the face at rest, lips shut.
        posed: (T, 68, 3) px, the landmarks with their head motion.
        pitch_shifted: (T, 80) mel of the same sound at another pitch, or None.
        semitones: by how much that was shifted.
        embedding: (256,) of the speaker (audio.embedding), or None.
        prosody: (T, 3) loudness 0–1, speaker-normalised log F0 and voicing, or None.
        samples: (n,) of the sound at 16 kHz, loudness-normalised, or None.
    """

    name: str
    mel: np.ndarray
    landmarks: np.ndarray
    neutral: np.ndarray
    posed: np.ndarray
    pitch_shifted: np.ndarray | None = None
    semitones: float = 0.0
    embedding: np.ndarray | None = None
    prosody: np.ndarray | None = None
    samples: np.ndarray | None = None

    def save(self, folder: Path) -> None:
        """Writes the clip into a prepared folder."""
        arrays: dict[str, Any] = {"format": FORMAT, "rate": FRAME_RATE, "semitones": self.semitones}
        for name in ("mel", "landmarks", "neutral", "posed", "pitch_shifted", "embedding", "prosody"):
            value = getattr(self, name)
            if value is not None:
                arrays[_KEYS.get(name, name)] = np.asarray(value, np.float32)
        if self.samples is not None:
            arrays["samples"] = stored_samples(self.samples)
        write_mapped(folder / f"{self.name}.npz", arrays)

    @classmethod
    def load(cls, path: Path, sound: bool = True) -> Clip:
        """Maps a clip into memory.

        Args:
            sound: whether its samples are wanted, too, which are unpacked.

        Raises:
            InputError: the file is no prepared clip.
        """
        values = read_mapped(path)
        try:
            mel, landmarks = values["mel"], values["landmarks"]
            neutral, posed = values["neutral"], values["posed"]
            frames = len(mel)
            fits = (
                int(values["format"]) == FORMAT
                and mel.shape == (frames, MEL_BANDS)
                and landmarks.shape == posed.shape == (frames, LANDMARKS, 3)
                and neutral.shape == (LANDMARKS, 3)
                and values.get(_KEYS["pitch_shifted"], mel).shape == mel.shape
                and values.get("embedding", _NO_EMBEDDING).shape == (EMBEDDING,)
                and values.get("prosody", mel[:, :PROSODY]).shape == (frames, PROSODY)
                and all(value.dtype.kind in "iuf" for value in values.values())
            )
            semitones = float(values["semitones"])
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise InputError(f"{path} is not a prepared clip.", "Run `makeittalk prepare` again.") from error
        if not fits:
            raise InputError(f"{path} is not a prepared clip.", "Run `makeittalk prepare` again.")
        return cls(
            path.stem,
            mel,
            landmarks,
            np.array(neutral),
            posed,
            values.get(_KEYS["pitch_shifted"]),
            semitones,
            np.array(values["embedding"]) if "embedding" in values else None,
            values.get("prosody"),
            read_samples(values.get("samples")) if sound else None,
        )


@dataclass
class Prepared:
    """A prepared folder.

    Attributes:
        folder: where the clips are.
        kind: what it was made of: "grid", "facegood", "librispeech", "heads", "voxceleb2", "renders", "frames" …
        train, validation, test: names of clips.
        skipped: reason why a clip was left out, by name.
    """

    folder: Path
    kind: str
    train: list[str]
    validation: list[str]
    test: list[str]
    skipped: dict[str, str]

    def clip(self, name: str, sound: bool = True) -> Clip:
        """One of the folder's clips, see `Clip.load`."""
        return Clip.load(self.folder / f"{name}.npz", sound)

    def save(self) -> None:
        """Writes the folder's index."""
        value = {"format": FORMAT, "kind": self.kind, "skipped": self.skipped}
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        storage.write_json(self.folder / INDEX, value | splits)

    @classmethod
    def load(cls, folder: str | Path) -> Prepared:
        """Reads a prepared folder's index.

        Raises:
            InputError: the folder was not prepared.
        """
        path = Path(folder) / INDEX
        if not path.is_file():
            raise InputError(f"{folder} is not a prepared data set.", "Make one with `makeittalk prepare`.")
        value = _index(path)
        splits: dict[str, list[str]] = {}
        for split in ("train", "validation", "test"):
            names = value.get(split)
            if not isinstance(names, list) or any(not isinstance(n, str) or Path(n).name != n for n in names):
                raise InputError(f"{path} is not an index of clips.", "Run `makeittalk prepare` again.")
            splits[split] = names
        skipped = value.get("skipped")
        reasons = skipped if isinstance(skipped, dict) else {}
        return cls(Path(folder), str(value.get("kind", "")), **splits, skipped=reasons)


def _index(path: Path) -> dict[str, Any]:
    try:
        value = bounded_json.loads(storage.read_bytes(path, _MAX_INDEX))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise InputError(f"{path} is not an index of clips.", "Run `makeittalk prepare` again.")
    return value


def without(prepared: Prepared, left_out: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names to train on and names to validate with, of which the second take in what is left out of the first.

    Args:
        left_out: what such names begin with.
    """
    out = [name for name in prepared.train if name.startswith(tuple(left_out))]
    return [name for name in prepared.train if name not in out], prepared.validation + out


def stored_samples(samples: np.ndarray) -> np.ndarray:
    """Sound at the loudness of speech as a prepared file keeps it: (n,) → (n,) int16."""
    return np.clip(np.rint(_FULL_SCALE * np.asarray(samples, np.float32)), -32768, 32767).astype(np.int16)


def read_samples(stored: np.ndarray | None) -> np.ndarray | None:
    """What `stored_samples` was given, (n,) float32; None where there was nothing."""
    return None if stored is None else stored.reshape(-1).astype(np.float32) / _FULL_SCALE


def listed_test(source: Path) -> set[str]:
    """Names in a corpus' `test.txt`, which nothing learns from; none where there is no such list."""
    listed = source / "test.txt"
    return set(storage.read_text(listed, _MAX_INDEX).split()) if listed.is_file() else set()


def split_names(names: list[str], test: set[str], seed: int = 0) -> tuple[list[str], list[str], list[str]]:
    """Train, validation and test names; the validation clips are drawn by the seed from those not in `test`."""
    rest = sorted(name for name in names if name not in test)
    count = min(VALIDATION_CLIPS, len(rest) // 10)
    drawn = set(np.random.default_rng(seed).permutation(len(rest))[:count].tolist())
    train = [name for i, name in enumerate(rest) if i not in drawn]
    return train, [rest[i] for i in sorted(drawn)], sorted(set(names) & test)
