"""What the phone network learns from and is measured on: recordings whose phones are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data.phones import BILABIAL_INDICES
from ..data.recordings import UNLABELLED, Recording
from ..data.whisper_versions import HeardVersion

_NEAR = 3  # frames beside a bilabial where a closure still counts as its own: labels are not that sharp


@dataclass(frozen=True)
class LabelledRecording:
    """A recording whose phones are known.

    Attributes:
        versions: what Whisper hears of it, as recorded first. phones: (T,) index into PHONES, UNLABELLED where nobody
            knows; at the edges between two phones, too.
        events: its bilabials as frame ranges.
    """

    versions: list[HeardVersion]
    phones: np.ndarray
    events: list[tuple[int, int]]

    @classmethod
    def of(cls, recording: Recording, versions: list[HeardVersion]) -> LabelledRecording:
        """Marks the bilabials; the frames beside a phone's edges do not count, as labels are not so sharp."""
        phones = recording.phones
        edges = np.flatnonzero(np.diff(phones)) + 1
        runs = zip([0, *edges], [*edges, len(phones)], strict=True)
        events = [(int(a), int(b)) for a, b in runs if b > a and phones[a] in BILABIAL_INDICES]
        sure = phones.copy()
        sure[edges] = sure[edges - 1] = UNLABELLED
        return cls(versions, sure, events)

    def draw(self, rng: np.random.Generator, frames: int, varied: float) -> tuple[np.ndarray, np.ndarray]:
        """Features (T, C) and phones (T,) of at most so many frames; `varied` is the share of varied sound."""
        other = len(self.versions) > 1 and rng.random() < varied
        version = self.versions[int(rng.integers(1, len(self.versions))) if other else 0]
        count = min(len(version.features), int((len(self.phones) - 1) / version.speed) + 1)
        start = int(rng.integers(0, max(1, count - frames + 1)))
        at = np.arange(start, min(count, start + frames))
        return version.features[at].astype(np.float32), self.phones[np.rint(at * version.speed).astype(int)]


def bilabial_scores(heard: list[np.ndarray], items: list[LabelledRecording]) -> tuple[float, float]:
    """Recall and precision of the frames heard as shut, one boolean array a recording."""
    hits = events = right = stretches = 0
    for shut, item in zip(heard, items, strict=True):
        known = np.flatnonzero(item.phones != UNLABELLED)
        last = known[-1] + 1  # what lies behind the labels cannot be judged
        hits += sum(bool(shut[start:end].any()) for start, end in item.events)
        events += len(item.events)
        near = np.zeros(len(item.phones), bool)
        for start, end in item.events:
            near[max(0, start - _NEAR) : end + _NEAR] = True
        edges = np.flatnonzero(np.diff(np.concatenate([[0], shut[:last].astype(int), [0]])))
        for start, end in edges.reshape(-1, 2):
            stretches += 1
            right += bool(near[start:end].any())
    return hits / max(events, 1), right / max(stretches, 1)


def frame_accuracy(told: list[np.ndarray], items: list[LabelledRecording]) -> float:
    """Share of the labelled frames whose phone (T,) was told right."""
    right = count = 0
    for phones, item in zip(told, items, strict=True):
        length = min(len(phones), len(item.phones))
        known = item.phones[:length] != UNLABELLED
        right += int((phones[:length] == item.phones[:length])[known].sum())
        count += int(known.sum())
    return right / max(count, 1)
