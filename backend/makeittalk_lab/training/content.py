"""Trains the speech content branch on prepared recordings."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import cast

import numpy as np
import torch
from makeittalk.animation.lips import shut_mouth
from makeittalk.exchange.constants import EMBEDDING, LANDMARKS
from makeittalk.landmarks.pose import Canonical
from makeittalk.networks.content import ContentBranch, ContentConfig
from makeittalk.networks.content_inference import ContentModel, content_displacement, save_content
from makeittalk.networks.normalised_mel import VoiceAverage, normalise_mel
from makeittalk.networks.speech_features import FEATURES, SpeechFeatures
from makeittalk.networks.voice_inference import load_voice
from torch import Tensor, nn

from ..data.augment import Augment
from ..data.sound_augment import SoundAugment
from ..data.whisper_versions import heard_versions
from ..evaluation import metrics
from ..losses.landmark_loss import LandmarkLoss, LandmarkLossWeights
from .config import LoopConfig
from .content_examples import ContentExamples, known_embedding
from .task import Draws

_NOBODY = np.zeros(EMBEDDING, np.float32)


@dataclass
class ContentTrainingConfig(LoopConfig):
    """One training run, read from a TOML file.

    Attributes:
        data: prepared folders. share: how often each is drawn, the same for all when empty.
        amplitude: for each folder, by how much the motion of an example is multiplied whose sound is left as recorded,
            and of one whose sound is varied: other voices come from other faces, which may move more than the filmed
            one. 1 for all when empty.
        frames: most frames of an example.
        taught: folders made by `prepare voices`, of people who get the mouth of those who were filmed; they come behind
            `data` in share and amplitude. Needs the phones of the filmed clips (`prepare phones`).
        left_out: filmed speakers that nothing is learned from.
        features: what the branch hears: "whisper", "mel", "code", "both" or "converted" (networks.speech_features).
        versions: how many varied versions of each clip Whisper hears. sound: table of SoundAugment, how it varies them.
        voice_conversion: its weights, for all features but the first: a listed set or a path.
        network, augment, loss: tables of ContentConfig, Augment and LandmarkLossWeights.
    """

    data: list[str] = field(default_factory=list)
    share: list[float] = field(default_factory=list)
    amplitude: list[list[float]] = field(default_factory=list)
    frames: int = 300
    taught: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    features: str = "mel"
    versions: int = 2
    sound: SoundAugment = field(default_factory=SoundAugment)
    voice_conversion: str = "voice"
    network: ContentConfig = field(default_factory=ContentConfig)
    augment: Augment = field(default_factory=Augment)
    loss: LandmarkLossWeights = field(default_factory=LandmarkLossWeights)

    def check(self) -> None:
        """Refuses what cannot be trained, beyond LoopConfig.check."""
        super().check()
        if not self.data:
            raise ValueError("it names no data folders")
        folders = len(self.data) + len(self.taught)
        if self.share and (len(self.share) != folders or min(self.share) < 0 or sum(self.share) <= 0):
            raise ValueError("share needs one number for each data folder")
        if self.amplitude and [len(pair) for pair in self.amplitude] != [2] * folders:
            raise ValueError("amplitude needs two numbers for each data folder")
        if self.frames < 1:
            raise ValueError("frames must be above 0")
        if self.features not in FEATURES:
            raise ValueError(f"features are {', '.join(FEATURES)}")
        if self.network.inputs != FEATURES[self.features]:
            raise ValueError(f"inputs of the network must be {FEATURES[self.features]} for features {self.features!r}")
        if self.taught and self.features != "whisper":
            raise ValueError('taught is for features "whisper"')
        self.data = [os.path.expanduser(folder) for folder in self.data]
        self.taught = [os.path.expanduser(folder) for folder in self.taught]
        self.voice_conversion = os.path.expanduser(self.voice_conversion)


class ContentTask:
    """The content branch learns to move the lips of filmed faces: a `task.Task`."""

    name = "content"
    phases: Mapping[str, tuple[str, ...]] = MappingProxyType({"content": ("content",)})

    def __init__(self, config: ContentTrainingConfig) -> None:
        self.config = config
        heard = config.versions if config.features == "whisper" else -1
        self.examples = ContentExamples(
            config.data, config.share, config.amplitude, config.left_out, heard, config.sound, config.taught
        )
        self.average: VoiceAverage | None
        if config.features == "whisper":
            self.average = None
        elif config.features == "mel":
            self.average = VoiceAverage.of([clip.mel for clip in self.examples.clips])
        else:
            self.average = load_voice(config.voice_conversion).average
        self._loss = LandmarkLoss(config.loss)

    def networks(self) -> dict[str, nn.Module]:
        """A fresh branch, and the frozen features in front of it."""
        return {
            "content": ContentBranch(self.config.network),
            "speech_features": SpeechFeatures(self.config.features, self.config.voice_conversion),
        }

    def batch(self, draws: Draws) -> dict[str, Tensor]:
        """Features (B, T, C), embeddings (B, 256), motion (B, T, 68, 3), faces at rest (B, 68, 3), mask (B, T).

        C is 80, the mel, for all features that voice conversion makes of it.
        """
        drawn, count = [self._draw(rng) for rng in draws.examples], len(draws.examples)
        longest = max(len(heard) for heard, _, _, _ in drawn)
        features = np.zeros((count, longest, drawn[0][0].shape[1]), np.float32)
        motion = np.zeros((count, longest, LANDMARKS, 3), np.float32)
        mask = np.zeros((count, longest), np.float32)
        for row, (heard, moved, _, _) in enumerate(drawn):
            features[row, : len(heard)], motion[row, : len(moved)], mask[row, : len(heard)] = heard, moved, 1.0
            features[row, len(heard) :] = heard[-1]
        faces, embeddings = (np.stack([example[index] for example in drawn]) for index in (2, 3))
        arrays = {"features": features, "embeddings": embeddings, "motion": motion, "faces": faces, "mask": mask}
        return {name: torch.from_numpy(value) for name, value in arrays.items()}

    def _draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        config = self.config
        if self.average is not None:
            return self.examples.draw(rng, config.frames, config.augment, self.average)
        return *self.examples.draw_heard(rng, config.frames, config.augment), _NOBODY

    def loss(self, phase: str, networks: Mapping[str, nn.Module], batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """LandmarkLoss of what the branch answers."""
        motion, faces = batch["motion"], batch["faces"]
        heard = networks["speech_features"](batch["features"], batch["embeddings"])
        answer = networks["content"](heard, faces.flatten(1)).reshape(motion.shape)
        return self._loss.to(motion.device)(answer, motion, faces, batch["mask"])

    def validate(self, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        """Mean lip metrics over the validation clips, with the product's own inference."""
        branch, speech = cast(ContentBranch, networks["content"]), networks["speech_features"]
        device = next(branch.parameters()).device
        rows: list[dict[str, float]] = []
        for folder, clip in self.examples.validation:
            frame = Canonical.of(clip.neutral)
            frontal = frame.to_canonical(clip.neutral)
            shut = shut_mouth(frontal)
            if self.average is None:
                heard = heard_versions(folder.folder, clip.name, clip.samples, 0, self.config.sound)[0].features
            else:
                mel = torch.from_numpy(normalise_mel(clip.mel, self.average))[None].to(device)
                heard = speech(mel, torch.from_numpy(known_embedding(clip))[None].to(device))[0].cpu().numpy()
            delta = content_displacement(branch, heard, frontal + shut) + shut
            rows.append(metrics.lip_metrics(clip.neutral + frame.displacement_from(delta), clip.landmarks))
        return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]} if rows else {}

    def save(self, networks: Mapping[str, nn.Module], out: Path, notes: dict[str, str]) -> None:
        """Writes `content.safetensors`."""
        scales = {speaker: round(scale, 5) for speaker, scale in self.examples.scales.items()}
        notes = notes | {"features": self.config.features, "scales": json.dumps(scales)}
        model = ContentModel(cast(ContentBranch, networks["content"]), self.average, self.config.features)
        save_content(out / "content.safetensors", model, notes)
