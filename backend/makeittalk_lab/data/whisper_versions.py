"""What Whisper's encoder hears of prepared clips, as recorded and varied, kept beside the clips; and of silence."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from makeittalk.exchange import storage
from makeittalk.exchange.constants import FRAME_RATE, SAMPLE_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.networks.whisper_inference import DEFAULT_WHISPER, hear_whisper
from makeittalk.weights.files import fingerprint_of
from scipy.signal import lfilter

from .sound_augment import SoundAugment, vary_samples

FOLDER = "whisper"  # beside the clips of a prepared folder
_BEFORE = 3.0  # s of silence before a varied clip at most: it may lie anywhere in a window of the encoder
_HISS = 1e-4  # of that silence: nobody records zeros
_QUIET = 15.0  # s where nobody speaks: windows of the encoder that hold nothing else
_ROOMS = (0.0, 1e-4, 1e-3, 5e-3, 2e-2)  # how loud those are, where a voice is at 0.1: from a gate to a noisy room


@dataclass(frozen=True)
class HeardVersion:
    """One way a clip sounds.

    Attributes:
        features: (T, 512) float16 at 62.5 frames/s. speed: frames of the clip that go by in one of these.
    """

    features: np.ndarray
    speed: float


def heard_versions(
    folder: Path, name: str, samples: np.ndarray | None, varied: int, options: SoundAugment
) -> list[HeardVersion]:
    """What is heard of a clip: first as it was recorded, then `varied` times varied; computed once and kept.

    Args:
        folder: prepared. name: of the clip; it draws the variations. samples: (n,) of its sound.

    Raises:
        InputError: the clip was prepared without its sound.
    """
    path = folder / FOLDER / f"{name}.npz"
    seal = f"{fingerprint_of(DEFAULT_WHISPER)} {options}"
    stamp = np.frombuffer(hashlib.sha256(seal.encode()).digest(), np.uint8)
    kept = storage.read_npz(path) if path.is_file() else {}
    if not np.array_equal(kept.get("stamp", ()), stamp):
        kept = {}
    known = [HeardVersion(kept[f"features{i}"], float(kept[f"speed{i}"])) for i in range(len(kept) // 2)]
    if len(known) > varied:
        return known[: varied + 1]
    if samples is None:
        raise InputError(f"The clip {name} in {folder} has no sound.", "Prepare it again with this version.")
    for index in range(len(known), varied + 1):
        known.append(_version(name, samples, index, options))
    path.parent.mkdir(exist_ok=True)
    arrays = {f"features{i}": version.features for i, version in enumerate(known)}
    speeds = {f"speed{i}": np.float64(version.speed) for i, version in enumerate(known)}
    storage.write_npz(path, arrays | speeds | {"stamp": stamp})
    return known


def heard_silence() -> list[np.ndarray]:
    """What Whisper hears where nobody speaks for long, in gates, rooms and beside fans: (T, 512) float16 each."""
    rng = np.random.default_rng(0)
    found = []
    for level in _ROOMS:
        hiss = rng.standard_normal(round(_QUIET * SAMPLE_RATE))
        for noise in [hiss, lfilter([1.0], [1.0, -0.95], hiss)] if level else [hiss]:
            found.append(hear_whisper((level / noise.std() * noise).astype(np.float32)))
    return found


def _version(name: str, samples: np.ndarray, index: int, options: SoundAugment) -> HeardVersion:
    if not index:
        return HeardVersion(hear_whisper(samples), 1.0)
    seed = int.from_bytes(hashlib.sha256(f"{name} {index}".encode()).digest()[:8], "little")
    rng = np.random.default_rng(seed)
    varied, speed = vary_samples(samples, rng, options)
    before = int(rng.uniform(0.0, _BEFORE) * FRAME_RATE)  # frames of 256 samples
    silence = _HISS * rng.standard_normal(round(before * SAMPLE_RATE / FRAME_RATE))
    heard = hear_whisper(np.concatenate([silence.astype(np.float32), varied]))
    return HeardVersion(heard[before:], speed)
