"""Runs the speaker branch over recordings of any length in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..audio.prosody import loudness_prosody
from ..audio.windows import OverlapAdd
from ..exchange.constants import LANDMARKS
from ..exchange.progress import Progress, silent
from ..weights.cache import kept_loaded
from ..weights.store import network_weights, save_weights
from .noise import noise_track
from .normalised_mel import VoiceAverage
from .speaker import SpeakerBranch, SpeakerConfig
from .speech import Speech
from .speech_features import average_data, read_average, speech_features

DEFAULT_SPEAKER = "speaker"
_HOP = 128  # frames from one window of attention to the next: every frame is seen by two
_WINDOWS = 16  # at once


@dataclass(frozen=True)
class SpeakerModel:
    """The speaker branch ready to run.

    Attributes:
        branch: in eval mode. average: the voice that its mels are measured against, None where it hears Whisper.
        features: what it reads beside the prosody, a kind of `speech_features`.
    """

    branch: SpeakerBranch
    average: VoiceAverage | None
    features: str


def speaker_features(
    kind: str, speech: Speech, average: VoiceAverage | None, device: str = "cpu", voice: str = "voice"
) -> np.ndarray:
    """What the branch reads: what is said, and beside it how, of which features of content are meant to know nothing.

    Args:
        kind: of `speech_features`. speech: the recording; without its prosody, the mel tells the loudness.
        average: of the branch's weights. voice: weights of voice conversion.

    Returns:
        (T, C), of the features' own precision.
    """
    prosody = loudness_prosody(speech.mel) if speech.prosody is None else speech.prosody
    features = speech_features(kind, speech, average, device, voice, nobody=True)
    return np.concatenate([features, prosody.astype(features.dtype)], axis=1)


def predict_speaker(
    speech: Speech,
    face: np.ndarray,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress = silent,
    weights: str = DEFAULT_SPEAKER,
) -> np.ndarray:
    """How head, brows and lids of a voice move with a recording.

    Args:
        speech: the recording; its `style_embedding` is the voice whose manner it is.
        face: (68, 3) at rest, canonical.
        seed: of the noise. device: "cpu", "cuda" or "mps". progress: told after every batch; may raise Cancelled.
        weights: a listed set, or a path to a .safetensors file of one's own training.

    Returns:
        (T, 68, 3) float32, Δp: canonical displacement from the face at rest, the head's motion included.

    Raises:
        MissingError, InputError: the weights are missing or damaged.
    """
    model = load_speaker(weights, device)
    features = speaker_features(model.features, speech, model.average, device)
    noise = noise_track(seed, len(features))
    answer = speaker_displacement(model.branch, features, speech.style_embedding, face, noise, progress)
    return answer.reshape(len(features), LANDMARKS, 3)


def speaker_displacement(
    branch: SpeakerBranch,
    features: np.ndarray,
    embedding: np.ndarray,
    face: np.ndarray,
    noise: np.ndarray,
    progress: Progress = silent,
) -> np.ndarray:
    """`predict_speaker` with a given branch in eval mode.

    Windows of attention overlap by half and are blended by raised cosines that sum to one, so that none shows.

    Args:
        features: (T, C). embedding: (256,). face: (68, 3). noise: (T, NOISE).

    Returns:
        (T, 204) float32.
    """
    frames, size = len(features), branch.config.attention
    if not frames:
        return np.zeros((0, LANDMARKS * 3), np.float32)
    hop = min(_HOP, size // 2)
    ahead = branch.config.window - 1 if branch.config.streaming else 0
    starts = list(range(0, max(1, frames - size + hop), hop))
    device = next(branch.parameters()).device
    voice = torch.as_tensor(np.asarray(embedding, np.float32), device=device)[None]
    rest = torch.as_tensor(np.asarray(face, np.float32).reshape(1, -1), device=device)
    answer = np.zeros((starts[-1] + size, LANDMARKS * 3), np.float32)
    overlap = size - hop
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(overlap, dtype=np.float32) + 0.5) / overlap)
    joined = OverlapAdd(answer, rise, rise[::-1])
    with torch.inference_mode():
        for index in range(0, len(starts), _WINDOWS):
            chosen = starts[index : index + _WINDOWS]
            # Behind the end the last frame is held, as in training.
            read = np.stack([features[np.minimum(np.arange(s, s + size + ahead), frames - 1)] for s in chosen])
            read = read.astype(np.float32)
            chance = np.stack([noise[np.minimum(np.arange(s, s + size), frames - 1)] for s in chosen])
            moved = branch(
                torch.from_numpy(read).to(device),
                voice.expand(len(chosen), -1),
                rest.expand(len(chosen), -1),
                torch.from_numpy(chance).to(device),
            )
            for start, part in zip(chosen, moved.float().cpu().numpy(), strict=True):
                joined.add(start, part, start == starts[-1])
            progress(min(1.0, (chosen[-1] + size) / frames), "Moving the head")
    return answer[:frames]


def save_speaker(path: str | Path, model: SpeakerModel, notes: Mapping[str, Any]) -> None:
    """Writes a speaker branch with everything that is needed to use it.

    Raises:
        OutputError: it cannot be written.
    """
    data = {"config": model.branch.config.to_dict(), "features": model.features} | average_data(model.average)
    save_weights(path, "speaker", model.branch, data, notes)


@kept_loaded
def load_speaker(name: str = DEFAULT_SPEAKER, device: str = "cpu") -> SpeakerModel:
    """The speaker branch with its weights.

    Args:
        name: a listed set, or a path to a .safetensors file. device: "cpu", "cuda" or "mps".

    Raises:
        MissingError: no such weights. InputError: they are damaged or of another kind.
    """
    with network_weights(name, "speaker") as weights:
        config = SpeakerConfig.from_dict(weights.data["config"])
        features = str(weights.data["features"])
        average = read_average(weights.data, features)
        branch = weights.fill(lambda: SpeakerBranch(config))
    return SpeakerModel(branch.to(device), average, features)
