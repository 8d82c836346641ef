"""Runs the closure network over recordings of any length in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..audio.windows import context_windows
from ..exchange.constants import EMBEDDING
from ..weights.cache import kept_loaded
from ..weights.store import network_weights, save_weights
from .closure import REACH, ClosureConfig, ClosureNet
from .normalised_mel import VoiceAverage
from .speech_features import FEATURES, speech_features

DEFAULT_CLOSURE = "closure"
_WINDOW = 4096  # frames at once


@dataclass(frozen=True)
class ClosureModel:
    """The closure network ready to run.

    Attributes:
        network: in eval mode. average: the voice that its features are measured against.
        features: what it reads, a kind of `speech_features`.
    """

    network: ClosureNet
    average: VoiceAverage
    features: str


def predict_closure(mel: np.ndarray, device: str = "cpu", weights: str = DEFAULT_CLOSURE) -> np.ndarray:
    """Probability that the lips are shut for a P, B or M.

    Args:
        mel: (T, 80) of the loudness-normalised recording. device: "cpu", "cuda" or "mps".
        weights: a listed set, or a path to a .safetensors file of one's own training.

    Returns:
        (T,) float32, 0–1.

    Raises:
        MissingError, InputError: the weights are missing or damaged.
    """
    model = load_closure(weights, device)
    if not len(mel):
        return np.zeros(0, np.float32)
    # Who speaks is left open: a bilabial is one whoever says it.
    nobody = np.zeros(EMBEDDING, np.float32)
    return closure_probability(model.network, speech_features(model.features, mel, nobody, model.average, device))


def closure_probability(network: ClosureNet, features: np.ndarray) -> np.ndarray:
    """`predict_closure` with a given network in eval mode and features (T, inputs): (T,) float32."""
    device = next(network.parameters()).device

    def run(piece: np.ndarray) -> np.ndarray:
        part = torch.from_numpy(piece).to(device)
        return torch.sigmoid(network(part[None])[0]).float().cpu().numpy()

    with torch.inference_mode():
        return context_windows(features, _WINDOW, REACH, run, np.empty(len(features), np.float32))


def save_closure(path: str | Path, model: ClosureModel, notes: Mapping[str, Any]) -> None:
    """Writes a closure network with everything that is needed to use it.

    Raises:
        OutputError: it cannot be written.
    """
    data = {"config": model.network.config.to_dict(), "average": model.average.to_dict(), "features": model.features}
    save_weights(path, "closure", model.network, data, notes)


@kept_loaded
def load_closure(name: str = DEFAULT_CLOSURE, device: str = "cpu") -> ClosureModel:
    """The closure network with its weights.

    Args:
        name: a listed set, or a path to a .safetensors file of one's own training.
        device: "cpu", "cuda" or "mps".

    Raises:
        MissingError: no such weights. InputError: they are damaged or of another kind.
    """
    with network_weights(name, "closure") as weights:
        features = str(weights.data["features"])
        config = ClosureConfig.from_dict({"inputs": FEATURES[features], **weights.data["config"]})
        average = VoiceAverage.from_dict(weights.data["average"])
        network = weights.fill(lambda: ClosureNet(config))
    return ClosureModel(network.to(device), average, features)
