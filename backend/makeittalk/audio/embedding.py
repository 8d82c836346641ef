"""Who is speaking: the GE2E speaker embedding (Wan et al. 2018) of Resemblyzer's pretrained encoder."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

import numpy as np

from ..exchange.constants import EMBEDDING, SAMPLE_RATE
from ..exchange.errors import MissingError
from ..weights.cache import kept_loaded
from ..weights.stand_ins import empty_modules
from .loading import normalise_loudness
from .mel import hann, magnitude, mel_filters

_MOST_SECONDS = 24  # of a long recording, in pieces from all over it: the voice does not change
_PIECES = 6
_WINDOW, _HOP, _BANDS = 400, 160, 40  # the encoder's own mel: 25 ms, 10 ms
_LEAST_SPEECH = SAMPLE_RATE // 2  # samples of speech below which there is no voice to tell


def speaker_embedding(samples: np.ndarray) -> np.ndarray:
    """The voice of a recording.

    Args:
        samples: (n,) mono at 16 kHz.

    Returns:
        (256,) float32 of length 1, not negative; all zero where there is less than half a second of speech.

    Raises:
        MissingError: Resemblyzer is not installed.
    """
    samples = _excerpt(np.asarray(samples, np.float32))
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < 1e-4 or len(samples) < _LEAST_SPEECH:
        return np.zeros(EMBEDDING, np.float32)
    encoder, trim_long_silences = load_encoder()
    # The encoder hears the level too (its cosine falls to 0.94 over 10 dB), so every voice comes at the same one. Its
    # voice detector works on 16-bit samples, which must not overflow.
    speech = trim_long_silences(np.clip(normalise_loudness(samples), -1.0, 1.0))
    if len(speech) < _LEAST_SPEECH:
        return np.zeros(EMBEDDING, np.float32)
    return _embed(encoder, speech)


def _embed(encoder: Any, speech: np.ndarray) -> np.ndarray:
    """What its `embed_utterance` does, with a mel spectrogram that needs no seconds to load a compiler first."""
    import torch

    pieces, frames = encoder.compute_partial_slices(len(speech), rate=1.3, min_coverage=0.75)
    speech = np.pad(speech, (0, max(0, pieces[-1].stop - len(speech))))
    padded = np.pad(speech.astype(np.float32), _WINDOW // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    power = magnitude(windows * hann(_WINDOW)) ** 2
    mel = power @ mel_filters(_BANDS, 0.0, SAMPLE_RATE / 2, _WINDOW).T
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a tenth of a second on one core; on a busy machine, seconds of waiting on several
    try:
        with torch.inference_mode():
            parts = encoder(torch.from_numpy(np.stack([mel[frame] for frame in frames]))).numpy()
    finally:
        torch.set_num_threads(threads)
    whole = np.nan_to_num(parts).mean(0)
    return (whole / max(1e-9, float(np.linalg.norm(whole)))).astype(np.float32)


def _excerpt(samples: np.ndarray) -> np.ndarray:
    """Pieces spread evenly over a long recording; a short one whole."""
    if len(samples) <= _MOST_SECONDS * SAMPLE_RATE:
        return samples
    length = _MOST_SECONDS * SAMPLE_RATE // _PIECES
    starts = np.linspace(0, len(samples) - length, _PIECES).astype(int)
    return np.concatenate([samples[start : start + length] for start in starts])


@kept_loaded
def load_encoder() -> tuple[Any, Any]:
    """The encoder on the CPU and the function that cuts pauses out; loaded at first use.

    Raises:
        MissingError: Resemblyzer is not installed.
    """
    # It prints when it has loaded, and warns of how its voice detector and scipy are imported.
    # librosa's mel is what `_embed` does without.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(), empty_modules("librosa"):
        warnings.simplefilter("ignore")
        try:
            from resemblyzer import VoiceEncoder, trim_long_silences
        except ImportError as error:
            raise MissingError(f"The speaker encoder cannot be loaded: {error}.", "Install resemblyzer.") from error
        return VoiceEncoder("cpu", verbose=False), trim_long_silences
