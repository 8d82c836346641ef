"""Trains the closure network on recordings with phone labels (made by `prepare voices`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import cast

import numpy as np
import torch
from makeittalk.exchange.constants import EMBEDDING
from makeittalk.exchange.errors import InputError
from makeittalk.networks.closure import ClosureConfig as ClosureNetConfig
from makeittalk.networks.closure import ClosureNet
from makeittalk.networks.closure_inference import ClosureModel, closure_probability, save_closure
from makeittalk.networks.normalised_mel import VoiceAverage, normalise_mel
from makeittalk.networks.speech_features import FEATURES, SpeechFeatures
from makeittalk.networks.voice_inference import load_voice
from torch import Tensor, nn

from ..data.augment import Augment
from ..data.clips import Prepared
from ..data.recordings import Recording
from .closure_examples import LabelledRecording, bilabial_scores
from .config import LoopConfig

_SHOWN = (0.3, 0.5, 0.7)  # probabilities that count as heard


@dataclass
class ClosureTrainingConfig(LoopConfig):
    """One training run, read from a TOML file.

    Attributes:
        data: folders made by `prepare voices`, drawn from alike. frames: of an example.
        features, voice_conversion: what the network hears, as for the content branch; who speaks is left open.
        rare: how many times more a frame of a bilabial counts, as there are few.
        augment: table of Augment.
    """

    data: list[str] = field(default_factory=list)
    frames: int = 160
    features: str = "mel"
    voice_conversion: str = "voice"
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
        self.voice_conversion = os.path.expanduser(self.voice_conversion)


class ClosureTask:
    """The closure network learns to hear P, B and M: a `task.Task`."""

    name = "closure"
    phases: Mapping[str, tuple[str, ...]] = MappingProxyType({"closure": ("closure",)})

    def __init__(self, config: ClosureTrainingConfig) -> None:
        self.config = config
        self.folders: list[list[LabelledRecording]] = []
        self.validation: list[LabelledRecording] = []
        for prepared in map(Prepared.load, config.data):
            known, unknown = (
                [LabelledRecording.of(Recording.load(prepared.folder / f"{name}.npz")) for name in names]
                for names in (prepared.train, prepared.validation)
            )
            self.folders.append([item for item in known if len(item.mel) >= config.frames and item.weight.any()])
            self.validation += [item for item in unknown if item.weight.any()]
        if not all(self.folders):
            raise InputError("A data folder holds no labelled voices to train on.", "Prepare them with their phones.")
        if config.features == "mel":
            self.average = VoiceAverage.of([item.mel for folder in self.folders for item in folder])
        else:
            self.average = load_voice(config.voice_conversion).average

    def networks(self) -> dict[str, nn.Module]:
        """A fresh network, and the frozen features in front of it."""
        return {
            "closure": ClosureNet(ClosureNetConfig(FEATURES[self.config.features])),
            "speech_features": SpeechFeatures(self.config.features, self.config.voice_conversion),
        }

    def batch(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """Features (B, T, 80), targets (B, T) and weights (B, T)."""
        drawn: dict[str, list[np.ndarray]] = {"features": [], "targets": [], "weights": []}
        for _ in range(count):
            folder = self.folders[rng.integers(len(self.folders))]
            item = folder[rng.integers(len(folder))]
            example = item.draw(rng, self.config.frames, self.config.augment, self.average)
            for values, value in zip(drawn.values(), example, strict=True):
                values.append(value)
        return {name: torch.from_numpy(np.stack(values).astype(np.float32)) for name, values in drawn.items()}

    def loss(self, phase: str, networks: Mapping[str, nn.Module], batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Binary cross-entropy of the frames that count."""
        targets, weights = batch["targets"], batch["weights"]
        each = nn.functional.binary_cross_entropy_with_logits(
            networks["closure"](_heard(networks["speech_features"], batch["features"])),
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
        speech, device = networks["speech_features"], next(network.parameters()).device
        heard = []
        for item in self.validation:
            mel = torch.from_numpy(normalise_mel(item.mel, self.average))[None].to(device)
            heard.append(closure_probability(network, _heard(speech, mel)[0].cpu().numpy()))
        figures: dict[str, float] = {}
        for threshold in _SHOWN:
            recall, precision = bilabial_scores([chance > threshold for chance in heard], self.validation)
            figures |= {f"recall {threshold}": recall, f"precision {threshold}": precision}
        return figures

    def save(self, networks: Mapping[str, nn.Module], out: Path, notes: dict[str, str]) -> None:
        """Writes `closure.safetensors`."""
        model = ClosureModel(cast(ClosureNet, networks["closure"]), self.average, self.config.features)
        save_closure(out / "closure.safetensors", model, notes | {"validation": self.validate(networks)})


def _heard(speech: nn.Module, features: Tensor) -> Tensor:
    """What an unknown voice's normalised mels (B, T, 80) are heard as."""
    return speech(features, features.new_zeros(len(features), EMBEDDING))
