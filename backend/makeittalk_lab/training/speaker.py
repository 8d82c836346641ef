"""Trains the speaker-aware branch against its critic (paper, section 3.3).

Data are prepared clips with their head motion: films (VoxCeleb2) or constructed targets (`training.prepare_heads`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from makeittalk.exchange.constants import EMBEDDING, LANDMARKS
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent
from makeittalk.landmarks.pose import Canonical
from makeittalk.networks.content_inference import predict_content
from makeittalk.networks.noise import NOISE, noise_track
from makeittalk.networks.normalised_mel import VoiceAverage
from makeittalk.networks.speaker import ListeningBranch, SpeakerBranch, SpeakerConfig
from makeittalk.networks.speaker_inference import SpeakerModel, head_features, save_speaker, speaker_displacement
from makeittalk.networks.voice_inference import load_voice
from torch import Tensor, nn

from ..data.augment import Augment, vary_face
from ..data.clips import Clip, Prepared
from ..data.poisson_disk import poisson_disk
from ..data.splits import speaker_of
from ..losses.head_loss import HeadDistance, HeadLoss
from ..prepare import heads as prepare_heads
from ..synthetic.head_clips import noise_seed
from .critic import Critic, CriticConfig
from .loop import LoopConfig, train

_SEEDS = 2**31
_SHIPPED = "default"


@dataclass
class SpeakerTrainingConfig(LoopConfig):
    """One training run, read from a TOML file.

    Attributes:
        data: folders prepared with embeddings and prosody. share: how often each is drawn, the same when empty.
        hears: "mel", "code" (A) or "converted", see networks.hearing; the prosody comes beside it.
        voice: weights of voice conversion for the latter two.
        lips: content weights whose Δq the films' landmarks are freed from, "default" for the shipped ones; empty where
            the targets move no lips.
        speakers: how many speakers of each folder are trained on, chosen by Poisson disk sampling of their
            embeddings; 0 for all.
        realism: μs, weight of the critic's opinion. judged: examples of a batch that it sees, 0 for all.
        mirror: share of mirrored faces, which move mirrored; 0 where the targets' manner has sides.
        network, critic, loss: tables of SpeakerConfig, CriticConfig and HeadLoss.
    """

    data: list[str] = field(default_factory=list)
    share: list[float] = field(default_factory=list)
    hears: str = "code"
    voice: str = "voice"
    lips: str = ""
    speakers: int = 0
    realism: float = 0.001
    judged: int = 0
    mirror: float = 0.0
    network: SpeakerConfig = field(default_factory=SpeakerConfig)
    critic: CriticConfig = field(default_factory=CriticConfig)
    loss: HeadLoss = field(default_factory=HeadLoss)

    def check(self) -> None:
        """See LoopConfig."""
        super().check()
        if not self.data:
            raise ValueError("it names no data folders")
        self.data = [os.path.expanduser(folder) for folder in self.data]
        self.lips, self.voice = os.path.expanduser(self.lips), os.path.expanduser(self.voice)


@dataclass
class Example:
    """A clip as the branch sees it, canonical.

    Attributes:
        name: the clip's. features: (T, C). embedding: (256,). face: (68, 3).
        motion: (T, 204), Δp: what the landmarks do beyond the lips' Δq. lips: (T, 204), Δq.
        noise: (T, NOISE) that its target was made with, or None for a film, whose noise nobody knows.
    """

    name: str
    features: np.ndarray
    embedding: np.ndarray
    face: np.ndarray
    motion: np.ndarray
    lips: np.ndarray
    noise: np.ndarray | None


class SpeakerTask:
    """The speaker-aware branch for training.loop."""

    name = "speaker"
    phases: Mapping[str, tuple[str, ...]] = {"discriminator": ("critic",), "generator": ("branch",)}

    def __init__(self, config: SpeakerTrainingConfig) -> None:
        self.config = config
        folders = [Prepared.load(folder) for folder in config.data]
        clips = [[folder.clip(name) for name in _chosen(folder, config.speakers)] for folder in folders]
        if not all(clips):
            raise InputError("A data folder holds no clips to train on.", "Run `makeittalk prepare` again.")
        if config.hears == "mel":
            self.average = VoiceAverage.of([clip.mel for part in clips for clip in part])
        else:
            self.average = load_voice(config.voice).average
        self.train = [[self._example(f, clip) for clip in part] for f, part in zip(folders, clips, strict=True)]
        self.validation = [self._example(folder, folder.clip(n)) for folder in folders for n in folder.validation]
        share = np.array(config.share or [1.0] * len(folders), float)
        self.share = share / share.sum()
        channels = self.train[0][0].features.shape[1]
        self.shape = replace(config.network, inputs=channels, noise=NOISE)
        self.distance = HeadDistance(config.loss)

    def _example(self, folder: Prepared, clip: Clip) -> Example:
        if clip.embedding is None or clip.prosody is None:
            raise InputError(
                f"The clips of {folder.folder} hold no voices or no prosody.", "Prepare them with a newer version."
            )
        frame = Canonical.of(clip.neutral)
        face = frame.to_canonical(clip.neutral).astype(np.float32)
        moved = frame.displacement_to(clip.posed - clip.neutral).astype(np.float32)
        lips = np.zeros_like(moved)
        if self.config.lips:
            content = None if self.config.lips == _SHIPPED else self.config.lips
            lips = predict_content(clip.mel, face, weights=content, embedding=clip.embedding, voice=self.config.voice)
        constructed = folder.kind == prepare_heads.KIND
        return Example(
            clip.name,
            head_features(self.config.hears, clip.mel, clip.prosody, self.average, voice=self.config.voice),
            clip.embedding.astype(np.float32),
            face,
            (moved - lips).reshape(len(moved), -1),
            lips.reshape(len(moved), -1),
            noise_track(noise_seed(clip.name), len(moved)) if constructed else None,
        )

    def networks(self) -> dict[str, nn.Module]:
        """Fresh ones: the `branch` and its `critic`."""
        branch = SpeakerBranch(self.shape)
        if self.shape.centred:
            known = np.stack([e.embedding for folder in self.train for e in folder if e.embedding.any()])
            branch.voice_mean.copy_(torch.from_numpy(known.mean(0)))
            branch.voice_deviation.fill_(float(known.std(0).mean()))
        critic = Critic(self.config.critic, self.shape.hidden, self.shape.embedding[-1])
        return {"branch": ListeningBranch(branch), "critic": critic}

    def batch(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """`count` windows drawn from `rng`.

        Returns:
            `features` (B, T + ahead, C), `embedding` (B, 256), `face` (B, 68, 3), `motion` and `lips` (B, T, 204),
            `noise` (B, T, NOISE), `mask` (B, T): 1 where a clip goes on.
        """
        rows = [self._window(rng) for _ in range(count)]
        return {name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]}

    def _window(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        folder = self.train[rng.choice(len(self.train), p=self.share)]
        example = folder[rng.integers(len(folder))]
        frames = self.shape.attention
        total = len(example.features)
        start = int(rng.integers(0, max(1, total - frames + 1)))
        place = np.minimum(np.arange(start, start + frames), total - 1)
        ahead = self.shape.window - 1 if self.shape.streaming else 0
        heard = np.minimum(np.arange(start, start + frames + ahead), total - 1)
        # Faces are mirrored here, never reshaped: a head that turns stays rigid.
        flip = Augment(mirror=self.config.mirror, shape=0.0, identity=0.0)
        both = np.stack([example.motion[place], example.lips[place]]).reshape(-1, LANDMARKS, 3)
        face, both = vary_face(example.face, both, flip, rng)
        motion, lips = both.reshape(2, frames, -1)
        noise = example.noise[place] if example.noise is not None else noise_track(int(rng.integers(_SEEDS)), frames)
        return {
            "features": example.features[heard],
            "embedding": example.embedding,
            "face": face,
            "motion": motion,
            "lips": lips,
            "noise": noise,
            "mask": (np.arange(start, start + frames) < total).astype(np.float32),
        }

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
        """On voices never trained on, with the product's own inference; see `measure`."""
        branch = networks["branch"]
        assert isinstance(branch, ListeningBranch)
        return measure(branch.branch, self.validation)

    def save(self, networks: Mapping[str, nn.Module], out: Path, notes: dict[str, str]) -> None:
        """Writes `speaker.safetensors`."""
        branch = networks["branch"]
        assert isinstance(branch, ListeningBranch)
        save_speaker(out / "speaker.safetensors", SpeakerModel(branch.branch, self.average, self.config.hears), notes)


