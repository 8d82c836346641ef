"""A clip's face and motion in the canonical frame, as the networks learn them."""

from __future__ import annotations

import numpy as np
from makeittalk.landmarks.ibug68 import BROWS_AND_EYES
from makeittalk.landmarks.pose import Canonical

from .clips import Clip


def canonical_motion(clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """A clip's face at rest (68, 3) and its motion (T, 68, 3) in the canonical frame, brows and eyes held still.

    Blinks and brows belong to the speaker branch: what they do at random must not leak into the lips' network.
    """
    frame = Canonical.of(clip.neutral)
    motion = frame.displacement_to(clip.landmarks - clip.neutral).astype(np.float32)
    motion[:, BROWS_AND_EYES] = 0.0
    return frame.to_canonical(clip.neutral).astype(np.float32), motion
