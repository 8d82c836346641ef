"""Trains the speaker-aware branch against its critic (paper, section 3.3).

Data are prepared clips with their head motion: films (VoxCeleb2) or constructed targets (`prepare.heads`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from makeittalk.exchange.constants import LANDMARKS
from makeittalk.exchange.errors import InputError
from makeittalk.networks.noise import NOISE, noise_track
from makeittalk.networks.normalised_mel import VoiceAverage
from makeittalk.networks.speaker import ListeningBranch, SpeakerBranch, SpeakerConfig
from makeittalk.networks.speaker_inference import SpeakerModel, save_speaker, speaker_displacement
from makeittalk.networks.speech_features import FEATURES
from makeittalk.networks.voice_inference import load_voice
from torch import Tensor, nn

from ..data.clips import Prepared
from ..losses.head_loss import HeadLoss, HeadLossWeights
from .config import LoopConfig
from .critic import Critic, CriticConfig
from .speaker_examples import SpeakerExample, example_seal, training_clips
from .task import Draws


@dataclass
class SpeakerTrainingConfig(LoopConfig):
    """One training run, read from a TOML file.

    Attributes:
        data: folders prepared with embeddings and prosody. share: how often each is drawn, the same when empty.
        hears: "whisper", "mel", "code" (A) …, see networks.speech_features; the prosody comes beside it.
        voice_conversion: its weights, for all but the first two: a listed set or a path.
        lips: content weights whose Δq the films' landmarks are freed from, "default" for the shipped ones; empty where
            the targets move no lips.
        speakers: how many speakers of each folder are trained on, chosen by Poisson disk sampling of their
            embeddings; 0 for all.
        realism: μs, weight of the critic's opinion. judged: examples of a batch that it sees, 0 for all.
        mirror: share of mirrored faces, which move mirrored; 0 where the targets' head style has sides.
        network, critic, loss: tables of SpeakerConfig, CriticConfig and HeadLossWeights.
    """

    data: list[str] = field(default_factory=list)
    share: list[float] = field(default_factory=list)
    hears: str = "code"
    voice_conversion: str = "voice"
    lips: str = ""
    speakers: int = 0
    realism: float = 0.001
    judged: int = 0
    mirror: float = 0.0
    network: SpeakerConfig = field(default_factory=SpeakerConfig)
    critic: CriticConfig = field(default_factory=CriticConfig)
    loss: HeadLossWeights = field(default_factory=HeadLossWeights)

    def check(self) -> None:
        """See LoopConfig."""
        super().check()
        if not self.data:
            raise ValueError("it names no data folders")
        if self.hears not in FEATURES:
            raise ValueError(f"hears is one of {', '.join(FEATURES)}")
        self.data = [os.path.expanduser(folder) for folder in self.data]
        self.lips = os.path.expanduser(self.lips)
        self.voice_conversion = os.path.expanduser(self.voice_conversion)


class SpeakerTask:
    """The speaker-aware branch for training.loop."""

    name = "speaker"
    phases: Mapping[str, tuple[str, ...]] = {"discriminator": ("critic",), "generator": ("branch",)}

    def __init__(self, config: SpeakerTrainingConfig) -> None:
        self.config = config
        folders = [Prepared.load(folder) for folder in config.data]
        names = [training_clips(folder, config.speakers) for folder in folders]
        if not all(names):
            raise InputError("A data folder holds no clips to train on.", "Run `makeittalk prepare` again.")
        self.average: VoiceAverage | None
        if config.hears == "whisper":
            self.average = None
        elif config.hears == "mel":
            mels = [f.clip(name, sound=False).mel for f, part in zip(folders, names, strict=True) for name in part]
            self.average = VoiceAverage.of(mels)
        else:
            self.average = load_voice(config.voice_conversion).average
        asked = (config.hears, self.average, config.voice_conversion, config.lips)
        self._asked = (*asked, example_seal(*asked))
        self.train = [[self._example(f, name) for name in part] for f, part in zip(folders, names, strict=True)]
        self.validation = [self._example(folder, name) for folder in folders for name in folder.validation]
        share = np.array(config.share or [1.0] * len(folders), float)
        self.share = share / share.sum()
        channels = self.train[0][0].features.shape[1]
        self.shape = replace(config.network, inputs=channels, noise=NOISE)
        self.distance = HeadLoss(config.loss)

    def _example(self, folder: Prepared, name: str) -> SpeakerExample:
        return SpeakerExample.kept(folder, name, *self._asked)

    def networks(self) -> dict[str, nn.Module]:
        """Fresh ones: the `branch` and its `critic`."""
        branch = SpeakerBranch(self.shape)
        if self.shape.centred:
            known = np.stack([e.embedding for folder in self.train for e in folder if e.embedding.any()])
            branch.voice_mean.copy_(torch.from_numpy(known.mean(0)))
            branch.voice_deviation.fill_(float(known.std(0).mean()))
        critic = Critic(self.config.critic, self.shape.hidden, self.shape.embedding[-1])
        return {"branch": ListeningBranch(branch), "critic": critic}

    def batch(self, draws: Draws) -> dict[str, Tensor]:
        """A window for each example.

        Returns:
            `features` (B, T + ahead, C), `embedding` (B, 256), `face` (B, 68, 3), `motion` and `lips` (B, T, 204),
            `noise` (B, T, NOISE), `mask` (B, T): 1 where a clip goes on.
        """
        rows = [self._window(rng) for rng in draws.examples]
        return {name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]}

    def _window(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        folder = self.train[rng.choice(len(self.train), p=self.share)]
        return folder[rng.integers(len(folder))].window(rng, self.shape, self.config.mirror)

    def loss(self, phase: str, networks: Mapping[str, nn.Module], batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """LSGAN and landmark losses.

        The discriminator minimises (r − 1)² + r̂² over frames, the generator the distance and λs times the Laplacian
        distance of the landmarks, plus μs (r̂ − 1)². Distances count in the unit of `losses`.
        """
        mask, seen = batch["mask"], self.config.judged or len(batch["mask"])
        judged = mask[:seen]
        frames = judged.sum().clamp(min=1.0)
        inputs = (batch["features"], batch["embedding"], batch["face"].flatten(1), batch["noise"])
        lips = batch["lips"][:seen]
        if phase == "discriminator":
            with torch.no_grad():
                motion, content, code = networks["branch"](*(value[:seen] for value in inputs))
            real = networks["critic"](lips + batch["motion"][:seen], content, code)
            fake = networks["critic"](lips + motion, content, code)
            told = (((real - 1.0).square() + fake.square()) * judged).sum() / frames
            return {"loss": told, "real": (real * judged).sum() / frames, "fake": (fake * judged).sum() / frames}
        motion, content, code = networks["branch"](*inputs)
        parts = self.distance.to(motion.device)(motion, batch["motion"], mask)
        if self.config.realism:
            fake = networks["critic"](lips + motion[:seen], content[:seen], code[:seen])
            parts["realism"] = ((fake - 1.0).square() * judged).sum() / frames
            parts["loss"] = parts["loss"] + self.config.realism * parts["realism"]
        return parts

    def validate(self, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        """On voices never trained on, with the product's own inference; see `motion_error`."""
        branch = networks["branch"]
        assert isinstance(branch, ListeningBranch)
        return motion_error(branch.branch, self.validation)

    def save(self, networks: Mapping[str, nn.Module], out: Path, notes: dict[str, str]) -> None:
        """Writes `speaker.safetensors`."""
        branch = networks["branch"]
        assert isinstance(branch, ListeningBranch)
        save_speaker(out / "speaker.safetensors", SpeakerModel(branch.branch, self.average, self.config.hears), notes)


def motion_error(branch: SpeakerBranch, examples: list[SpeakerExample]) -> dict[str, float]:
    """How near predicted heads come to their targets, as a mean over clips.

    Returns:
        `distance`: mean distance of the landmarks ÷ that of a head which keeps the target's mean, 0 at best;
        `correlation` of their courses over time, weighted by how far each coordinate moves.
    """
    distance, correlation = [], []
    for example in examples:
        noise = example.noise if example.noise is not None else noise_track(0, len(example.features))
        predicted = speaker_displacement(branch, example.features, example.embedding, example.face, noise)
        target = example.motion - example.motion.mean(0)
        centred = predicted - predicted.mean(0)

        def size(values: np.ndarray) -> float:
            return float(np.linalg.norm(values.reshape(len(values), LANDMARKS, 3), axis=2).mean())

        distance.append(size(predicted - example.motion) / max(size(target), 1e-9))
        norm = float(np.linalg.norm(target) * np.linalg.norm(centred))
        correlation.append(float((target * centred).sum()) / max(norm, 1e-9))
    if not distance:
        return {}
    return {"distance": float(np.mean(distance)), "correlation": float(np.mean(correlation))}
