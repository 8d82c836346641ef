"""A clip's face and motion in the canonical frame, as the networks learn them."""

from __future__ import annotations

import numpy as np
from makeittalk.animation.lips import shut_mouth
from makeittalk.landmarks.ibug68 import BROWS_AND_EYES
from makeittalk.landmarks.pose import Canonical

from .clips import Clip


def canonical_motion(clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """A clip's face with its lips shut (68, 3) and its motion from there (T, 68, 3), canonical, brows and eyes still.

    The frame that a clip is registered to is seldom quite shut: counted from there, every opening would be too small.
    Blinks and brows belong to the speaker branch: what they do at random must not leak into the lips' network.
    """
    frame = Canonical.of(clip.neutral)
    face = frame.to_canonical(clip.neutral)
    shut = shut_mouth(face)
    motion = (frame.displacement_to(clip.landmarks - clip.neutral) - shut).astype(np.float32)
    motion[:, BROWS_AND_EYES] = 0.0
    return (face + shut).astype(np.float32), motion
