"""Runs the content branch over recordings of any length in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..audio.windows import OverlapAdd
from ..exchange.constants import LANDMARKS
from ..exchange.errors import InputError
from ..exchange.progress import Progress, silent
from ..weights.cache import kept_loaded
from ..weights.store import network_weights, save_weights
from .content import SPAN, ContentBranch, ContentConfig
from .normalised_mel import VoiceAverage
from .speech import Speech
from .speech_features import average_data, read_average, speech_features

DEFAULT_CONTENT = "content"
#: The shipped content weights, by what they hear: a key of `exchange.constants.LIP_FEATURES`.
CONTENT_WEIGHTS = {"whisper": DEFAULT_CONTENT, "autovc": "content_autovc"}
_BLOCK = 256  # frames of an answer
_HISTORY = 160  # frames read before a block, so that it knows what the whole recording would have told it
_SEAM = 8  # frames over which one block passes into the next
_BLOCKS = 16  # blocks at once
_BLEND = 62  # frames, at least, over which windows that are read both ways pass into one another: a second
_WINDOWS = 1024  # windows at once


@dataclass(frozen=True)
class ContentModel:
    """The content branch ready to run.

    Attributes:
        branch: in eval mode. average: the voice that its mels are measured against, None where it hears Whisper.
        features: what it reads, a kind of `speech_features`. notes: what its training wrote down.
    """

    branch: ContentBranch
    average: VoiceAverage | None
    features: str
    notes: Mapping[str, Any] = field(default_factory=dict)


def predict_content(
    speech: Speech,
    canonical_shut_neutral: np.ndarray,
    device: str = "cpu",
    progress: Progress = silent,
    weights: str | None = None,
    voice: str = "voice",
) -> np.ndarray:
    """How lips and jaw move with a recording.

    Args:
        speech: the recording, any length.
        canonical_shut_neutral: (68, 3), the face at rest with its lips shut, canonical frame.
        device: "cpu", "cuda" or "mps".
        progress: told after every batch; may raise Cancelled.
        weights: name of a set of content weights, None for the default.
        voice: weights of voice conversion, for a branch that reads its code or its mel.

    Returns:
        (T, 68, 3) float32, canonical displacement from the shut face; zero is the mouth at rest. Brows and eyes
        stay still.

    Raises:
        MissingError, InputError: the weights are missing or damaged.
    """
    model = load_content(weights or DEFAULT_CONTENT, device)
    if not len(speech.mel):
        return np.zeros((0, LANDMARKS, 3), np.float32)
    features = speech_features(model.features, speech, model.average, device, voice)
    return content_displacement(model.branch, features, canonical_shut_neutral, progress)


def content_weights(features: str) -> str:
    """The shipped content weights that hear so.

    Raises:
        InputError: there are none.
    """
    if features not in CONTENT_WEIGHTS:
        raise InputError(f"Lips cannot be predicted from {features!r}.", f"Use {' or '.join(CONTENT_WEIGHTS)}.")
    return CONTENT_WEIGHTS[features]


def content_displacement(
    branch: ContentBranch, features: np.ndarray, face: np.ndarray, progress: Progress = silent
) -> np.ndarray:
    """`predict_content` with a given branch in eval mode and features (T, inputs): (T, 68, 3) float32."""
    if not len(features):
        return np.zeros((0, LANDMARKS, 3), np.float32)
    device = next(branch.parameters()).device
    rest = torch.as_tensor(np.asarray(face, np.float32).reshape(1, -1), device=device)
    config = branch.config
    run = _both_ways if config.bidirectional else _stream if config.streaming else _slide
    with torch.inference_mode():
        answer = run(branch, features, rest, progress)
    return answer.reshape(len(features), LANDMARKS, 3)


def _slide(branch: ContentBranch, features: np.ndarray, face: torch.Tensor, progress: Progress) -> np.ndarray:
    """The paper's way: the LSTM reads each frame's window from a blank state."""
    size, frames = branch.config.window, len(features)
    padded = np.concatenate([features, features[-1:].repeat(size - 1, 0)])
    answer = np.empty((frames, LANDMARKS * 3), np.float32)
    for start in range(0, frames, _WINDOWS):
        stop = min(frames, start + _WINDOWS)
        view = np.lib.stride_tricks.sliding_window_view(padded[start : stop + size - 1], size, axis=0)
        window = torch.from_numpy(view.transpose(0, 2, 1).copy()).to(face.device)
        moved = branch.answer(branch.read(window), face.expand(stop - start, -1))
        answer[start:stop] = moved.float().cpu().numpy()
        progress(stop / frames, "Moving the lips")
    return answer


def _both_ways(branch: ContentBranch, features: np.ndarray, face: torch.Tensor, progress: Progress) -> np.ndarray:
    """Windows of 6 s that pass into one another over a second."""
    frames, stride = len(features), branch.config.stride
    hop = (SPAN - _BLEND) // stride * stride  # the frames of a step are the same ones in every window
    blend = SPAN - hop
    starts = list(range(0, max(1, frames - blend), hop))
    answer = np.zeros((frames, LANDMARKS * 3), np.float32)
    joined = OverlapAdd(answer, (np.arange(blend, dtype=np.float32) + 0.5) / blend)
    whole = [start for start in starts if start + SPAN <= frames]
    batches = [whole[index : index + _BLOCKS] for index in range(0, len(whole), _BLOCKS)]
    for chosen in [*batches, starts[len(whole) :]]:  # the last one is shorter
        if not chosen:
            continue
        windows = np.stack([features[start : start + SPAN] for start in chosen]).astype(np.float32)
        moved = branch(torch.from_numpy(windows).to(face.device), face.expand(len(chosen), -1))
        for start, part in zip(chosen, moved.float().cpu().numpy(), strict=True):
            joined.add(start, part, start == starts[-1])
        progress(min(1.0, (chosen[-1] + SPAN) / frames), "Moving the lips")
    return answer


def _stream(branch: ContentBranch, features: np.ndarray, face: torch.Tensor, progress: Progress) -> np.ndarray:
    """Overlapping blocks side by side: each hears some history first, and passes into the next over a few frames."""
    frames, ahead = len(features), branch.config.window - 1
    span = _HISTORY + _BLOCK + _SEAM
    first = min(_HISTORY + _BLOCK, frames)  # the head of the recording has no history and is read on its own
    starts = list(range(first, frames, _BLOCK))
    total = first + len(starts) * _BLOCK + _SEAM + ahead
    padded = np.concatenate([features, features[-1:].repeat(max(0, total - frames), 0)])
    answer = np.zeros((first + len(starts) * _BLOCK + _SEAM, LANDMARKS * 3), np.float32)
    joined = OverlapAdd(answer, (np.arange(_SEAM, dtype=np.float32) + 0.5) / _SEAM)
    head = torch.from_numpy(padded[None, : first + _SEAM + ahead]).to(face.device)
    joined.add(0, branch(head, face)[0, : first + _SEAM].float().cpu().numpy(), not starts)
    for index in range(0, len(starts), _BLOCKS):
        chosen = starts[index : index + _BLOCKS]
        windows = np.stack([padded[s - _HISTORY : s + _BLOCK + _SEAM + ahead] for s in chosen])
        block = branch(torch.from_numpy(windows).to(face.device), face.expand(len(chosen), -1))
        for start, part in zip(chosen, block[:, _HISTORY:span].float().cpu().numpy(), strict=True):
            joined.add(start, part, start == starts[-1])
        progress(min(1.0, (chosen[-1] + _BLOCK) / frames), "Moving the lips")
    return answer[:frames]


def save_content(path: str | Path, model: ContentModel, notes: Mapping[str, Any]) -> None:
    """Writes a content branch with everything that is needed to use it.

    Raises:
        OutputError: it cannot be written.
    """
    data = {"config": model.branch.config.to_dict(), "features": model.features} | average_data(model.average)
    save_weights(path, "content", model.branch, data, notes)


@kept_loaded
def load_content(name: str = DEFAULT_CONTENT, device: str = "cpu") -> ContentModel:
    """The content branch with its weights.

    Args:
        name: a listed set, or a path to a .safetensors file of one's own training.
        device: "cpu", "cuda" or "mps".

    Raises:
        MissingError: no such weights. InputError: they are damaged or of another kind.
    """
    with network_weights(name, "content") as weights:
        config = ContentConfig.from_dict(weights.data["config"])
        features = str(weights.data["features"])
        average = read_average(weights.data, features)
        branch = weights.fill(lambda: ContentBranch(config))
    return ContentModel(branch.to(device), average, features, weights.notes)
