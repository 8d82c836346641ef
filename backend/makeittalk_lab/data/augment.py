"""Makes one speaker sound like many and one face like many, in the mel and in the canonical frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from makeittalk.audio.mel import mel_filters
from makeittalk.exchange.constants import FRAME_RATE, LANDMARKS, MEL_BANDS, MEL_MAX, MEL_MIN, MEL_WINDOW, SAMPLE_RATE
from makeittalk.landmarks.ibug68 import MIRROR, PARTS
from scipy.signal import lfilter

QUIET = -0.16  # mel of digital silence


@dataclass(frozen=True)
class Augment:
    """How strongly examples are varied; every pair is a range.

    Attributes:
        varied: share of examples whose sound is varied at all; the others keep the speaker's own voice.
        pitch_shifted: share of varied examples that use the clip at its other pitch.
        warp: vocal-tract factor, formants are multiplied by it.
        speed: factor of the speaking rate.
        tilt: dB from the lowest to the highest band.
        noise: dB of noise below the voice; share of examples that get it: `noisy`.
        room: s until an echo has died by 60 dB. direct: dB of the voice over its echo; share of examples: `roomy`.
        gain: dB between the microphone's level and the front end's.
        mask: most bands hidden at once; share of examples: `masked`.
        pause: most frames of silence put before and behind the clip.
        silence: share of examples that are noise alone, with a resting face.
        mirror: share of mirrored faces.
        shape: standard deviation of the face's stretch along each axis (its motion stretches with it).
        identity: that of the random shift of each facial part, canonical units (its motion does not change).
    """

    varied: float = 1.0
    pitch_shifted: float = 0.5
    warp: tuple[float, float] = (0.78, 1.28)
    speed: tuple[float, float] = (0.9, 1.1)
    tilt: tuple[float, float] = (-12.0, 12.0)
    noise: tuple[float, float] = (15.0, 60.0)
    noisy: float = 0.7
    room: tuple[float, float] = (0.1, 0.7)
    direct: tuple[float, float] = (0.0, 15.0)
    roomy: float = 0.3
    gain: tuple[float, float] = (-4.0, 4.0)
    mask: int = 10
    masked: float = 0.5
    pause: int = 60
    silence: float = 0.03
    mirror: float = 0.5
    shape: float = 0.06
    identity: float = 0.03


@lru_cache(maxsize=1)
def band_centres() -> np.ndarray:
    """Hz at the middle of each mel band, (80,)."""
    filters = mel_filters(MEL_BANDS, MEL_MIN, MEL_MAX, MEL_WINDOW)
    return filters @ np.linspace(0.0, SAMPLE_RATE / 2, filters.shape[1]) / filters.sum(1)


def warp_matrix(factor: float) -> np.ndarray:
    """(80, 80) matrix M: `mel @ M` is the mel of a voice whose formants lie `factor` times higher."""
    centres = band_centres()
    position = np.interp(centres / factor, centres, np.arange(MEL_BANDS))
    below = np.minimum(position.astype(int), MEL_BANDS - 2)
    share = position - below
    matrix = np.zeros((MEL_BANDS, MEL_BANDS), np.float32)
    columns = np.arange(MEL_BANDS)
    matrix[below, columns] = 1.0 - share
    matrix[below + 1, columns] += share
    return matrix


def interpolate_frames(values: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """A sequence (T, …) read between its frames at positions (N,), linearly; its ends go on where it ends."""
    positions = np.clip(positions, 0.0, len(values) - 1.0)
    below = np.minimum(positions.astype(int), len(values) - 2)
    share = (positions - below).reshape(-1, *[1] * (values.ndim - 1)).astype(np.float32)
    return (1.0 - share) * values[below] + share * values[below + 1]


def stretch(values: np.ndarray, count: int) -> np.ndarray:
    """A sequence (T, …) read at `count` positions evenly spread over it."""
    return values if count == len(values) else interpolate_frames(values, np.linspace(0.0, len(values) - 1.0, count))


def add_noise(mel: np.ndarray, decibels: float, rng: np.random.Generator) -> np.ndarray:
    """The mel (T, 80) with coloured noise so many dB under its loud frames; powers add."""
    shape = rng.normal(0.0, 0.06) * np.linspace(-1.0, 1.0, MEL_BANDS)
    level = np.percentile(mel.mean(1), 95) - decibels / 100.0 + shape
    grain = 20.0 * np.log10(rng.rayleigh(0.8, mel.shape) + 0.05) / 100.0 * 0.6
    noise = level + grain
    power = 10.0 ** (10.0 * np.stack([mel, noise]))
    return (0.1 * np.log10(power.sum(0))).astype(np.float32)


def add_room(mel: np.ndarray, seconds: float, direct: float) -> np.ndarray:
    """The mel (T, 80) in a room whose echo dies by 60 dB in `seconds` and lies `direct` dB under the voice."""
    decay = 10.0 ** (-6.0 / (seconds * FRAME_RATE))
    share = (1.0 - decay) / decay * 10.0 ** (-direct / 10.0)
    power = 10.0 ** (10.0 * mel.astype(np.float64))
    # Each frame leaves an echo behind it that dies exponentially.
    echo = lfilter([0.0, share * decay], [1.0, -decay], power, axis=0)
    return (0.1 * np.log10(power + echo)).astype(np.float32)


def vary_sound(mel: np.ndarray, semitones: float, options: Augment, rng: np.random.Generator) -> np.ndarray:
    """Another vocal tract, room and noise for a mel (T, 80) whose pitch (and formants) stand `semitones` too high."""
    warp = np.exp(rng.uniform(*np.log(options.warp))) / 2.0 ** (semitones / 12.0)
    mel = mel @ warp_matrix(float(warp))
    tilt = rng.uniform(*options.tilt) / 100.0
    if rng.random() < options.roomy:
        mel = add_room(mel, rng.uniform(*options.room), rng.uniform(*options.direct))
    level = rng.uniform(*options.gain) / 100.0
    mel = np.maximum(mel + level + tilt * np.linspace(-0.5, 0.5, MEL_BANDS, dtype=np.float32), QUIET)
    if rng.random() < options.noisy:
        mel = add_noise(mel, rng.uniform(*options.noise), rng)
    return mel


def pad_pauses(
    mel: np.ndarray, motion: np.ndarray, options: Augment, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Silence with a resting face before and behind a clip, made of the clip's own quietest frames."""
    before, behind = rng.integers(0, options.pause + 1, 2)
    level = mel.mean(1)
    quiet = mel[level <= np.percentile(level, 8)]
    if rng.random() < 0.3:
        quiet = np.full((1, MEL_BANDS), QUIET, np.float32)

    def silence(count: int) -> np.ndarray:
        return quiet[rng.integers(0, len(quiet), count)]

    rest = np.zeros((1, *motion.shape[1:]), np.float32)
    return (
        np.concatenate([silence(before), mel, silence(behind)]),
        np.concatenate([rest.repeat(before, 0), motion, rest.repeat(behind, 0)]),
    )


