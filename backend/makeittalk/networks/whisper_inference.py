"""Runs Whisper's encoder over recordings of any length in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..audio.windows import OverlapAdd
from ..exchange.constants import FRAME_RATE, MEL_HOP, SAMPLE_RATE
from ..exchange.progress import Progress, silent
from ..weights.cache import kept_loaded
from ..weights.store import network_weights, save_weights
from .whisper import STRIDE, WhisperConfig, WhisperEncoder

DEFAULT_WHISPER = "whisper"
WIDTH = WhisperConfig.width
_RATE = SAMPLE_RATE / STRIDE  # 50 frames/s
_WINDOW = WhisperConfig.positions  # frames: 6 s
_SEAM = 50  # frames over which one window passes into the next
_WINDOWS = 2  # at once: no faster with more, and what they take in between stays with the process
_LIMIT = 10.0  # standard deviations: a few channels of Whisper's leap now and then


def hear_whisper(
    samples: np.ndarray, device: str = "cpu", progress: Progress = silent, weights: str = DEFAULT_WHISPER
) -> np.ndarray:
    """What Whisper's encoder hears of a recording.

    The same sound is heard alike at any place of any recording but for the seams of the windows, which lie at fixed
    times: what comes later changes nothing that is 6 s old.

    Args:
        samples: (n,) mono at 16 kHz, loudness normalised. device: "cpu", "cuda" or "mps".
        progress: told after every batch; may raise Cancelled. weights: a listed set, or a path.

    Returns:
        (1 + n // 256, WIDTH) float16 at 62.5 frames/s, standardised: about 0 ± 1.

    Raises:
        MissingError, InputError: the weights are missing or damaged.
    """
    encoder = load_whisper(weights, device)
    answer = np.empty((1 + len(samples) // MEL_HOP, WIDTH), np.float16)
    done = 0
    for start, frames in _blended(encoder, np.asarray(samples, np.float32), device, progress):
        # Whatever lies before the last of these frames can be read between them.
        last = start + len(frames) - 1
        stop = min(len(answer), 1 + int(last * FRAME_RATE / _RATE))
        position = np.arange(done, stop) * (_RATE / FRAME_RATE) - start
        answer[done:stop] = _between(frames, position)
        done = stop
    answer[done:] = answer[done - 1] if done else 0.0
    return answer


def _blended(
    encoder: WhisperEncoder, samples: np.ndarray, device: str, progress: Progress
) -> Iterator[tuple[int, np.ndarray]]:
    """Stretches of the answer at 50 frames/s with the frame they begin at; each begins with the last one's end."""
    count = max(1, -(-len(samples) // STRIDE))
    hop = _WINDOW - _SEAM
    starts = list(range(0, max(1, count - _SEAM), hop))
    rise = (np.arange(_SEAM, dtype=np.float32) + 0.5) / _SEAM
    left = np.zeros((0, WIDTH), np.float32)  # the end of the last window, falling
    last = left
    for index in range(0, len(starts), _WINDOWS):
        chosen = starts[index : index + _WINDOWS]
        stop = min(count, chosen[-1] + _WINDOW)
        joined = np.zeros((stop - chosen[0], WIDTH), np.float32)
        joined[: len(left)] = left
        blend = OverlapAdd(joined, rise)
        for start, heard in zip(chosen, _windows(encoder, samples, chosen, count, device), strict=True):
            if start and start == chosen[0]:  # the window before rises into it, although it stands in another batch
                heard[:_SEAM] *= rise[:, None]
            blend.add(start - chosen[0], heard, start == starts[-1])
        keep = len(joined) if chosen[-1] == starts[-1] else len(joined) - _SEAM
        yield chosen[0] - len(last), np.concatenate([last, joined[:keep]])
        left, last = joined[keep:], joined[keep - 1 : keep]
        progress(stop / count, "Listening")


def _windows(
    encoder: WhisperEncoder, samples: np.ndarray, starts: list[int], count: int, device: str
) -> Iterator[np.ndarray]:
    """What is heard in the windows that begin at these frames, each (n, C); a last one that is shorter by itself."""
    full = [start for start in starts if start + _WINDOW <= count]
    pieces = [samples[start * STRIDE : (start + _WINDOW) * STRIDE] for start in full]
    batches = [_whole(np.stack([_padded(piece, _WINDOW) for piece in pieces]))] if pieces else []
    batches += [_whole(_padded(samples[s * STRIDE :], count - s)[None]) for s in starts[len(full) :]]
    for batch in batches:
        with torch.inference_mode():
            heard = encoder(batch.to(device)).clamp(-_LIMIT, _LIMIT)
        yield from heard.float().cpu().numpy()


def _padded(piece: np.ndarray, frames: int) -> np.ndarray:
    """The sound (n,), filled up with silence to so many frames."""
    return np.pad(piece, (0, frames * STRIDE - len(piece)))


def _whole(windows: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(windows, np.float32))


def _between(frames: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Linear interpolation of (T, C) frames at positions (N,), held at the ends."""
    position = np.clip(position, 0.0, len(frames) - 1.0)
    below = np.minimum(position.astype(int), max(0, len(frames) - 2))
    share = (position - below)[:, None].astype(np.float32)
    return frames[below] + share * (frames[np.minimum(below + 1, len(frames) - 1)] - frames[below])


def save_whisper(path: str | Path, encoder: WhisperEncoder, notes: Mapping[str, Any]) -> None:
    """Writes an encoder.

    Raises:
        OutputError: it cannot be written.
    """
    save_weights(path, "whisper", encoder, {"config": encoder.config.to_dict()}, notes)


@kept_loaded
def load_whisper(name: str = DEFAULT_WHISPER, device: str = "cpu") -> WhisperEncoder:
    """The encoder with its weights, in eval mode.

    Raises:
        MissingError: no such weights. InputError: they are damaged or of another kind.
    """
    with network_weights(name, "whisper") as weights:
        encoder = weights.fill(lambda: WhisperEncoder(WhisperConfig.from_dict(weights.data["config"])))
        if encoder.config.width != WIDTH or encoder.config.positions < _WINDOW:
            raise ValueError("an encoder of another size")
    return encoder.to(device)
