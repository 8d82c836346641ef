"""Runs the phone network over recordings of any length in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..audio.windows import context_windows
from ..weights.cache import kept_loaded
from ..weights.store import network_weights, save_weights
from .normalised_mel import VoiceAverage
from .phones import BILABIALS, PHONES, REACH, ROUNDED, PhoneNet, PhonesConfig
from .speech import Speech
from .speech_features import FEATURES, average_data, read_average, speech_features

DEFAULT_PHONES = "phones"
_WINDOW = 4096  # frames at once
_BILABIALS = [PHONES.index(name) for name in BILABIALS]
_ROUNDED = [PHONES.index(name) for name in ROUNDED]


@dataclass(frozen=True)
class PhonesModel:
    """The phone network ready to run.

    Attributes:
        network: in eval mode. average: the voice that its mels are measured against, None where it hears Whisper.
        features: what it reads, a kind of `speech_features`.
    """

    network: PhoneNet
    average: VoiceAverage | None
    features: str


def predict_phones(speech: Speech, device: str = "cpu", weights: str = DEFAULT_PHONES) -> np.ndarray:
    """How likely each phone is in each frame of a recording.

    Args:
        speech: the recording. device: "cpu", "cuda" or "mps".
        weights: a listed set, or a path to a .safetensors file of one's own training.

    Returns:
        (T, len(PHONES)) float32; rows sum to 1.

    Raises:
        MissingError, InputError: the weights are missing or damaged.
    """
    model = load_phones(weights, device)
    if not len(speech.mel):
        return np.zeros((0, len(PHONES)), np.float32)
    # Who speaks is left open: a phone is one whoever says it.
    return phone_probabilities(
        model.network, speech_features(model.features, speech, model.average, device, nobody=True)
    )


def closure_of(phones: np.ndarray) -> np.ndarray:
    """Probability that the lips are shut for a P, B or M: (T, len(PHONES)) → (T,) float32."""
    return phones[:, _BILABIALS].sum(1)


def rounding_of(phones: np.ndarray) -> np.ndarray:
    """Probability that the lips are round for a W, U or O: (T, len(PHONES)) → (T,) float32."""
    return phones[:, _ROUNDED].sum(1)


def silence_of(phones: np.ndarray) -> np.ndarray:
    """Probability that nobody speaks: (T, len(PHONES)) → (T,) float32."""
    return phones[:, 0]


def phone_probabilities(network: PhoneNet, features: np.ndarray) -> np.ndarray:
    """`predict_phones` with a given network in eval mode and features (T, inputs)."""
    device = next(network.parameters()).device

    def run(piece: np.ndarray) -> np.ndarray:
        part = torch.from_numpy(piece).to(device)
        return torch.softmax(network(part[None])[0].float(), 1).cpu().numpy()

    with torch.inference_mode():
        answer = np.empty((len(features), len(PHONES)), np.float32)
        return context_windows(features, _WINDOW, REACH, run, answer)


def save_phones(path: str | Path, model: PhonesModel, notes: Mapping[str, Any]) -> None:
    """Writes a phone network with everything that is needed to use it.

    Raises:
        OutputError: it cannot be written.
    """
    data = {"config": model.network.config.to_dict(), "phones": list(PHONES), "features": model.features}
    save_weights(path, "phones", model.network, data | average_data(model.average), notes)


@kept_loaded
def load_phones(name: str = DEFAULT_PHONES, device: str = "cpu") -> PhonesModel:
    """The phone network with its weights.

    Args:
        name: a listed set, or a path to a .safetensors file of one's own training.
        device: "cpu", "cuda" or "mps".

    Raises:
        MissingError: no such weights. InputError: they are damaged or of another kind.
    """
    with network_weights(name, "phones") as weights:
        features = str(weights.data["features"])
        if tuple(weights.data["phones"]) != PHONES:
            raise ValueError("it names other phones")
        config = PhonesConfig.from_dict({"inputs": FEATURES[features], **weights.data["config"]})
        average = read_average(weights.data, features)
        network = weights.fill(lambda: PhoneNet(config))
    return PhonesModel(network.to(device), average, features)
