"""Trains the speech content branch on prepared recordings."""

from __future__ import annotations

import json
import os
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import storage
from ..constants import LANDMARKS
from ..errors import InputError
from ..landmarks.ibug68 import PARTS
from ..landmarks.pose import Canonical
from ..networks.content import ContentBranch, ContentConfig
from ..networks.features import VoiceAverage, normalise_mel
from ..networks.inference import displacements
from ..progress import Progress, silent
from ..weights.store import save_content
from . import augment, checkpoint, metrics
from .augment import Augment
from .dataset import Clip, Prepared
from .losses import LandmarkLoss, LossWeights

_STILL = np.concatenate([PARTS[name] for name in ("brow_right", "brow_left", "eye_right", "eye_left")])


@dataclass
class TrainingConfig:
    """One training run, read from a TOML file.

    Attributes:
        data: prepared folders. share: how often each is drawn, the same for all when empty.
        out: folder for checkpoints, log and weights.
        start: folder of another run, whose last state this one begins with; empty for a fresh network.
        seed, steps, batch: of the run. frames: most frames of an example.
        learning_rate, weight_decay: Adam's; the rate falls to zero along a cosine after `warmup` steps.
        clip: largest norm of the gradient.
        validate_every, checkpoint_every: steps.
        network, augment, loss: tables of ContentConfig, Augment and LossWeights.
    """

    data: list[str] = field(default_factory=list)
    share: list[float] = field(default_factory=list)
    out: str = ""
    start: str = ""
    seed: int = 0
    steps: int = 10_000
    batch: int = 32
    frames: int = 300
    learning_rate: float = 1e-4
    weight_decay: float = 1e-6
    warmup: int = 100
    clip: float = 1.0
    validate_every: int = 500
    checkpoint_every: int = 250
    network: ContentConfig = field(default_factory=ContentConfig)
    augment: Augment = field(default_factory=Augment)
    loss: LossWeights = field(default_factory=LossWeights)

    @classmethod
    def load(cls, path: str | Path) -> TrainingConfig:
        """Reads a TOML file; paths in it may begin with `~`.

        Raises:
            InputError: it is no TOML, or holds a key or a value that does not exist.
        """
        try:
            value = tomllib.loads(storage.read_bytes(path, 1 << 20).decode())
            network = ContentConfig.from_dict(value.pop("network", {}))
            ranges = value.pop("augment", {})
            changed: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in ranges.items()}
            options = Augment(**changed)
            config = cls(network=network, augment=options, loss=LossWeights(**value.pop("loss", {})), **value)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{path} is not a training configuration: {error}.", "Compare training/configs."
            ) from error
        if not config.data or not config.out:
            raise InputError(f"{path} does not name its data and out folders.", "Compare training/configs.")
        config.data = [os.path.expanduser(folder) for folder in config.data]
        config.out, config.start = os.path.expanduser(config.out), os.path.expanduser(config.start)
        return config