def measure(branch: SpeakerBranch, examples: list[Example]) -> dict[str, float]:
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


def train_speaker(config_path: str | Path, progress: Progress = silent, **overrides: Any) -> Path:
    """Trains as a configuration says; a second call goes on from the last checkpoint to the same end.

    Args:
        config_path: TOML file, see SpeakerTrainingConfig. overrides: values for its keys.
        progress: told after every step; may raise Cancelled, the last checkpoint stays.

    Returns:
        The folder `out`, which then holds `speaker.safetensors` (fp16) and `log.jsonl`.

    Raises:
        InputError: configuration or data cannot be used.
    """
    config = SpeakerTrainingConfig.load(config_path, **overrides)
    return train(SpeakerTask(config), config, progress)


def _chosen(folder: Prepared, speakers: int) -> list[str]:
    """The training clips of the speakers that Poisson disk sampling keeps."""
    if not speakers:
        return folder.train
    clips: dict[str, list[str]] = {}
    for name in folder.train:
        clips.setdefault(speaker_of(name), []).append(name)
    names = sorted(clips)
    voices = np.zeros((len(names), EMBEDDING))
    for row, name in enumerate(names):
        known = [folder.clip(clip).embedding for clip in clips[name]]
        voices[row] = np.mean([voice for voice in known if voice is not None], axis=0)
    return [clip for place in poisson_disk(voices, speakers) for clip in clips[names[place]]]
