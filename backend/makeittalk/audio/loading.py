"""Reads recordings of any kind: one mono signal for the networks, and the sound as it was for the film."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np
import soundfile

from ..exchange import storage
from ..exchange.constants import FRAME_RATE, LOUDNESS, MIN_AUDIO_SECONDS, SAMPLE_RATE
from ..exchange.errors import InputError
from ..exchange.progress import Progress, silent
from .decoding import decode_sound
from .mel import mel_spectrogram
from .pitch import fundamental
from .sink import Mixer

_QUIET = 10 ** (-65 / 20)  # level below which it must be a voice to count
_SPEECH_RANGE = 2.0  # speech is this much louder than its pauses, noise much less
_LEAST_VOICE = 12  # frames of 16 ms with a pitch
_GATE = 10 ** (-30 / 20)  # frames this much below the loud ones are pauses
_LEVEL_FRAME = SAMPLE_RATE // 40  # samples, 25 ms
# Mel: frames of speech rise and fall by 0.06 and more (6 dB) around their mean, hiss and hum by less than 0.005.
_STEADY = 0.015
_MIRRORED = 2  # frames at either end


@dataclass
class Audio:
    """A recording.

    Attributes:
        samples: (n,) float32, mono at 16 kHz, loudness as recorded.
        original: (m, 1 or 2) float32, the sound to put into a film, at `original_rate` Hz.
        seconds: its length.
        notices: sentences for the user.
        repaired: whether samples were silenced or scaled, so that the file itself should not be played.
        plain: whether Blender and players hear the file itself just as it was heard here: the same start, length and
            levels. Where they may not, `original` is what is to be played.
    """

    samples: np.ndarray
    original: np.ndarray
    original_rate: int
    seconds: float
    notices: list[str] = field(default_factory=list)
    repaired: bool = False
    plain: bool = False


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
    decoded = decode_sound(path, mixer, progress)
    samples, original = mixer.finish()
    seconds = len(original) / mixer.original_rate
    if seconds < MIN_AUDIO_SECONDS:
        raise InputError(
            f"{path} is too short: it holds {seconds:.2g} seconds of sound.",
            f"Use a recording of at least {MIN_AUDIO_SECONDS:g} seconds.",
        )
    notices = [*decoded.notices, *mixer.notices()]
    if not heard(samples)[2]:
        notices.append(f"No voice is heard in {path}: it moves no lips.")
    repaired = mixer.damaged > 0 or mixer.full_scale != 1.0
    return Audio(samples, original, mixer.original_rate, seconds, notices, repaired, decoded.plain)


def heard(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """What the networks hear of a recording: hiss and hum are silence to them.

    Args:
        samples: (n,) mono at 16 kHz, as recorded.

    Returns:
        the signal (n,) at the loudness of speech, zero where nobody speaks; its (T, 80) mel; whether anybody speaks.
    """
    loud, level = _at_speech_level(samples)
    mel = mel_spectrogram(loud)
    # What is mirrored at the ends for the first and last frames is no part of a hum.
    steady = len(mel) > FRAME_RATE and mel[_MIRRORED:-_MIRRORED].mean(1).std() < _STEADY
    if level > 0.0 and not steady:
        return loud, mel, True
    # Nobody speaks: what the loudness was measured on is the microphone's own noise.
    silence = np.zeros_like(loud)
    return silence, mel_spectrogram(silence), False


def normalise_loudness(samples: np.ndarray) -> np.ndarray:
    """The signal without DC offset, its voiced part at −20 dBFS (RMS); silence stays silence.

    Args:
        samples: (n,) mono at 16 kHz.

    Returns:
        (n,) float32.
    """
    return _at_speech_level(samples)[0]


def _at_speech_level(samples: np.ndarray) -> tuple[np.ndarray, float]:
    """The signal that `normalise_loudness` returns, and the level that its voiced part had, 0 for silence."""
    samples = np.asarray(samples, np.float32)
    if samples.size == 0:
        return samples, 0.0
    samples = samples - np.mean(samples, dtype=np.float64).astype(np.float32)
    level = _speech_level(samples)
    if level > 0.0:
        samples *= 10 ** (LOUDNESS / 20) / level
    return samples, level


def _speech_level(samples: np.ndarray) -> float:
    """The level (RMS) of the voiced part of a signal without offset, 0 where all is silence."""
    count = max(1, len(samples) // _LEVEL_FRAME)
    frames = samples[: count * _LEVEL_FRAME].reshape(count, -1)
    levels = np.sqrt(np.einsum("tk,tk->t", frames, frames) / frames.shape[1])
    loud = np.percentile(levels, 95)
    voiced = levels[levels >= _GATE * loud]
    level = float(np.sqrt(np.mean(voiced**2, dtype=np.float64)))
    if level >= _QUIET:
        return level
    # Far below full scale it is speech if it stands out of the recording's own noise, and has a pitch.
    if level == 0.0 or loud < _SPEECH_RANGE * np.percentile(levels, 10):
        return 0.0
    pitch, _ = fundamental(samples * np.float32(10 ** (LOUDNESS / 20) / level))
    return level if np.count_nonzero(pitch) >= _LEAST_VOICE else 0.0


def write_wav(path: str | os.PathLike[str], original: np.ndarray, rate: int) -> None:
    """Writes a 16-bit WAV whole or not at all.

    Args:
        path: the file. original: (m, channels) float, ±1. rate: Hz.

    Raises:
        OutputError: it cannot be written.
    """
    _write(path, original, rate, "WAV", "PCM_16")


def write_flac(path: str | os.PathLike[str], original: np.ndarray, rate: int) -> None:
    """Writes a FLAC of 24 bits, so that quiet recordings lose nothing; see `write_wav`."""
    _write(path, original, rate, "FLAC", "PCM_24")


def _write(path: str | os.PathLike[str], original: np.ndarray, rate: int, form: str, subtype: str) -> None:
    block = 1 << 20
    with storage.replacing(path) as temporary, storage.writing(temporary) as stream:
        channels = 1 if original.ndim == 1 else original.shape[1]
        try:
            with soundfile.SoundFile(stream, "w", rate, channels, subtype, format=form) as sound:
                for start in range(0, len(original), block):
                    sound.write(np.clip(original[start : start + block], -1.0, 1.0))
        except soundfile.SoundFileError as error:
            raise OSError(str(error)) from error
