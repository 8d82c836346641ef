"""Reads recordings of any kind: one mono signal for the networks, and the sound as it was for the film."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np
import soundfile

from ..exchange import storage
from ..exchange.constants import LOUDNESS, MIN_AUDIO_SECONDS, SAMPLE_RATE
from ..exchange.errors import InputError
from ..exchange.progress import Progress, silent
from .decoding import decode_sound
from .sink import Mixer

_SILENCE = 10 ** (-65 / 20)  # level below which a recording counts as silent
_GATE = 10 ** (-30 / 20)  # frames this much below the loud ones are pauses
_LEVEL_FRAME = SAMPLE_RATE // 40  # samples, 25 ms


@dataclass
class Audio:
    """A recording.

    Attributes:
        samples: (n,) float32, mono at 16 kHz, loudness as recorded.
        original: (m, 1 or 2) float32, the sound to put into a film, at `original_rate` Hz.
        seconds: its length.
        notices: sentences for the user.
        repaired: whether damaged samples were silenced, so that the file itself should not be played.
    """

    samples: np.ndarray
    original: np.ndarray
    original_rate: int
    seconds: float
    notices: list[str] = field(default_factory=list)
    repaired: bool = False


def load_audio(path: str | os.PathLike[str], progress: Progress = silent) -> Audio:
    """Reads the sound of a recording or a film, whatever its format, sample rate and number of channels.

    Time 0 is the file's own: the padding of MP3 and AAC encoders is left out, and the sound of a film stays in step
    with its picture. Hours of sound are decoded in bounded memory.

    Args:
        path: the file. progress: told the done fraction.

    Raises:
        InputError: the file is missing, empty, damaged, not sound, without sound, too short or too long.
    """
    storage.check_file(path)
    mixer = Mixer(str(path))
    decode_sound(path, mixer, progress)
    samples, original = mixer.finish()
    seconds = len(original) / mixer.original_rate
    if seconds < MIN_AUDIO_SECONDS:
        raise InputError(
            f"{path} is too short: it holds {seconds:.2g} seconds of sound.",
            f"Use a recording of at least {MIN_AUDIO_SECONDS:g} seconds.",
        )
    return Audio(samples, original, mixer.original_rate, seconds, mixer.notices(), mixer.damaged > 0)


def normalise_loudness(samples: np.ndarray) -> np.ndarray:
    """The signal without DC offset, its voiced part at −20 dBFS (RMS); silence stays silence.

    Args:
        samples: (n,) mono at 16 kHz.

    Returns:
        (n,) float32.
    """
    samples = np.asarray(samples, np.float32)
    if samples.size == 0:
        return samples
    samples = samples - np.mean(samples, dtype=np.float64).astype(np.float32)
    count = max(1, len(samples) // _LEVEL_FRAME)
    frames = samples[: count * _LEVEL_FRAME].reshape(count, -1)
    levels = np.sqrt(np.einsum("tk,tk->t", frames, frames) / frames.shape[1])
    voiced = levels[levels >= _GATE * np.percentile(levels, 95)]
    level = float(np.sqrt(np.mean(voiced**2, dtype=np.float64)))
    if level < _SILENCE:
        return samples
    samples *= 10 ** (LOUDNESS / 20) / level
    return samples


def write_wav(path: str | os.PathLike[str], original: np.ndarray, rate: int) -> None:
    """Writes a 16-bit WAV whole or not at all.

    Args:
        path: the file. original: (m, channels) float, ±1. rate: Hz.

    Raises:
        OutputError: it cannot be written.
    """
    block = 1 << 20
    with storage.replacing(path) as temporary, open(temporary, "wb") as stream:
        channels = 1 if original.ndim == 1 else original.shape[1]
        try:
            with soundfile.SoundFile(stream, "w", rate, channels, "PCM_16", format="WAV") as sound:
                for start in range(0, len(original), block):
                    sound.write(np.clip(original[start : start + block], -1.0, 1.0))
        except soundfile.SoundFileError as error:
            raise OSError(str(error)) from error
