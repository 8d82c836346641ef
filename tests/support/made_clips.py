"""Clips small enough to see through, and the configuration of a network small enough to learn them in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from makeittalk.animation.lips import shut_mouth
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.landmarks.pose import Canonical
from makeittalk_lab.data.clips import Clip, Prepared, split_names
from scipy.signal import lfilter

NEUTRAL = (100.0 * MEAN_FACE + (150.0, 100.0, 0.0)).astype(np.float32)

CONFIG = """
data = ["{data}"]
out = "{out}"
seed = 3
steps = {steps}
batch = 6
frames = 100
learning_rate = 0.01
warmup = 5
validate_every = 60
checkpoint_every = 10
threads = 1
[network]
inputs = 80
streaming = true
hidden = 32
window = 4
layers = 1
mlp = [32]
scale = 0.05
{more}
"""
STILL = "[augment]\nvaried = 0.0\npause = 0\nsilence = 0.0\nmirror = 0.0\nshape = 0.0\nidentity = 0.0"


def talking(seed: int, frames: int = 125) -> Clip:
    """A clip whose jaw follows the loudness of the low bands and of the sound, shut at first."""
    rng = np.random.default_rng(seed)
    drive = np.clip(np.sin(np.arange(frames) / rng.uniform(4, 8) + rng.uniform(0, 6)), 0, 1)
    drive[: frames // 5] = 0
    mel = np.full((frames, 80), 0.1, np.float32) + rng.normal(0, 0.01, (frames, 80)).astype(np.float32)
    mel[:, 5:40] += 0.4 * drive[:, None]
    samples = buzz(drive, rng)
    moved = np.repeat(NEUTRAL[None], frames, 0)
    for point, share in ((66, 1.0), (65, 0.8), (67, 0.8), (57, 1.0), (8, 1.0)):
        moved[:, point, 1] += 12 * share * drive
    return Clip(f"clip{seed:02}", mel, moved, NEUTRAL, moved, samples=samples)


def buzz(drive: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A voice of 125 Hz as loud as `drive` (T,) says, in a quiet room: (256 · T − 1,) at 16 kHz."""
    time = np.arange(256 * len(drive) - 1)
    pulses = lfilter([1.0], [1.0, -1.2, 0.6], time % 128 == 0)
    loudness = np.interp(time / 256, np.arange(len(drive)), drive)
    return (0.6 * loudness * pulses + 1e-3 * rng.standard_normal(len(time))).astype(np.float32)


def shut_lips(neutral: np.ndarray) -> np.ndarray:
    """What shuts the mouth of a face in pixels, (68, 3) px."""
    frame = Canonical.of(neutral)
    return frame.displacement_from(shut_mouth(frame.to_canonical(neutral)))


def write_clips(folder: Path, count: int = 24) -> Path:
    """A prepared folder of such clips, three of them for tests."""
    names = []
    for seed in range(count):
        clip = talking(seed)
        clip.save(folder)
        names.append(clip.name)
    train, validation, test = split_names(names, set(names[:3]))
    Prepared(folder, "grid", train, validation, test, {}).save()
    return folder


def write_config(folder: Path, data: Path, steps: int = 120, more: str = STILL) -> Path:
    """A content training that writes to `folder/out`."""
    path = folder / "config.toml"
    path.write_text(CONFIG.format(data=data.as_posix(), out=(folder / "out").as_posix(), steps=steps, more=more))
    return path
