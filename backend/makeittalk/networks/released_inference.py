"""Runs the released networks over recordings of any length: NumPy in, NumPy out, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ..audio.pitch_classes import PITCH_CLASSES, pitch_classes
from ..audio.windows import OverlapAdd
from ..exchange.constants import CANONICAL_JAW, CONTENT_WINDOW, LANDMARKS, MEL_BANDS
from ..exchange.progress import Progress, part, silent
from ..landmarks.smoothstep import smoothstep
from .content import COORDINATES
from .content_inference import content_displacement
from .released import ReleasedContent, ReleasedSpeaker, ReleasedVoice
from .speech import Speech

_CONVERTED = 4096  # frames, 65 s: up to so many are converted as one, as their normalisation is over all of them
_CONVERTED_SEAM = 256  # frames over which a longer recording's parts pass into one another
_CONVERTED_TOGETHER = 4  # parts, which take a quarter of a gigabyte
_SEEN_SEAM = 128  # frames, 2 s: the same of what sees each other in the speaker branch
_SEEN_TOGETHER = 8
_READ_TOGETHER = 1024  # windows of 18 frames


@dataclass(frozen=True)
class ReleasedStatistics:
    """What the released networks are told beside their tensors.

    Attributes:
        band_mean, band_std: (80,), of the converted mel. target_embedding: (256,), the voice it is converted to.
        mean_face: (68, 3), whose depth a face is given and whose axes the networks' faces have.
    """

    band_mean: np.ndarray
    band_std: np.ndarray
    target_embedding: np.ndarray
    mean_face: np.ndarray

    def axes(self) -> np.ndarray:
        """Which way x, y and z run, (3,) of ±1: 1 where to the right, down and away as in this project's frame."""
        face = self.mean_face
        right = face[16, 0] - face[0, 0]
        down = face[8, 1] - face[27, 1]
        away = (face[0, 2] + face[16, 2]) / 2 - face[30, 2]
        return np.where(np.array([right, down, away]) < 0, -1.0, 1.0)

    def face(self, canonical: np.ndarray) -> np.ndarray:
        """A face as the networks are given it: jaw ends 1.6 apart, centred between them, the mean face's depth.

        Args:
            canonical: (68, 3) at rest, in this project's canonical frame.

        Returns:
            (68, 3) float32.
        """
        mean = self.mean_face
        scale = CANONICAL_JAW / float(np.linalg.norm(mean[16] - mean[0]))
        depth = scale * (mean[:, 2] - (mean[0, 2] + mean[16, 2]) / 2)
        return np.column_stack([canonical[:, :2] * self.axes()[:2], depth]).astype(np.float32)


@dataclass(frozen=True)
class ReleasedSet:
    """The released networks that move a face, in eval mode on one device, and their statistics."""

    voice: ReleasedVoice
    content: ReleasedContent
    speaker: ReleasedSpeaker
    statistics: ReleasedStatistics


def released_features(models: ReleasedSet, speech: Speech, progress: Progress = silent) -> np.ndarray:
    """What both branches read: the recording's mel said by the target voice, each band in its own deviations.

    Returns:
        (T, 80) float32.
    """
    statistics = models.statistics
    pitch = np.zeros(len(speech.mel)) if speech.pitch is None else speech.pitch
    said = convert_mel(models.voice, speech.mel, speech.embedding, pitch, statistics.target_embedding, progress)
    return ((said - statistics.band_mean) / statistics.band_std).astype(np.float32)


def convert_mel(
    voice: ReleasedVoice,
    mel: np.ndarray,
    source: np.ndarray,
    pitch: np.ndarray,
    target: np.ndarray,
    progress: Progress = silent,
) -> np.ndarray:
    """A recording's mel, said by another voice.

    Args:
        mel: (T, 80), S of the recording. source, target: (256,), who speaks and who shall.
        pitch: (T,) F0 in Hz, 0 where there is none.

    Returns:
        (T, 80) float32, after the postnet.
    """
    if not len(mel):
        return np.zeros((0, MEL_BANDS), np.float32)
    device = next(voice.parameters()).device
    # The whole speaker's height, not that of each part.
    classes = torch.from_numpy(pitch_classes(pitch))
    voices = [torch.as_tensor(np.asarray(who, np.float32), device=device)[None] for who in (source, target)]

    def convert(frames: np.ndarray) -> Tensor:
        heard = torch.from_numpy(np.asarray(mel, np.float32)[frames]).to(device)
        heights = one_hot(classes[torch.from_numpy(frames)].to(device), PITCH_CLASSES).float()
        said: Tensor = voice(heard, voices[0].expand(len(frames), -1), heights, voices[1].expand(len(frames), -1))
        return said

    answer = np.zeros((len(mel), MEL_BANDS), np.float32)
    return _joined(answer, _CONVERTED, _CONVERTED_SEAM, _CONVERTED_TOGETHER, convert, progress, "Converting the voice")


