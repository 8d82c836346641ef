"""Runs voice conversion over recordings of any length in bounded memory, and keeps it on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from ..audio.embedding import speaker_embedding
from ..audio.loading import Audio, normalise_loudness
from ..audio.mel import mel_spectrogram
from ..audio.vocoder import waveform
from ..exchange import storage
from ..exchange.constants import EMBEDDING, MEL_BANDS
from ..exchange.errors import InputError
from ..exchange.progress import Progress, part, silent
from ..weights.store import half_precision, load_tensors
from .normalised_mel import VoiceAverage, normalise_mel
from .voice import VoiceConfig, VoiceConversion

_CHUNK = 2048  # frames encoded or said at once
_CONTEXT = 256  # frames heard on either side: what the LSTM has forgotten by then no longer shows


@dataclass(frozen=True)
class Target:
    """The one voice that recordings are converted to for the landmark branches.

    Attributes:
        embedding: (256,), who it is. average: how it sounds, so that its mels need no statistics of their own.
    """

    embedding: np.ndarray
    average: VoiceAverage


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
    answer = np.zeros((len(features), voice.config.code), np.float32)
    speaker = torch.as_tensor(np.asarray(embedding, np.float32), device=device)[None]
    with torch.inference_mode():
        for start in range(0, len(features), chunk):
            stop = min(len(features), start + chunk)
            begin = max(0, start - context)
            piece = np.ascontiguousarray(features[begin : stop + context], np.float32)
            code = voice.encoder(torch.from_numpy(piece).to(device)[None], speaker, block)
            answer[start:stop] = code[0, start - begin : stop - begin].float().cpu().numpy()
    return answer


def convert(voice: VoiceConversion, code: np.ndarray, embedding: np.ndarray) -> np.ndarray:
    """What the code says, in a voice.

    Args:
        voice: in eval mode. code: (T, 2·units). embedding: (256,), who shall speak.

    Returns:
        (T, 80) float32, the mel S after the postnet.
    """
    device, reach = voice.mean.device, voice.postnet.reach
    rough = np.zeros((len(code), MEL_BANDS), np.float32)
    answer = np.zeros_like(rough)
    speaker = torch.as_tensor(np.asarray(embedding, np.float32), device=device)[None]
    state = None
    with torch.inference_mode():
        for start in range(0, len(code), _CHUNK):
            piece = torch.from_numpy(np.ascontiguousarray(code[start : start + _CHUNK], np.float32)).to(device)
            said, state = voice.decoder(piece[None], speaker, None, state)
            rough[start : start + _CHUNK] = said[0].float().cpu().numpy()
        for start in range(0, len(code), _CHUNK):
            stop, begin = min(len(code), start + _CHUNK), max(0, start - reach)
            piece = torch.from_numpy(rough[begin : stop + reach]).to(device)[None]
            fine = (piece + voice.postnet(piece))[0] * voice.deviation + voice.mean
            answer[start:stop] = fine[start - begin : stop - begin].float().cpu().numpy()
    return answer


def say_as(
    audio: Audio, other: Audio, device: str = "cpu", weights: str = "voice", progress: Progress = silent
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
    voice, average, _ = load_voice(weights, device)
    progress(0.1, "Listening to the voices")
    target = speaker_embedding(other.samples)
    if not target.any():
        raise InputError(
            "The recording of the other voice holds too little speech to know the voice.",
            "Use one with at least a few seconds of speech.",
        )
    source = speaker_embedding(audio.samples)
    features = normalise_mel(mel_spectrogram(normalise_loudness(audio.samples)), average)
    progress(0.3, "Converting the voice")
    sound = waveform(convert(voice, encode(voice, features, source), target), part(progress, 0.4, 1.0))
    if source.any():  # an average of spectra is fainter than each of them; what holds no speech stays as faint as it is
        sound = normalise_loudness(sound)
    return np.pad(sound, (0, max(0, len(audio.samples) - len(sound))))[: len(audio.samples)]


def save_voice(
    path: str | Path, voice: VoiceConversion, average: VoiceAverage, target: Target, notes: Mapping[str, Any]
) -> None:
    """Writes a voice conversion in half precision with everything that is needed to use it.

    Raises:
        OutputError: it cannot be written.
    """
    data = {
        "config": voice.config.to_dict(),
        "average": average.to_dict(),
        "target": {
            "embedding": [round(float(value), 5) for value in target.embedding],
            "average": target.average.to_dict(),
        },
    }
    meta = {"format": "1", "kind": "voice", "data": json.dumps(data), "notes": json.dumps(dict(notes))}
    with storage.replacing(path) as temporary:
        save_file(half_precision(voice), temporary, meta)


@lru_cache(maxsize=2)
def load_voice(name: str = "voice", device: str = "cpu") -> tuple[VoiceConversion, VoiceAverage, Target]:
    """Voice conversion with its weights, in eval mode; the average voice its features are measured against; the
    voice it converts to for the landmark branches.

    Args:
        name: a listed set of weights, or a path to a .safetensors file of one's own training.
        device: "cpu", "cuda" or "mps".

    Raises:
        MissingError, InputError: the weights are missing, damaged or of another kind.
    """
    tensors, data = load_tensors(name)
    try:
        voice = VoiceConversion(VoiceConfig.from_dict(data["config"]))
        voice.load_state_dict({key: value.float() for key, value in tensors.items()})
        embedding = np.array(data["target"]["embedding"], np.float32)
        if embedding.shape != (EMBEDDING,):
            raise ValueError("not an embedding")
        average = VoiceAverage.from_dict(data["average"])
        target = Target(embedding, VoiceAverage.from_dict(data["target"]["average"]))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} does not hold weights of voice conversion.", "Name other weights.") from error
    return voice.to(device).eval(), average, target