def mask_bands(features: np.ndarray, options: Augment, rng: np.random.Generator) -> np.ndarray:
    """Hides a run of bands (sets normalised features to the mean)."""
    if options.mask and rng.random() < options.masked:
        width = rng.integers(1, options.mask + 1)
        start = rng.integers(0, MEL_BANDS - width + 1)
        features[:, start : start + width] = 0.0
    return features


def vary_face(
    face: np.ndarray, motion: np.ndarray, options: Augment, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Another face (68, 3) with the motion (T, 68, 3) that fits it, canonical."""
    if rng.random() < options.mirror:
        flip = np.array([-1.0, 1.0, 1.0], np.float32)
        face, motion = face[MIRROR] * flip, motion[:, MIRROR] * flip
    if options.shape:
        factor = np.exp(rng.normal(0.0, options.shape, 3)).astype(np.float32)
        face, motion = face * factor, motion * factor
    if options.identity:
        shift = np.zeros((LANDMARKS, 3), np.float32)
        for part in PARTS.values():
            shift[part] = rng.normal(0.0, options.identity, 3)
        shift[PARTS["lip_inner"]] = shift[PARTS["lip_outer"][0]]  # the lips are one mouth
        face = face + shift + rng.normal(0.0, options.identity / 4, (LANDMARKS, 3)).astype(np.float32)
    return face.astype(np.float32), motion.astype(np.float32)