def released_content(
    content: ReleasedContent, features: np.ndarray, face: np.ndarray, progress: Progress = silent
) -> np.ndarray:
    """How lips and jaw move, in the networks' frame.

    Args:
        features: (T, 80), `released_features`. face: (68, 3), `ReleasedStatistics.face`.

    Returns:
        (T, 68, 3) float32, displacement from the face.
    """
    return content_displacement(content.branch, features, face, progress)


def released_speaker(
    speaker: ReleasedSpeaker, features: np.ndarray, embedding: np.ndarray, progress: Progress = silent
) -> np.ndarray:
    """How a voice moves a whole head, in the networks' frame; the noise is zero.

    Frames see each other in windows of at most 512, which pass into one another.

    Args:
        features: (T, 80), `released_features`. embedding: (256,), the voice whose manner it is.

    Returns:
        (T, 68, 3) float32, displacement.
    """
    branch, frames = speaker.branch, len(features)
    if not frames:
        return np.zeros((0, LANDMARKS, 3), np.float32)
    device = next(branch.parameters()).device
    states = torch.empty((frames, branch.config.hidden), device=device)
    with torch.inference_mode():
        for start, windows in _read_windows(features):
            states[start : start + len(windows)] = branch.lstm(windows.to(device))[0][:, -1]
            progress(0.7 * (start + len(windows)) / frames, "Moving the head")
    voice = torch.as_tensor(np.asarray(embedding, np.float32), device=device)[None]
    still = torch.zeros((1, COORDINATES), device=device)  # which this branch does not read

    def move(chosen: np.ndarray) -> Tensor:
        return branch.answer(states[torch.from_numpy(chosen).to(device)], voice.expand(len(chosen), -1), still)

    answer = np.zeros((frames, COORDINATES), np.float32)
    share = part(progress, 0.7, 1.0)
    size = branch.config.attention
    return _joined(answer, size, _SEEN_SEAM, _SEEN_TOGETHER, move, share, "Moving the head").reshape(-1, LANDMARKS, 3)


def _read_windows(features: np.ndarray) -> Iterator[tuple[int, Tensor]]:
    """The first frame of each batch of windows (n, 18, 80), the last frame repeated behind the end."""
    padded = np.concatenate([features, features[-1:].repeat(CONTENT_WINDOW - 1, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, CONTENT_WINDOW, axis=0).transpose(0, 2, 1)
    for start in range(0, len(features), _READ_TOGETHER):
        yield start, torch.from_numpy(windows[start : start + _READ_TOGETHER].copy())


def _joined(
    answer: np.ndarray,
    longest: int,
    seam: int,
    together: int,
    run: Callable[[np.ndarray], Tensor],
    progress: Progress,
    stage: str,
) -> np.ndarray:
    """What a network answers for a recording in windows of one length, each passing into the next.

    Args:
        answer: (T, C) of zeros, which is filled. longest: frames of a window at most. seam: frames that two share.
        together: windows at once. run: takes the numbers of the frames of windows (B, n) → (B, n, C).

    Returns:
        `answer`.
    """
    frames = len(answer)
    count = max(1, -(-(frames - seam) // (longest - seam)))
    size = -(-(frames + (count - 1) * seam) // count)  # none is much shorter than the others, which would tell
    starts = np.arange(count) * (size - seam)
    filled = np.zeros((starts[-1] + size, answer.shape[1]), answer.dtype) if count > 1 else answer
    joined = OverlapAdd(filled, smoothstep((np.arange(seam, dtype=np.float32) + 0.5) / seam).astype(np.float32))
    with torch.inference_mode():
        for index in range(0, count, together):
            chosen = starts[index : index + together]
            numbers = np.minimum(chosen[:, None] + np.arange(size), frames - 1)
            found = run(numbers).float().cpu().numpy()
            for start, window in zip(chosen.tolist(), found, strict=True):
                joined.add(start, window, start == starts[-1])
            progress(min(1.0, (index + len(chosen)) / count), stage)
    answer[:] = filled[:frames]
    return answer
