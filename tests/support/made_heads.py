"""Made-up speech and head styles, and the recipe of a speaker branch small enough to learn in seconds."""

from __future__ import annotations

import numpy as np
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk_lab.synthetic.head_style import HeadStyles


def syllables(seconds: float) -> np.ndarray:
    """Prosody (T, 3) of a voice that stresses a syllable every 0.5 s and pauses in the last third."""
    time = np.arange(int(seconds * FRAME_RATE)) / FRAME_RATE
    speaks = time < 2.0 * seconds / 3.0
    loudness = speaks * (0.55 + 0.45 * np.cos(2.0 * np.pi * 2.0 * (time - 0.25)))
    return np.stack([loudness, np.zeros_like(time), speaks], axis=1).astype(np.float32)


def head_styles() -> tuple[HeadStyles, np.ndarray]:
    """Styles fitted on 60 random embeddings, and those (60, 256)."""
    voices = np.abs(np.random.default_rng(1).standard_normal((60, 256)))
    voices /= np.linalg.norm(voices, axis=1, keepdims=True)
    return HeadStyles.fit(voices), voices


SPEAKER_CONFIG = """
data = ["{data}"]
out = "{out}"
hears = "mel"
steps = {steps}
batch = 2
learning_rate = 1e-3
warmup = 1
validate_every = 2
checkpoint_every = 2
threads = 1
[network]
streaming = true
centred = true
hidden = 16
layers = 1
attention = 64
feed_forward = 32
mlp = [32]
[critic]
attention = 64
feed_forward = 32
[loss]
velocity = 1.0
"""
