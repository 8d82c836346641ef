"""Hears when lips are shut: the probability of a P, B or M in every frame.

The content branch learns positions by least squares and so only hints at a closure that lasts three frames. Whether a
sound is bilabial is a question of classes; a small convolutional network answers it for any voice, and the
post-processing shuts the lips there.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from ..exchange.constants import EMBEDDING, MEL_BANDS
from ..exchange.errors import InputError
from ..weights.store import load_tensors
from .normalised_mel import VoiceAverage
from .speech_features import KINDS, hear

DILATIONS = (1, 1, 2, 4, 8)
WIDTH = 96
REACH = 2 * sum(DILATIONS)  # frames seen to either side
_BLOCK = 4096  # frames at once


class ClosureNet(nn.Module):
    """Dilated convolutions over what is heard (networks.hearing): (B, T, inputs) → (B, T) logits."""

    def __init__(self, inputs: int = MEL_BANDS, width: int = WIDTH) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        size = inputs
        for dilation in DILATIONS:
            layers += [
                nn.Conv1d(size, width, 5, padding=2 * dilation, dilation=dilation),
                nn.BatchNorm1d(width),
                nn.GELU(),
            ]
            size = width
        self.body = nn.Sequential(*layers)
        self.head = nn.Conv1d(width, 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        return self.head(self.body(features.transpose(1, 2)))[:, 0]


def predict_closure(mel: np.ndarray, device: str = "cpu") -> np.ndarray:
    """Probability that the lips are shut for a P, B or M.

    Args:
        mel: (T, 80) of the loudness-normalised recording. device: "cpu", "cuda" or "mps".

    Returns:
        (T,) float32, 0–1.

    Raises:
        MissingError, InputError: the weights are missing or damaged.
    """
    network, average, kind = load_closure(device)
    if not len(mel):
        return np.zeros(0, np.float32)
    # Who speaks is left open: a bilabial is one whoever says it.
    return probabilities(network, hear(kind, mel, np.zeros(EMBEDDING, np.float32), average, device))


def probabilities(network: ClosureNet, features: np.ndarray) -> np.ndarray:
    """The network's answer for a recording of any length, (T, inputs) as it is heard → (T,)."""
    device = next(network.parameters()).device
    answer = np.empty(len(features), np.float32)
    with torch.inference_mode():
        for start in range(0, len(features), _BLOCK):
            begin, end = max(0, start - REACH), min(len(features), start + _BLOCK + REACH)
            part = torch.from_numpy(np.ascontiguousarray(features[begin:end], np.float32)).to(device)
            heard = torch.sigmoid(network(part[None])[0]).float().cpu().numpy()
            stop = min(len(features), start + _BLOCK)
            answer[start:stop] = heard[start - begin : stop - begin]
    return answer


@lru_cache(maxsize=2)
def load_closure(device: str = "cpu") -> tuple[ClosureNet, VoiceAverage, str]:
    """The shipped network in eval mode, the average voice its features are measured against, and what it hears.

    Raises:
        MissingError, InputError: the weights are missing or damaged.
    """
    tensors, meta = load_tensors("closure")
    kind = str(meta.get("features", "mel"))
    if kind not in KINDS:
        raise InputError(f"The closure weights hear {kind!r}.", "Install MakeItTalk again.")
    network = ClosureNet(KINDS[kind])
    network.load_state_dict({name: value.float() for name, value in tensors.items()})
    return network.to(device).eval(), VoiceAverage.from_dict(meta), kind
