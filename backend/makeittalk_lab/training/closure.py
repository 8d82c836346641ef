"""Trains the closure network on recordings with phone labels (made by prepare_voices)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import numpy as np
import torch
from makeittalk.exchange.constants import EMBEDDING
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent
from makeittalk.networks.closure import ClosureConfig as ClosureNetConfig
from makeittalk.networks.closure import ClosureNet
from makeittalk.networks.closure_inference import ClosureModel, closure_probability, save_closure
from makeittalk.networks.normalised_mel import VoiceAverage, normalise_mel
from makeittalk.networks.speech_features import FEATURES, SpeechFeatures
from makeittalk.networks.voice_inference import load_voice
from torch import Tensor, nn

from ..data.augment import Augment, mask_bands, stretch, vary_sound
from ..data.clips import Prepared
from ..data.phones import PHONES
from ..data.recordings import UNLABELLED, Recording
from .loop import LoopConfig, train

BILABIALS = tuple(PHONES.index(name) for name in ("P", "B", "M"))
_NEAR = 3  # frames beside a bilabial where a closure still counts as its own: labels are not that sharp
_SHOWN = (0.3, 0.5, 0.7)  # closure_probability that count as heard


@dataclass
class ClosureConfig(LoopConfig):
    """One training run, read from a TOML file.

    Attributes:
        data: folders made by prepare_voices, drawn from alike. frames: of an example.
        features, voice: what the network hears, as for the content branch; who speaks is left open.
        rare: how many times more a frame of a bilabial counts, as there are few.
        augment: table of Augment.
    """

    data: list[str] = field(default_factory=list)
    frames: int = 160
    features: str = "mel"
    voice: str = "voice"
    rare: float = 3.0
    augment: Augment = field(default_factory=Augment)

    def check(self) -> None:
        """Refuses what cannot be trained, beyond LoopConfig.check."""
        super().check()
        if not self.data or self.frames < 1:
            raise ValueError("it names no data folders, or no frames")
        if self.features not in FEATURES:
            raise ValueError(f"features are {', '.join(FEATURES)}")
        self.data = [os.path.expanduser(folder) for folder in self.data]
        self.voice = os.path.expanduser(self.voice)


@dataclass
class Labelled:
    """A recording: mel (T, 80), target (T,) 0 or 1, weight (T,) 0 or 1, and its bilabials as frame ranges."""

    mel: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    events: list[tuple[int, int]]

    @classmethod
    def of(cls, recording: Recording) -> Labelled:
        """Marks the bilabials; the frames on either side of their edges, and those without a label, do not count."""
        phones = recording.phones
        target = np.isin(phones, BILABIALS)
        weight = phones != UNLABELLED
        edges = np.flatnonzero(np.diff(phones)) + 1
        runs = zip([0, *edges], [*edges, len(phones)], strict=True)
        events = [(int(start), int(end)) for start, end in runs if end > start and target[start]]
        for start, end in events:
            for edge in (start, end):
                weight[max(0, edge - 1) : edge + 1] = False
        return cls(recording.mel, target.astype(np.float32), weight.astype(np.float32), events)


class ClosureTask:
    """The closure network learns to hear P, B and M: a `loop.Task`."""

    name = "closure"
    phases: Mapping[str, tuple[str, ...]] = MappingProxyType({"closure": ("closure",)})

    def __init__(self, config: ClosureConfig) -> None:
        self.config = config
        self.folders: list[list[Labelled]] = []
        self.validation: list[Labelled] = []
        for prepared in map(Prepared.load, config.data):
            known, unknown = (
                [Labelled.of(Recording.load(prepared.folder / f"{name}.npz")) for name in names]
                for names in (prepared.train, prepared.validation)
            )
            self.folders.append([item for item in known if len(item.mel) >= config.frames and item.weight.any()])
            self.validation += [item for item in unknown if item.weight.any()]
        if not all(self.folders):
            raise InputError("A data folder holds no labelled voices to train on.", "Prepare them with their phones.")
        if config.features == "mel":
            self.average = VoiceAverage.of([item.mel for folder in self.folders for item in folder])
        else:
            self.average = load_voice(config.voice).average

    def networks(self) -> dict[str, nn.Module]:
        """A fresh network, and the frozen ear in front of it."""
        return {
            "closure": ClosureNet(ClosureNetConfig(FEATURES[self.config.features])),
            "ear": SpeechFeatures(self.config.features, self.config.voice),
        }

    def batch(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """Features (B, T, 80), targets (B, T) and weights (B, T)."""
        options, frames = self.config.augment, self.config.frames
        drawn: dict[str, list[np.ndarray]] = {"features": [], "targets": [], "weights": []}
        for _ in range(count):
            folder = self.folders[rng.integers(len(self.folders))]
            item = folder[rng.integers(len(folder))]
            # As many frames as the example needs at another pace, the labels of the nearest ones with them.
            pace = rng.uniform(*options.speed)
            taken = min(len(item.mel), round(frames * pace))
            start = rng.integers(0, len(item.mel) - taken + 1)
            place = start + np.linspace(0, taken - 1, frames).round().astype(int)
            heard = normalise_mel(vary_sound(item.mel, 0.0, options, rng), self.average)[start : start + taken]
            drawn["features"].append(mask_bands(stretch(heard, frames).copy(), options, rng))
            drawn["targets"].append(item.target[place])
            drawn["weights"].append(item.weight[place])
        return {name: torch.from_numpy(np.stack(values).astype(np.float32)) for name, values in drawn.items()}

    def loss(self, phase: str, networks: Mapping[str, nn.Module], batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Binary cross-entropy of the frames that count."""
        targets, weights = batch["targets"], batch["weights"]
        each = nn.functional.binary_cross_entropy_with_logits(
            networks["closure"](_heard(networks["ear"], batch["features"])),
            targets,
            weights,
            reduction="sum",
            pos_weight=torch.full_like(targets[:1, :1], self.config.rare),
        )
        return {"loss": each / weights.sum().clamp(min=1.0)}

    def validate(self, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        """At several probabilities: `recall`, the share of bilabials that are heard somewhere inside, and
        `precision`, the share of heard stretches that touch one."""
        network = cast(ClosureNet, networks["closure"])
        ear, device = networks["ear"], next(network.parameters()).device
        heard = []
        for item in self.validation:
            mel = torch.from_numpy(normalise_mel(item.mel, self.average))[None].to(device)
            heard.append(closure_probability(network, _heard(ear, mel)[0].cpu().numpy()))
        figures: dict[str, float] = {}
        for threshold in _SHOWN:
            recall, precision = measure([chance > threshold for chance in heard], self.validation)
            figures |= {f"recall {threshold}": recall, f"precision {threshold}": precision}
        return figures

    def save(self, networks: Mapping[str, nn.Module], out: Path, notes: dict[str, str]) -> None:
        """Writes `closure.safetensors`."""
        model = ClosureModel(cast(ClosureNet, networks["closure"]), self.average, self.config.features)
        save_closure(out / "closure.safetensors", model, notes | {"validation": self.validate(networks)})


def _heard(ear: nn.Module, features: Tensor) -> Tensor:
    """What an unknown voice's normalised mels (B, T, 80) are heard as."""
    return ear(features, features.new_zeros(len(features), EMBEDDING))


def measure(heard: list[np.ndarray], items: list[Labelled]) -> tuple[float, float]:
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


def train_closure(config_path: str | Path, progress: Progress = silent, **overrides: Any) -> Path:
    """Trains as a configuration says; a second call goes on from the last checkpoint to the same end.

    Args:
        config_path: TOML file, see ClosureConfig. overrides: stronger values for its keys.
        progress: told after every step; may raise Cancelled, the last checkpoint stays.

    Returns:
        The folder `out`, which then holds `closure.safetensors` (fp16) and `log.jsonl`.

    Raises:
        InputError: configuration or data cannot be used.
    """
    config = ClosureConfig.load(config_path, **overrides)
    return train(ClosureTask(config), config, progress)
