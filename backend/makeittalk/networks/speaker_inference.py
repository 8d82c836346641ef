"""Runs the speaker branch over recordings of any length in bounded memory."""

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

from ..exchange import storage
from ..exchange.constants import EMBEDDING, LANDMARKS
from ..exchange.errors import InputError
from ..exchange.progress import Progress, silent
from ..weights.store import half_precision, load_tensors
from .noise import noise_track
from .normalised_mel import VoiceAverage
from .speaker import SpeakerBranch, SpeakerConfig
from .speech_features import hear

_HOP = 128  # frames from one window of attention to the next: every frame is seen by two
_WINDOWS = 16  # at once


@dataclass(frozen=True)
class Speaker:
    """The speaker branch and what it hears by: the average voice, and the kind of its features (networks.hearing)."""

    branch: SpeakerBranch
    average: VoiceAverage
    hears: str


def head_features(
    hears: str, mel: np.ndarray, prosody: np.ndarray, average: VoiceAverage, device: str = "cpu", voice: str = "voice"
) -> np.ndarray:
    """What the branch hears: what is said, and beside it how, of which A is meant to know nothing.

    Args:
        hears: a kind of networks.hearing. mel: (T, 80). prosody: (T, 3), audio.prosody. average: of the branch's
            weights. voice: weights of voice conversion.

    Returns:
        (T, C) float32.
    """
    heard = hear(hears, mel, np.zeros(EMBEDDING, np.float32), average, device, voice)
    return np.concatenate([heard, np.asarray(prosody, np.float32)], axis=1)


def predict_speaker(
    mel: np.ndarray,
    prosody: np.ndarray,
    embedding: np.ndarray,
    face: np.ndarray,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress = silent,
    weights: str = "speaker",
) -> np.ndarray:
    """How head, brows and lids of a voice move with a recording.

    Args:
        mel: (T, 80) of the loudness-normalised recording. prosody: (T, 3), audio.prosody.
        embedding: (256,), the voice whose manner it is. face: (68, 3) at rest, canonical.
        seed: of the noise. device: "cpu", "cuda" or "mps". progress: told after every batch; may raise Cancelled.
        weights: a listed set, or a path to a .safetensors file of one's own training.

    Returns:
        (T, 68, 3) float32, Δp: canonical displacement from the face at rest, the head's motion included.

    Raises:
        MissingError, InputError: the weights are missing or damaged.
    """
    speaker = load_speaker(weights, device)
    features = head_features(speaker.hears, mel, prosody, speaker.average, device)
    answer = predict_displacement(speaker.branch, features, embedding, face, noise_track(seed, len(mel)), progress)
    return answer.reshape(len(mel), LANDMARKS, 3)


def predict_displacement(
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
    with torch.inference_mode():
        for index in range(0, len(starts), _WINDOWS):
            chosen = starts[index : index + _WINDOWS]
            # Behind the end the last frame is held, as in training.
            heard = np.stack([features[np.minimum(np.arange(s, s + size + ahead), frames - 1)] for s in chosen])
            chance = np.stack([noise[np.minimum(np.arange(s, s + size), frames - 1)] for s in chosen])
            moved = branch(
                torch.from_numpy(heard).to(device),
                voice.expand(len(chosen), -1),
                rest.expand(len(chosen), -1),
                torch.from_numpy(chance).to(device),
            )
            for start, part in zip(chosen, moved.float().cpu().numpy(), strict=True):
                answer[start : start + size] += part * _weight(size, hop, start > 0, start < starts[-1])
            progress(min(1.0, (chosen[-1] + size) / frames), "Moving the head")
    return answer[:frames]


def _weight(size: int, hop: int, before: bool, behind: bool) -> np.ndarray:
    """Weight of each frame of a window that overlaps its neighbours by size − hop frames, (size, 1)."""
    weight = np.ones(size, np.float32)
    fade = 0.5 - 0.5 * np.cos(np.pi * (np.arange(size - hop, dtype=np.float32) + 0.5) / (size - hop))
    if before:
        weight[: size - hop] = fade
    if behind:
        weight[hop:] = fade[::-1]
    return weight[:, None]


def save_speaker(path: str | Path, speaker: Speaker, notes: Mapping[str, Any]) -> None:
    """Writes a speaker branch in half precision with everything that is needed to use it.

    Raises:
        OutputError: it cannot be written.
    """
    data = {
        "config": speaker.branch.config.to_dict(),
        "average": speaker.average.to_dict(),
        "hears": speaker.hears,
    }
    meta = {"format": "1", "kind": "speaker", "data": json.dumps(data), "notes": json.dumps(dict(notes))}
    with storage.replacing(path) as temporary:
        save_file(half_precision(speaker.branch), temporary, meta)


@lru_cache(maxsize=2)
def load_speaker(name: str = "speaker", device: str = "cpu") -> Speaker:
    """The speaker branch with its weights, in eval mode, float32.

    Args:
        name: a listed set, or a path to a .safetensors file. device: "cpu", "cuda" or "mps".

    Raises:
        MissingError: no such weights. InputError: they are damaged or of another kind.
    """
    tensors, data = load_tensors(name)
    try:
        branch = SpeakerBranch(SpeakerConfig.from_dict(data["config"]))
        branch.load_state_dict({key: value.float() for key, value in tensors.items()})
        average = VoiceAverage.from_dict(data["average"])
        hears = str(data["hears"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{name} does not hold weights of a speaker branch.", "Install MakeItTalk again, or name other weights."
        ) from error
    return Speaker(branch.to(device).eval(), average, hears)


def forget() -> None:
    """Drops the branch that was kept loaded."""
    load_speaker.cache_clear()
