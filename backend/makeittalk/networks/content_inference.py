"""Runs the landmark branches over recordings of any length in bounded memory."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from ..exchange.constants import EMBEDDING, LANDMARKS
from ..exchange.progress import Progress, silent
from ..weights.store import load_content
from .content import ContentBranch
from .normalised_mel import VoiceAverage, normalise_mel
from .speech_features import hear

_BLOCK = 256  # frames of an answer
_HISTORY = 160  # frames heard before a block, so that it knows what the whole recording would have told it
_SEAM = 8  # frames over which one block passes into the next
_BLOCKS = 16  # blocks at once
_WINDOWS = 1024  # windows at once


def predict_content(
    mel: np.ndarray,
    canonical_shut_neutral: np.ndarray,
    device: str = "cpu",
    progress: Progress = silent,
    weights: str | None = None,
    embedding: np.ndarray | None = None,
    voice: str = "voice",
) -> np.ndarray:
    """How lips and jaw move with a recording.

    Args:
        mel: (T, 80) of the loudness-normalised recording (audio.mel), any length.
        canonical_shut_neutral: (68, 3), the face at rest with its lips shut, canonical frame.
        device: "cpu", "cuda" or "mps".
        progress: told after every batch; may raise Cancelled.
        weights: name of a set of content weights, None for the default.
        embedding: (256,) of who speaks, None where nobody knows; a branch that hears the mel has no use for it.
        voice: weights of voice conversion, for a branch that hears its code or its mel.

    Returns:
        (T, 68, 3) float32, canonical displacement from the shut face; zero is the mouth at rest. Brows and eyes
        stay still.

    Raises:
        MissingError, InputError: the weights are missing or damaged.
    """
    branch, average, kind = _loaded(weights, device)
    if not len(mel):
        return np.zeros((0, LANDMARKS, 3), np.float32)
    who = np.zeros(EMBEDDING, np.float32) if embedding is None else embedding
    heard = hear(kind, mel, who, average, device, voice)
    return move(branch, heard, canonical_shut_neutral, progress)


@lru_cache(maxsize=2)
def _loaded(weights: str | None, device: str) -> tuple[ContentBranch, VoiceAverage, str]:
    branch, meta = load_content(weights, device)
    return branch, meta["average"], meta["features"]


def displacements(
    branch: ContentBranch,
    average: VoiceAverage,
    mel: np.ndarray,
    face: np.ndarray,
    progress: Progress = silent,
) -> np.ndarray:
    """`predict_content` with a given branch in eval mode that hears the mel: (T, 68, 3) float32."""
    return move(branch, normalise_mel(mel, average) if len(mel) else mel, face, progress)


def move(branch: ContentBranch, features: np.ndarray, face: np.ndarray, progress: Progress = silent) -> np.ndarray:
    """What a branch in eval mode makes of features (T, inputs) of any kind: (T, 68, 3) float32."""
    if not len(features):
        return np.zeros((0, LANDMARKS, 3), np.float32)
    device = next(branch.parameters()).device
    rest = torch.as_tensor(np.asarray(face, np.float32).reshape(1, -1), device=device)
    run = _stream if branch.config.streaming else _slide
    with torch.inference_mode():
        answer = run(branch, features, rest, progress)
    return answer.reshape(len(features), LANDMARKS, 3)


def _slide(branch: ContentBranch, features: np.ndarray, face: torch.Tensor, progress: Progress) -> np.ndarray:
    """The paper's way: the LSTM reads each frame's window from a blank state."""
    size, frames = branch.config.window, len(features)
    padded = np.concatenate([features, features[-1:].repeat(size - 1, 0)])
    parts = []
    for start in range(0, frames, _WINDOWS):
        stop = min(frames, start + _WINDOWS)
        view = np.lib.stride_tricks.sliding_window_view(padded[start : stop + size - 1], size, axis=0)
        window = torch.from_numpy(view.transpose(0, 2, 1).copy()).to(face.device)
        parts.append(branch.answer(branch.read(window), face.expand(stop - start, -1)).float().cpu().numpy())
        progress(stop / frames, "Moving the lips")
    return np.concatenate(parts)


def _stream(branch: ContentBranch, features: np.ndarray, face: torch.Tensor, progress: Progress) -> np.ndarray:
    """Overlapping blocks side by side: each hears some history first, and passes into the next over a few frames."""
    frames, ahead = len(features), branch.config.window - 1
    span = _HISTORY + _BLOCK + _SEAM
    first = min(_HISTORY + _BLOCK, frames)  # the head of the recording has no history and is read on its own
    starts = list(range(first, frames, _BLOCK))
    total = first + len(starts) * _BLOCK + _SEAM + ahead
    padded = np.concatenate([features, features[-1:].repeat(max(0, total - frames), 0)])
    answer = np.zeros((first + len(starts) * _BLOCK + _SEAM, LANDMARKS * 3), np.float32)
    fade = ((np.arange(_SEAM, dtype=np.float32) + 0.5) / _SEAM)[:, None]

    def place(start: int, block: np.ndarray) -> None:
        if start:
            seam = slice(start, start + _SEAM)
            block[:_SEAM] = (1.0 - fade) * answer[seam] + fade * block[:_SEAM]
        answer[start : start + len(block)] = block

    head = torch.from_numpy(padded[None, : first + _SEAM + ahead]).to(face.device)
    place(0, branch(head, face)[0, : first + _SEAM].float().cpu().numpy())
    for index in range(0, len(starts), _BLOCKS):
        chosen = starts[index : index + _BLOCKS]
        heard = np.stack([padded[s - _HISTORY : s + _BLOCK + _SEAM + ahead] for s in chosen])
        block = branch(torch.from_numpy(heard).to(face.device), face.expand(len(chosen), -1))
        for start, part in zip(chosen, block[:, _HISTORY:span].float().cpu().numpy(), strict=True):
            place(start, part)
        progress(min(1.0, (chosen[-1] + _BLOCK) / frames), "Moving the lips")
    return answer[:frames]


def forget() -> None:
    """Drops the networks that were kept loaded."""
    _loaded.cache_clear()
