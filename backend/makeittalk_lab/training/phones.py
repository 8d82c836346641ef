"""Trains the phone network on recordings whose phones are known (made by `prepare voices`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import cast

import numpy as np
import torch
from makeittalk.exchange.errors import InputError
from makeittalk.networks.phones import PHONES, PhoneNet, PhonesConfig
from makeittalk.networks.phones_inference import PhonesModel, closure_of, phone_probabilities, save_phones
from torch import Tensor, nn

from ..data.clips import Prepared
from ..data.recordings import UNLABELLED, Recording
from ..data.sound_augment import SoundAugment
from ..data.whisper_versions import heard_versions
from .config import LoopConfig
from .phones_examples import LabelledRecording, bilabial_scores, frame_accuracy
from .task import Draws

_SHOWN = (0.3, 0.5, 0.7)  # probabilities that count as heard


@dataclass
class PhonesTrainingConfig(LoopConfig):
    """One training run, read from a TOML file. The network hears Whisper's encoder.

    Attributes:
        data: folders made by `prepare voices`. share: how often each is drawn, the same for all when empty.
        frames: of an example. varied: share of examples whose sound is varied, in one of `versions` ways.
        smoothing: probability that a label gives away to all other phones (Szegedy et al. 2016).
        network, sound: tables of PhonesConfig and SoundAugment.
    """

    data: list[str] = field(default_factory=list)
    share: list[float] = field(default_factory=list)
    frames: int = 250
    varied: float = 0.6
    versions: int = 2
    smoothing: float = 0.05
    network: PhonesConfig = field(default_factory=PhonesConfig)
    sound: SoundAugment = field(default_factory=SoundAugment)

    def check(self) -> None:
        """Refuses what cannot be trained, beyond LoopConfig.check."""
        super().check()
        if not self.data or self.frames < 1:
            raise ValueError("it names no data folders, or no frames")
        if self.share and (len(self.share) != len(self.data) or min(self.share) < 0 or sum(self.share) <= 0):
            raise ValueError("share needs one number for each data folder")
        self.data = [os.path.expanduser(folder) for folder in self.data]


class PhonesTask:
    """The phone network learns to tell phones apart: a `task.Task`."""

    name = "phones"
    phases: Mapping[str, tuple[str, ...]] = MappingProxyType({"phones": ("phones",)})

    def __init__(self, config: PhonesTrainingConfig) -> None:
        self.config = config
        self.folders: list[list[LabelledRecording]] = []
        self.validation: list[LabelledRecording] = []
        for prepared in map(Prepared.load, config.data):
            self.folders.append(self._read(prepared, prepared.train, config.versions))
            self.validation += self._read(prepared, prepared.validation, 0)
        if not all(self.folders):
            raise InputError("A data folder holds no labelled voices to train on.", "Prepare them with their phones.")
        shares = np.array(config.share or [1.0] * len(self.folders), float)
        self._share = shares / shares.sum()

    def _read(self, prepared: Prepared, names: list[str], versions: int) -> list[LabelledRecording]:
        found = []
        for name in names:
            recording = Recording.load(prepared.folder / f"{name}.npz")
            if (recording.phones != UNLABELLED).any():
                heard = heard_versions(prepared.folder, name, recording.samples, versions, self.config.sound)
                found.append(LabelledRecording.of(recording, heard))
        return found

    def networks(self) -> dict[str, nn.Module]:
        """A fresh network."""
        return {"phones": PhoneNet(self.config.network)}

    def batch(self, draws: Draws) -> dict[str, Tensor]:
        """Features (B, T, 512) and phones (B, T), UNLABELLED where they do not count."""
        frames, count = self.config.frames, len(draws.examples)
        features = np.zeros((count, frames, self.config.network.inputs), np.float32)
        phones = np.full((count, frames), UNLABELLED, np.int64)
        for row, rng in enumerate(draws.examples):
            folder = self.folders[rng.choice(len(self.folders), p=self._share)]
            heard, said = folder[rng.integers(len(folder))].draw(rng, frames, self.config.varied)
            features[row, : len(heard)], phones[row, : len(said)] = heard, said
        return {"features": torch.from_numpy(features), "phones": torch.from_numpy(phones)}

    def loss(self, phase: str, networks: Mapping[str, nn.Module], batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Cross-entropy of the frames that count."""
        logits = networks["phones"](batch["features"])
        each = nn.functional.cross_entropy(
            logits.flatten(0, 1),
            batch["phones"].flatten(),
            ignore_index=UNLABELLED,
            label_smoothing=self.config.smoothing,
        )
        return {"loss": each}

    def validate(self, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        """`accuracy`, the share of frames whose phone is told right, and at several probabilities of a P, B or M:
        `recall`, the share of them that are heard somewhere inside, `precision`, of heard stretches that touch one."""
        network = cast(PhoneNet, networks["phones"])
        told = [phone_probabilities(network, item.versions[0].features) for item in self.validation]
        figures = {"accuracy": frame_accuracy([chances.argmax(1) for chances in told], self.validation)}
        for threshold in _SHOWN:
            shut = [closure_of(chances) > threshold for chances in told]
            recall, precision = bilabial_scores(shut, self.validation)
            figures |= {f"recall {threshold}": recall, f"precision {threshold}": precision}
        return figures

    def save(self, networks: Mapping[str, nn.Module], out: Path, notes: dict[str, str]) -> None:
        """Writes `phones.safetensors`."""
        model = PhonesModel(cast(PhoneNet, networks["phones"]), None, "whisper")
        told = f"{len(PHONES)} phones"
        save_phones(out / "phones.safetensors", model, notes | {"told": told, "validation": self.validate(networks)})
