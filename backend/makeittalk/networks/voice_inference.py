"""Runs voice conversion over recordings of any length in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..audio.embedding import speaker_embedding
from ..audio.loading import Audio, normalise_loudness
from ..audio.mel import mel_spectrogram
from ..audio.vocoder import waveform
from ..audio.windows import context_windows
from ..exchange.constants import EMBEDDING, MEL_BANDS
from ..exchange.errors import InputError
from ..exchange.progress import Progress, part, silent
from ..weights.cache import kept_loaded
from ..weights.store import network_weights, save_weights
from .normalised_mel import VoiceAverage, normalise_mel
from .voice import VoiceConfig, VoiceConversion

DEFAULT_VOICE = "voice"
_CHUNK = 2048  # frames encoded or said at once
_CONTEXT = 256  # frames heard on either side: what the LSTM has forgotten by then no longer shows


@dataclass(frozen=True)
class TargetVoice:
    """The one voice that recordings are converted to for the landmark branches.

    Attributes:
        embedding: (256,), who it is. average: how it sounds, so that its mels need no statistics of their own.
    """

    embedding: np.ndarray
    average: VoiceAverage


@dataclass(frozen=True)
class VoiceModel:
    """Voice conversion ready to run.

    Attributes:
        network: in eval mode. average: the voice that its features are measured against.
        target: the voice it converts to for the landmark branches.
    """

    network: VoiceConversion
    average: VoiceAverage
    target: TargetVoice


def encode(voice: VoiceConversion, features: np.ndarray, embedding: np.ndarray, block: int = 0) -> np.ndarray:
    """The code A of a recording.

    Args:
        voice: in eval mode. features: (T, 80), features.normalise_mel. embedding: (256,), who speaks; all zero where
            nobody knows. block: frames a code, 0 for the network's own.

    Returns:
        (T, 2·units) float32.
    """
    device, block = voice.mean.device, block or voice.config.block
    chunk, context = max(1, _CHUNK // block) * block, -(-_CONTEXT // block) * block
    speaker = torch.as_tensor(np.asarray(embedding, np.float32), device=device)[None]

    def run(piece: np.ndarray) -> np.ndarray:
        return voice.encoder(torch.from_numpy(piece).to(device)[None], speaker, block)[0].float().cpu().numpy()

    with torch.inference_mode():
        return context_windows(features, chunk, context, run, np.zeros((len(features), voice.config.code), np.float32))


def convert(voice: VoiceConversion, code: np.ndarray, embedding: np.ndarray) -> np.ndarray:
    """What the code says, in a voice.

    Args:
        voice: in eval mode. code: (T, 2·units). embedding: (256,), who shall speak.

    Returns:
        (T, 80) float32, the mel S after the postnet.
    """
    device = voice.mean.device
    rough = np.zeros((len(code), MEL_BANDS), np.float32)
    speaker = torch.as_tensor(np.asarray(embedding, np.float32), device=device)[None]

    def sharpen(piece: np.ndarray) -> np.ndarray:
        mel = torch.from_numpy(piece).to(device)[None]
        return ((mel + voice.postnet(mel))[0] * voice.deviation + voice.mean).float().cpu().numpy()

    state = None
    with torch.inference_mode():
        for start in range(0, len(code), _CHUNK):
            piece = torch.from_numpy(np.ascontiguousarray(code[start : start + _CHUNK], np.float32)).to(device)
            said, state = voice.decoder(piece[None], speaker, None, state)
            rough[start : start + _CHUNK] = said[0].float().cpu().numpy()
        return context_windows(rough, _CHUNK, voice.postnet.reach, sharpen, np.zeros_like(rough))


def convert_voice(
    audio: Audio, other: Audio, device: str = "cpu", weights: str = DEFAULT_VOICE, progress: Progress = silent
) -> np.ndarray:
    """A recording, said with the voice of another.

    Args:
        audio: what is said. other: who shall say it.
        device: "cpu", "cuda" or "mps". weights: of voice conversion, a listed set or a path.
        progress: told the done fraction.

    Returns:
        (n,) float32 at 16 kHz, as long as `audio`, speech at the networks' −20 dBFS.

    Raises:
        InputError: there is too little speech in `other`. MissingError, InputError: the weights or Resemblyzer are
            missing or damaged.
    """
    model = load_voice(weights, device)
    progress(0.1, "Listening to the voices")
    target = speaker_embedding(other.samples)
    if not target.any():
        raise InputError(
            "The recording of the other voice holds too little speech to know the voice.",
            "Use one with at least a few seconds of speech.",
        )
    source = speaker_embedding(audio.samples)
    features = normalise_mel(mel_spectrogram(normalise_loudness(audio.samples)), model.average)
    progress(0.3, "Converting the voice")
    sound = waveform(convert(model.network, encode(model.network, features, source), target), part(progress, 0.4, 1.0))
    if source.any():  # an average of spectra is fainter than each of them; what holds no speech stays as faint as it is
        sound = normalise_loudness(sound)
    return np.pad(sound, (0, max(0, len(audio.samples) - len(sound))))[: len(audio.samples)]


def save_voice(path: str | Path, model: VoiceModel, notes: Mapping[str, Any]) -> None:
    """Writes a voice conversion with everything that is needed to use it.

    Raises:
        OutputError: it cannot be written.
    """
    data = {
        "config": model.network.config.to_dict(),
        "average": model.average.to_dict(),
        "target": {
            "embedding": [round(float(value), 5) for value in model.target.embedding],
            "average": model.target.average.to_dict(),
        },
    }
    save_weights(path, "voice", model.network, data, notes)


def read_voice(name: str = DEFAULT_VOICE) -> VoiceModel:
    """Voice conversion with its weights on the CPU, the caller's own: `load_voice` gives the one that all share.

    Args:
        name: a listed set of weights, or a path to a .safetensors file of one's own training.

    Raises:
        MissingError: no such weights. InputError: they are damaged or of another kind.
    """
    with network_weights(name, "voice") as weights:
        config = VoiceConfig.from_dict(weights.data["config"])
        embedding = np.array(weights.data["target"]["embedding"], np.float32)
        if embedding.shape != (EMBEDDING,):
            raise ValueError("not an embedding")
        average = VoiceAverage.from_dict(weights.data["average"])
        target = TargetVoice(embedding, VoiceAverage.from_dict(weights.data["target"]["average"]))
        network = weights.fill(lambda: VoiceConversion(config))
    return VoiceModel(network, average, target)


@kept_loaded
def load_voice(name: str = DEFAULT_VOICE, device: str = "cpu") -> VoiceModel:
    """Voice conversion with its weights on a device, shared by all callers.

    Args:
        name: as in `read_voice`. device: "cpu", "cuda" or "mps".

    Raises:
        MissingError: no such weights. InputError: they are damaged or of another kind.
    """
    model = read_voice(name)
    return VoiceModel(model.network.to(device), model.average, model.target)
