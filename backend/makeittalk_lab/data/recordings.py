"""Prepared recordings of known speakers: mel, phones and speaker embeddings, one .npz a recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from makeittalk.exchange.constants import EMBEDDING, FRAME_RATE, MEL_BANDS
from makeittalk.exchange.errors import InputError

from .clips import FORMAT, read_samples, stored_samples
from .mapped_npz import read_mapped, write_mapped

UNLABELLED = -1


@dataclass
class Recording:
    """One recording of a known speaker.

    Attributes:
        name: the file's name without suffix. speaker: what tells voices apart.
        mel: (T, 80) of the loudness-normalised sound.
        phones: (T,) index into phones.PHONES, UNLABELLED where nobody said.
        parts: (N, 2) first frame and end of each part. embeddings: (N, 256), the voice in it.
        embedding: (256,), the voice of the whole.
        samples: (n,) of the sound at 16 kHz, loudness-normalised, or None.
    """

    name: str
    speaker: str
    mel: np.ndarray
    phones: np.ndarray
    parts: np.ndarray
    embeddings: np.ndarray
    embedding: np.ndarray
    samples: np.ndarray | None = None

    def save(self, folder: Path) -> None:
        """Writes the recording into a prepared folder."""
        arrays: dict[str, Any] = {"format": FORMAT, "rate": FRAME_RATE, "speaker": self.speaker}
        for name in ("mel", "phones", "parts", "embeddings", "embedding"):
            arrays[name] = getattr(self, name)
        if self.samples is not None:
            arrays["samples"] = stored_samples(self.samples)
        write_mapped(folder / f"{self.name}.npz", arrays)

    @classmethod
    def load(cls, path: Path, sound: bool = True) -> Recording:
        """Maps a recording into memory.

        Args:
            sound: whether its samples are wanted, too, which are unpacked.

        Raises:
            InputError: the file is no prepared recording.
        """
        values = read_mapped(path)
        try:
            mel, phones, parts = values["mel"], values["phones"], values["parts"]
            fits = (
                int(values["format"]) == FORMAT
                and mel.shape == (len(phones), MEL_BANDS)
                and parts.shape == (len(values["embeddings"]), 2)
                and values["embeddings"].shape[1:] == values["embedding"].shape == (EMBEDDING,)
            )
            if not fits:
                raise ValueError("shapes")
            samples = read_samples(values.get("samples")) if sound else None
            known = np.array(values["embeddings"]), np.array(values["embedding"]), samples
            return cls(path.stem, str(values["speaker"]), mel, phones, parts, *known)
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise InputError(f"{path} is not a prepared recording.", "Prepare the voices again.") from error
