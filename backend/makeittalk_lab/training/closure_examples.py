"""What the closure network learns from and is measured on: recordings whose bilabials are marked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from makeittalk.networks.normalised_mel import VoiceAverage, normalise_mel

from ..data.augment import Augment, mask_bands, stretch, vary_sound
from ..data.phones import BILABIAL_INDICES
from ..data.recordings import UNLABELLED, Recording

_NEAR = 3  # frames beside a bilabial where a closure still counts as its own: labels are not that sharp


@dataclass
class LabelledRecording:
    """A recording: mel (T, 80), target (T,) 0 or 1, weight (T,) 0 or 1, and its bilabials as frame ranges."""

    mel: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    events: list[tuple[int, int]]

    @classmethod
    def of(cls, recording: Recording) -> LabelledRecording:
        """Marks the bilabials; the frames on either side of their edges, and those without a label, do not count."""
        phones = recording.phones
        target = np.isin(phones, BILABIAL_INDICES)
        weight = phones != UNLABELLED
        edges = np.flatnonzero(np.diff(phones)) + 1
        runs = zip([0, *edges], [*edges, len(phones)], strict=True)
        events = [(int(start), int(end)) for start, end in runs if end > start and target[start]]
        for start, end in events:
            for edge in (start, end):
                weight[max(0, edge - 1) : edge + 1] = False
        return cls(recording.mel, target.astype(np.float32), weight.astype(np.float32), events)

    def draw(
        self, rng: np.random.Generator, frames: int, options: Augment, average: VoiceAverage
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Features (T, 80), targets (T,) and weights (T,) of so many frames, at another pace and varied."""
        # The labels of the nearest frames go with them.
        pace = rng.uniform(*options.speed)
        taken = min(len(self.mel), round(frames * pace))
        start = rng.integers(0, len(self.mel) - taken + 1)
        nearest = start + np.linspace(0, taken - 1, frames).round().astype(int)
        heard = normalise_mel(vary_sound(self.mel, 0.0, options, rng), average)[start : start + taken]
        features = mask_bands(stretch(heard, frames).copy(), options, rng)
        return features, self.target[nearest], self.weight[nearest]


def bilabial_scores(heard: list[np.ndarray], items: list[LabelledRecording]) -> tuple[float, float]:
    """Recall and precision of the frames heard as shut, one boolean array a recording."""
    hits = events = right = stretches = 0
    for shut, item in zip(heard, items, strict=True):
        known = np.flatnonzero(item.weight)
        last = known[-1] + 1  # what lies behind the labels cannot be judged
        hits += sum(bool(shut[start:end].any()) for start, end in item.events)
        events += len(item.events)
        near = np.convolve(item.target, np.ones(2 * _NEAR + 1), "same") > 0
        edges = np.flatnonzero(np.diff(np.concatenate([[0], shut[:last].astype(int), [0]])))
        for start, end in edges.reshape(-1, 2):
            stretches += 1
            right += bool(near[start:end].any())
    return hits / max(events, 1), right / max(stretches, 1)
