"""Makes one recording sound like many before any encoder hears it: voice, pace, microphone, room, noise."""

from __future__ import annotations

from dataclasses import dataclass

import librosa
import numpy as np
from makeittalk.audio.loading import normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.exchange.constants import SAMPLE_RATE
from scipy.signal import fftconvolve

_SEMITONES = (-3.0, 10.0)  # how far the second voice of a clip lies from the first: lower men to high women
_BANDS = np.array([50.0, 200.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0])  # Hz, of the microphone's response


@dataclass(frozen=True)
class SoundAugment:
    """How strongly a recording is varied; every pair is a range, every share one of recordings.

    Attributes:
        pitch: semitones by which pitch and formants are moved together. pitched: share.
        pace: logarithm of the speed at most, which moves both as well. paced: share.
        bands, tilt: dB, deviation of the microphone's response and its slope from 50 Hz to 8 kHz. equalised: share.
        low_pass, high_pass: Hz of a narrow line. narrow: share of each.
        echo: s until an echo has died by 60 dB. direct: dB of the voice over it. roomy: share.
        noise: dB of the voice over noise. noisy: share.
    """

    pitch: tuple[float, float] = (-5.0, 8.0)
    pitched: float = 0.8
    pace: float = 0.18
    paced: float = 0.5
    bands: float = 4.0
    tilt: float = 6.0
    equalised: float = 0.8
    low_pass: tuple[float, float] = (3000.0, 5500.0)
    high_pass: tuple[float, float] = (80.0, 350.0)
    narrow: float = 0.3
    echo: tuple[float, float] = (0.1, 0.6)
    direct: tuple[float, float] = (0.0, 15.0)
    roomy: float = 0.4
    noise: tuple[float, float] = (5.0, 40.0)
    noisy: float = 0.7


def vary_samples(samples: np.ndarray, rng: np.random.Generator, options: SoundAugment) -> tuple[np.ndarray, float]:
    """Another voice, room and microphone for a recording (n,) at 16 kHz.

    Returns:
        the sound (m,) at the loudness of speech; how many seconds of the recording go by in one of it.
    """
    speed = 1.0
    if rng.random() < options.pitched:
        steps = float(rng.uniform(*options.pitch))
        samples = librosa.effects.pitch_shift(samples, sr=SAMPLE_RATE, n_steps=steps)
    if rng.random() < options.paced:
        speed = float(np.exp(rng.uniform(-options.pace, options.pace)))
        count = round(len(samples) / speed)
        samples = np.interp(np.arange(count) * speed, np.arange(len(samples)), samples)
    if rng.random() < options.equalised:
        samples = _equalise(samples, rng, options)
    if rng.random() < options.roomy:
        samples = _echo(samples, rng, options)
    if rng.random() < options.noisy:
        samples = _noise(samples, rng, options)
    return normalise_loudness(samples.astype(np.float32)), speed


def second_voice(samples: np.ndarray, name: str) -> tuple[np.ndarray, float]:
    """The mel (T, 80) of a recording (n,) at another pitch, and by how many semitones.

    The name, not the clock, chooses the pitch: preparing again gives the same clips.
    """
    seed = int.from_bytes(name.encode()[:8].ljust(8, b"\0"), "little")
    semitones = float(np.random.default_rng(seed).uniform(*_SEMITONES))
    return mel_spectrogram(librosa.effects.pitch_shift(samples, sr=SAMPLE_RATE, n_steps=semitones)), semitones


def _equalise(samples: np.ndarray, rng: np.random.Generator, options: SoundAugment) -> np.ndarray:
    spectrum, hertz = np.fft.rfft(samples), np.fft.rfftfreq(len(samples), 1.0 / SAMPLE_RATE)
    gain = rng.normal(0.0, options.bands, len(_BANDS))
    gain += rng.uniform(-options.tilt, options.tilt) * np.linspace(-1.0, 1.0, len(_BANDS))
    spectrum *= 10.0 ** (np.interp(np.log(hertz + 1.0), np.log(_BANDS), gain) / 20.0)
    if rng.random() < options.narrow:
        spectrum[hertz > rng.uniform(*options.low_pass)] *= 1e-3
    if rng.random() < options.narrow:
        spectrum[hertz < rng.uniform(*options.high_pass)] *= 1e-2
    return np.fft.irfft(spectrum, len(samples))


def _echo(samples: np.ndarray, rng: np.random.Generator, options: SoundAugment) -> np.ndarray:
    count = int(rng.uniform(*options.echo) * SAMPLE_RATE)
    response = rng.standard_normal(count) * 10.0 ** (-3.0 * np.arange(count) / count)
    response /= np.sqrt((response**2).sum())
    direct = 10.0 ** (rng.uniform(*options.direct) / 20.0)
    return direct * samples + fftconvolve(samples, response)[: len(samples)]


def _noise(samples: np.ndarray, rng: np.random.Generator, options: SoundAugment) -> np.ndarray:
    hertz = np.fft.rfftfreq(len(samples), 1.0 / SAMPLE_RATE)
    spectrum = np.fft.rfft(rng.standard_normal(len(samples))) / (1.0 + hertz / 200.0) ** rng.uniform(0.0, 1.2)
    noise = np.fft.irfft(spectrum, len(samples))
    level = samples.std() / max(float(noise.std()), 1e-12) * 10.0 ** (-rng.uniform(*options.noise) / 20.0)
    return samples + level * noise
