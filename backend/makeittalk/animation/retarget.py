"""A motion on another face than the one it was made for."""

from __future__ import annotations

import numpy as np

from ..exchange.formats import Motion
from ..landmarks.pose import Canonical, compose_pose, neck_pivot
from .lips import shut_mouth


def retarget(motion: Motion, neutral: np.ndarray) -> Motion:
    """Carries a motion over in the canonical frame: the expression by the faces' scale, the head's turn as it is.

    What counts is the distance from the shut mouth: a face that shuts its lips shuts them on every portrait.

    Args:
        motion: of any face. neutral: (68, 3) px, landmarks of the new portrait.

    Returns:
        the motion on the new face, without the parts that amounts need.
    """
    there, here = Canonical.of(motion.neutral), Canonical.of(neutral)
    shut_there = shut_mouth(there.to_canonical(motion.neutral))
    shut_here = shut_mouth(here.to_canonical(neutral))
    delta = there.displacement_to(motion.expression) - shut_there + shut_here
    expression = here.displacement_from(delta).astype(np.float32)
    translation = (motion.head_translation * (here.scale / there.scale)).astype(np.float32)
    pivot = neck_pivot(neutral)
    landmarks = compose_pose(neutral, expression, motion.head_rotation, translation, pivot)
    return Motion(
        *(motion.fps, landmarks, neutral.astype(np.float32), expression, motion.head_rotation, translation, pivot),
        gaze=motion.gaze,
    )