class Examples:
    """Clips in memory, drawn and varied by step number alone, so that a resumed run sees what it would have seen."""

    def __init__(self, config: TrainingConfig, average: VoiceAverage | None = None) -> None:
        self.config = config
        folders = [Prepared.load(folder) for folder in config.data]
        self.clips: list[list[tuple[Clip, np.ndarray, np.ndarray]]] = []
        self.validation: list[Clip] = []
        for folder in folders:
            self.clips.append([(clip, *canonical(clip)) for clip in map(folder.clip, folder.train)])
            self.validation += [folder.clip(name) for name in folder.validation]
        if not all(self.clips):
            raise InputError("A data folder holds no clips to train on.", "Run `makeittalk prepare` again.")
        self.average = average or VoiceAverage.of([clip.mel for clips in self.clips for clip, _, _ in clips])
        share = np.array(config.share or [1.0] * len(folders), float)
        self.share = share / share.sum()

    def batch(self, step: int) -> tuple[torch.Tensor, ...]:
        """Features (B, T, 80), motion (B, T, 68, 3), faces (B, 68, 3) and mask (B, T) of a step."""
        rng = np.random.default_rng([self.config.seed, step])
        drawn = [self._example(rng) for _ in range(self.config.batch)]
        count = max(len(features) for features, _, _ in drawn)
        features = np.zeros((len(drawn), count, drawn[0][0].shape[1]), np.float32)
        motion = np.zeros((len(drawn), count, LANDMARKS, 3), np.float32)
        mask = np.zeros((len(drawn), count), np.float32)
        for row, (heard, moved, _) in enumerate(drawn):
            features[row, : len(heard)], motion[row, : len(moved)], mask[row, : len(heard)] = heard, moved, 1.0
            features[row, len(heard) :] = heard[-1]
        faces = np.stack([face for _, _, face in drawn])
        return tuple(map(torch.from_numpy, (features, motion, faces, mask)))

    def _example(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        options, frames = self.config.augment, self.config.frames
        clips = self.clips[rng.choice(len(self.clips), p=self.share)]
        clip, face, motion = clips[rng.integers(len(clips))]
        varied = rng.random() < options.varied
        raised = varied and clip.raised is not None and rng.random() < options.raised
        mel = clip.raised if raised and clip.raised is not None else clip.mel
        start = rng.integers(0, max(1, len(mel) - frames + 1))
        mel, motion = mel[start : start + frames], motion[start : start + frames]
        if varied:
            count = round(len(mel) / rng.uniform(*options.speed))
            mel, motion = augment.stretch(mel, count), augment.stretch(motion, count)
        mel, motion = augment.pad_pauses(mel, motion, options, rng)
        if rng.random() < options.silence:
            level = float(np.percentile(mel, 95))
            mel = augment.add_noise(np.full_like(mel, augment.QUIET), 100.0 * (augment.QUIET - level), rng)
            motion = np.zeros_like(motion)
        if varied:
            mel = augment.vary_sound(mel, clip.semitones if raised else 0.0, options, rng)
        face, motion = augment.vary_face(face, motion, options, rng)
        begin = rng.integers(0, max(1, len(mel) - frames + 1))
        features = normalise_mel(mel, self.average)
        if varied:
            features = augment.mask_bands(features, options, rng)
        return features[begin : begin + frames], motion[begin : begin + frames], face


def canonical(clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """A clip's face at rest (68, 3) and its motion (T, 68, 3) in the canonical frame, brows and eyes held still.

    Blinks and brows belong to the speaker branch: what they do at random must not leak into the lips' network.
    """
    frame = Canonical.of(clip.neutral)
    motion = frame.displacement_to(clip.landmarks - clip.neutral).astype(np.float32)
    motion[:, _STILL] = 0.0
    return frame.to_canonical(clip.neutral).astype(np.float32), motion


def validate(branch: ContentBranch, average: VoiceAverage, clips: list[Clip]) -> dict[str, float]:
    """Mean lip metrics over clips, with the product's own inference."""
    rows: list[dict[str, float]] = []
    for clip in clips:
        frame = Canonical.of(clip.neutral)
        delta = displacements(branch, average, clip.mel, frame.to_canonical(clip.neutral))
        rows.append(metrics.lip_metrics(clip.neutral + frame.displacement_from(delta), clip.landmarks))
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]} if rows else {}


def train_content(config_path: str | Path, progress: Progress = silent) -> Path:
    """Trains as a configuration says; a second call goes on from the last checkpoint to the same end.

    Args:
        config_path: TOML file, see TrainingConfig.
        progress: told after every step; may raise Cancelled, the last checkpoint stays.

    Returns:
        The folder `out`, which then holds `content.safetensors` (fp16) and `log.jsonl`.

    Raises:
        InputError: configuration or data cannot be used.
    """
    config = TrainingConfig.load(config_path)
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    examples = Examples(config)
    torch.manual_seed(config.seed)
    branch = ContentBranch(config.network)
    loss = LandmarkLoss(config.loss)
    optimizer = torch.optim.Adam(branch.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    first = checkpoint.load(out, branch, optimizer)
    if not first and config.start and not checkpoint.load(Path(config.start), branch, optimizer):
        raise InputError(f"{config.start} holds no checkpoint to start from.", "Run that training first.")
    began = time.monotonic()
    for step in range(first, config.steps):
        branch.train()
        torch.manual_seed(config.seed * 1_000_003 + step)  # dropout, too, depends on the step alone
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * _rate(step, config)
        features, motion, faces, mask = examples.batch(step)
        answer = branch(features, faces.flatten(1)).reshape(motion.shape)
        parts = loss(answer, motion, faces, mask)
        optimizer.zero_grad()
        parts["loss"].backward()
        torch.nn.utils.clip_grad_norm_(branch.parameters(), config.clip)
        optimizer.step()
        done = step + 1
        entry: dict[str, Any] = {"step": done} | {name: round(value.item(), 5) for name, value in parts.items()}
        if done % config.validate_every == 0 or done == config.steps:
            entry["validation"] = validate(branch.eval(), examples.average, examples.validation)
            entry["seconds"] = round(time.monotonic() - began, 1)
        with open(out / "log.jsonl", "a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")
        if done % config.checkpoint_every == 0 or done == config.steps:
            checkpoint.save(out, branch, optimizer, done)
        progress(done / config.steps, "Training the content branch")
    save_content(out / "content.safetensors", branch.eval(), examples.average, {"steps": str(config.steps)})
    return out


def _rate(step: int, config: TrainingConfig) -> float:
    """Share of the learning rate: a linear start, then a cosine down to zero."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    return 0.5 * (1.0 + float(np.cos(np.pi * (step - config.warmup) / max(1, config.steps - config.warmup))))
