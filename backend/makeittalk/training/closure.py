"""Trains the closure network on recordings with phone times.

    python -m makeittalk.training.closure OUT.safetensors AUDIO_FOLDER PHONES_FOLDER [AUDIO_FOLDER PHONES_FOLDER …]

A phones folder holds one JSON a recording: `phones`, a list of [start s, end s, ARPAbet name], or that list itself.
Every tenth recording of a folder is kept for validation.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from .. import storage
from ..audio.loading import load_audio, normalise_loudness
from ..audio.mel import mel_spectrogram
from ..constants import FRAME_RATE
from ..networks.closure import ClosureNet, probabilities
from ..networks.features import VoiceAverage, normalise_mel
from ..weights.store import half_precision
from .augment import Augment, mask_bands, vary_sound

BILABIALS = ("P", "B", "M")
FRAMES = 160  # of an example
BATCH = 48
_EDGE = 0.016  # s at either end of a phone that count for nothing: labels are not that sharp


@dataclass
class Labelled:
    """A recording: mel (T, 80), target (T,) 0 or 1, weight (T,), and its bilabials as frame ranges."""

    mel: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    events: list[tuple[int, int]]


def labelled(audio: Path, phones: list[Any]) -> Labelled:
    """Reads a recording and marks its bilabials."""
    mel = mel_spectrogram(normalise_loudness(load_audio(audio).samples))
    last = phones[-1][1] if phones else 0.0
    mel = mel[: round(last * FRAME_RATE) + 1]
    times = np.arange(len(mel)) / FRAME_RATE
    target, weight = np.zeros(len(mel), np.float32), np.ones(len(mel), np.float32)
    events = []
    for start, end, name in phones:
        if name not in BILABIALS:
            continue
        inside = (times >= start) & (times <= end)
        target[inside] = 1.0
        for edge in (start, end):
            weight[np.abs(times - edge) < _EDGE] = 0.0
        if inside.any():
            found = np.flatnonzero(inside)
            events.append((int(found[0]), int(found[-1]) + 1))
    return Labelled(mel, target, weight, events)


def read_folders(pairs: list[tuple[Path, Path]]) -> tuple[list[list[Labelled]], list[Labelled]]:
    """Training recordings folder by folder, and the validation ones."""
    train: list[list[Labelled]] = []
    validation: list[Labelled] = []
    for audio, phones in pairs:
        names = sorted(path.stem for path in phones.glob("*.json"))
        kept: list[Labelled] = []
        for index, name in enumerate(names):
            source = audio / f"{name}.flac"
            if not source.is_file():
                continue
            value = json.loads(storage.read_bytes(phones / f"{name}.json", 1 << 20))
            item = labelled(source, value["phones"] if isinstance(value, dict) else value)
            if len(item.mel) > FRAMES:
                (validation if index % 10 == 0 else kept).append(item)
        train.append(kept)
    return train, validation


def batch(
    folders: list[list[Labelled]], average: VoiceAverage, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Features (B, T, 80), targets (B, T) and weights (B, T), folders drawn alike."""
    options = Augment()
    features, targets, weights = [], [], []
    for _ in range(BATCH):
        folder = folders[rng.integers(len(folders))]
        item = folder[rng.integers(len(folder))]
        heard = normalise_mel(vary_sound(item.mel, 0.0, options, rng), average)
        start = rng.integers(0, len(item.mel) - FRAMES + 1)
        cut = slice(start, start + FRAMES)
        features.append(mask_bands(heard[cut].copy(), options, rng))
        targets.append(item.target[cut])
        weights.append(item.weight[cut])
    stacked = [torch.from_numpy(np.stack(part).astype(np.float32)) for part in (features, targets, weights)]
    return stacked[0], stacked[1], stacked[2]


def measure(network: ClosureNet, items: list[Labelled], average: VoiceAverage, threshold: float) -> dict[str, float]:
    """Share of bilabials that are heard somewhere inside, share of heard stretches that touch one."""
    network.eval()
    hits = events = right = stretches = 0
    for item in items:
        heard = probabilities(network, normalise_mel(item.mel, average)) > threshold
        hits += sum(bool(heard[start:end].any()) for start, end in item.events)
        events += len(item.events)
        near = np.convolve(item.target, np.ones(7), "same") > 0
        edges = np.flatnonzero(np.diff(np.concatenate([[0], heard.astype(int), [0]])))
        for start, end in edges.reshape(-1, 2):
            stretches += 1
            right += bool(near[start:end].any())
    network.train()
    return {"recall": hits / max(events, 1), "precision": right / max(stretches, 1)}


def train(
    pairs: list[tuple[Path, Path]], target: Path, steps: int = 900, rate: float = 2e-3, seed: int = 0
) -> dict[str, float]:
    """Trains and writes the weights (fp16); returns the validation figures."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    folders, validation = read_folders(pairs)
    average = VoiceAverage.of([item.mel for folder in folders for item in folder])
    network = ClosureNet().train()
    optimiser = torch.optim.AdamW(network.parameters(), rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.1)
    loss_of = nn.BCEWithLogitsLoss(reduction="none", pos_weight=torch.tensor(3.0))
    for step in range(steps):
        features, targets, weights = batch(folders, average, rng)
        loss = (loss_of(network(features), targets) * weights).sum() / weights.sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 250 == 249:
            shown = {f"{t}": measure(network, validation, average, t) for t in (0.3, 0.5, 0.7)}
            print(step + 1, f"{loss.item():.3f}", shown, flush=True)
    network.eval()
    figures = measure(network, validation, average, 0.5)
    meta = {"format": "1", "kind": "closure", "data": json.dumps(average.to_dict()), "notes": json.dumps(figures)}
    with storage.replacing(target) as temporary:
        save_file(half_precision(network), temporary, meta)
    return figures


if __name__ == "__main__":
    named = [Path(name) for name in sys.argv[2:]]
    print(train(list(zip(named[::2], named[1::2], strict=True)), Path(sys.argv[1])))
