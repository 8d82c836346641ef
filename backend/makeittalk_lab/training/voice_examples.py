"""What voice conversion learns from: varied stretches of recordings, and embeddings of other stretches."""

from __future__ import annotations

import numpy as np
from makeittalk.exchange.constants import EMBEDDING
from makeittalk.exchange.errors import InputError
from makeittalk.networks.normalised_mel import VoiceAverage, normalise_mel, voice_statistics

from ..data.augment import Augment, mask_bands, stretch, vary_sound
from ..data.clips import Prepared
from ..data.recordings import Recording

_LEAST_HEARD = 250  # frames (4 s) a voice's statistics are taken over at least, as for short recordings later
_VALIDATED = 24  # recordings of each folder


class VoiceExamples:
    """Recordings in memory, by folder, and the stretches each speaker's voice can be taken from."""

    def __init__(self, folders: list[str], share: list[float]) -> None:
        """
        Args:
            folders: made by `prepare voices`. share: how often each is drawn, the same for all when empty.
        """
        shares = np.array(share or [1.0] * len(folders), float)
        self._share = shares / shares.sum()
        prepared = [Prepared.load(folder) for folder in folders]
        self.train = [[Recording.load(p.folder / f"{name}.npz", sound=False) for name in p.train] for p in prepared]
        self.validation = [
            [Recording.load(p.folder / f"{name}.npz", sound=False) for name in p.validation[:_VALIDATED]]
            for p in prepared
        ]
        if not all(self.train):
            raise InputError("A data folder holds no voices to train on.", "Prepare the voices again.")
        known = [recording for folder in self.train for recording in folder]
        self.speakers = {name: index for index, name in enumerate(sorted({r.speaker for r in known}))}
        self.average = VoiceAverage.of([recording.mel for recording in known])
        rows: dict[str, list[tuple[str, int, int, np.ndarray]]] = {}
        for recording in known:
            for (start, end), embedding in zip(recording.parts.tolist(), recording.embeddings, strict=True):
                rows.setdefault(recording.speaker, []).append((recording.name, start, end, embedding))
        self._parts = rows

    def embedding(self, recording: Recording, start: int, end: int, rng: np.random.Generator) -> np.ndarray:
        """The speaker's embedding in a stretch other than [start, end) of a training recording, (256,)."""
        parts = self._parts[recording.speaker]
        for _ in range(8):
            name, first, last, embedding = parts[rng.integers(len(parts))]
            if name != recording.name or last <= start or first >= end:
                return embedding
        shared = [min(end, last) - max(start, first) if name == recording.name else 0 for name, first, last, _ in parts]
        return parts[int(np.argmin(shared))][3]

    def draw(self, rng: np.random.Generator, frames: int, unknown: float, options: Augment) -> dict[str, np.ndarray]:
        """One example; see `VoiceTask.batch`.

        Args:
            frames: of the example. unknown: chance that the encoder is not told who speaks. options: of the variation.
        """
        folder = self.train[rng.choice(len(self.train), p=self._share)]
        recording = folder[rng.integers(len(folder))]
        # A voice is known by its own frames alone: now by few seconds, now by many.
        length = int(rng.integers(min(_LEAST_HEARD, len(recording.mel)), len(recording.mel) + 1))
        start = int(rng.integers(0, len(recording.mel) - length + 1))
        mel, phones = recording.mel[start : start + length], recording.phones[start : start + length]
        varied = rng.random() < options.varied
        speed = rng.uniform(*options.speed) if varied else 1.0
        count = max(round(length / speed), frames)
        index = np.linspace(0.0, length - 1.0, count).round().astype(int)
        mel, phones = stretch(mel, count), phones[index]
        mean, std = voice_statistics(mel, self.average)
        heard = vary_sound(mel, 0.0, options, rng) if varied else mel
        features = normalise_mel(heard, self.average)
        if varied:
            features = mask_bands(features, options, rng)
        begin = int(rng.integers(0, count - frames + 1))
        cut = slice(begin, begin + frames)
        first, last = start + index[begin], start + index[begin + frames - 1] + 1
        source = self.embedding(recording, first, last, rng)
        if rng.random() < unknown:
            source = np.zeros(EMBEDDING, np.float32)
        return {
            "features": features[cut],
            "mel": mel[cut].astype(np.float32),
            "mean": mean.astype(np.float32),
            "std": std.astype(np.float32),
            "source": source,
            "target": self.embedding(recording, first, last, rng),
            "phones": phones[cut],
            "speaker": np.array(self.speakers[recording.speaker]),
        }
