"""What the landmark branches read of a recording: what Whisper's encoder hears, or the mel, the code A, both of these,
or the mel converted to one fixed voice.

The paper's branches read A; the released ones read the recording converted to one target speaker. A says what is said
whoever says it, the mel beside it when exactly. Whisper's encoder does both, and has heard more voices.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from ..exchange.constants import EMBEDDING, MEL_BANDS
from ..exchange.errors import InputError
from .normalised_mel import HIGHEST, LOWEST, VoiceAverage, normalise_mel
from .speech import Speech
from .voice import VoiceConversion
from .voice_inference import convert, encode, load_voice, read_voice
from .whisper_inference import WIDTH

#: Width of a frame's features, by kind.
FEATURES = {"whisper": WIDTH, "mel": MEL_BANDS, "code": 64, "both": MEL_BANDS + 64, "converted": MEL_BANDS}
_AS_GIVEN = ("whisper", "mel")  # those that no network of this project makes


def speech_features(
    kind: str,
    speech: Speech,
    average: VoiceAverage | None,
    device: str = "cpu",
    weights: str = "voice",
    nobody: bool = False,
) -> np.ndarray:
    """A recording of any length as a landmark branch reads it, in bounded memory.

    Args:
        kind: one of FEATURES. speech: the recording.
        average: the voice that mels are measured against, that of the branch's weights; Whisper needs none.
        device: "cpu", "cuda" or "mps". weights: of voice conversion, a listed set or a path.
        nobody: whether to leave open who speaks.

    Returns:
        (T, FEATURES[kind]) float32, or float16 of Whisper's.

    Raises:
        InputError: no such kind. MissingError, InputError: the weights are missing or damaged.
    """
    _check(kind)
    if kind == "whisper":
        return speech.whisper(device)
    assert average is not None, kind
    features = normalise_mel(speech.mel, average)
    if kind == "mel":
        return features
    model = load_voice(weights, device)
    code = encode(model.network, features, np.zeros(EMBEDDING, np.float32) if nobody else speech.embedding)
    if kind == "code":
        return code
    if kind == "both":
        return np.concatenate([features, code], axis=1)
    target = model.target
    said = convert(model.network, code, target.embedding)
    # Always the same voice, so that no statistics of the recording are needed, short as it may be.
    return np.clip((said - target.average.mean) / target.average.std, LOWEST, HIGHEST)


def average_data(average: VoiceAverage | None) -> dict[str, Any]:
    """What is kept of the average voice beside a branch's weights; `read_average` reads it."""
    return {} if average is None else {"average": average.to_dict()}


def read_average(data: Mapping[str, Any], kind: str) -> VoiceAverage | None:
    """The average voice beside the weights of a branch that hears features of this kind; Whisper's need none.

    Raises:
        KeyError, ValueError: it is missing or damaged.
    """
    return None if kind == "whisper" else VoiceAverage.from_dict(data["average"])


class SpeechFeatures(nn.Module):
    """`speech_features` for training: batched, differentiable in nothing, its weights frozen.

    Args:
        kind: one of FEATURES. weights: of voice conversion, a listed set or a path.

    Raises:
        InputError: no such kind. MissingError, InputError: the weights are missing or damaged.
    """

    voice: VoiceConversion
    embedding: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(self, kind: str, weights: str | Path = "voice") -> None:
        super().__init__()
        _check(kind)
        self.kind = kind
        if kind not in _AS_GIVEN:
            model = read_voice(str(weights))  # not the shared one: this module may be moved to a device
            self.voice = model.network.requires_grad_(False)
            self.register_buffer("embedding", torch.from_numpy(model.target.embedding))
            self.register_buffer("mean", torch.from_numpy(model.target.average.mean))
            self.register_buffer("deviation", torch.from_numpy(model.target.average.std))

    def train(self, mode: bool = True) -> Self:
        """Stays in eval mode."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, features: Tensor, embedding: Tensor) -> Tensor:
        """(B, T, 80) normalised mel and (B, 256) of who speaks → (B, T, FEATURES[kind]); Whisper's stay as they are."""
        if self.kind in _AS_GIVEN:
            return features
        code = self.voice.encoder(features, embedding)
        if self.kind == "code":
            return code
        if self.kind == "both":
            return torch.cat([features, code], 2)
        said = self.voice.speak(code, self.embedding.expand(len(code), -1))[1]
        return ((said - self.mean) / self.deviation).clamp(LOWEST, HIGHEST)


def _check(kind: str) -> None:
    if kind not in FEATURES:
        raise InputError(f"There are no speech features called {kind!r}.", f"Use {', '.join(FEATURES)}.")
