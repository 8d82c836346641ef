"""A motion on another face than the one it was made for, or on the same one, whose landmarks were corrected."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..audio.windows import in_blocks
from ..exchange.formats import Motion
from ..landmarks.pose import Canonical, compose_pose, neck_pivot
from .lips import shut_mouth
from .postprocess import shown_motion


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


def reface(motion: Motion, neutral: np.ndarray, image_size: np.ndarray | None = None) -> Motion:
    """The motion on a face whose landmarks were corrected, with all the parts that it had: nothing is predicted anew.

    What the networks said lies in the canonical frame, as displacements from the shut mouth; it goes from the old
    face's frame into the new one's. What shuts the mouth is the new face's own.

    Args:
        motion: of the face as it was. neutral: (68, 3) px, the corrected landmarks. image_size: (2,) px.
    """
    if motion.parts is None:
        return retarget(motion, neutral)
    neutral = np.asarray(neutral, np.float32)
    there, here = Canonical.of(motion.neutral), Canonical.of(neutral)

    def carried(moved: np.ndarray) -> np.ndarray:
        return in_blocks(
            lambda some: here.displacement_from(there.displacement_to(some)), [moved], np.empty(moved.shape, np.float32)
        )

    rest = here.displacement_from(shut_mouth(here.to_canonical(neutral)))
    parts = replace(
        motion.parts,
        rest=rest.astype(np.float32),
        content=carried(motion.parts.content),
        speaker=carried(motion.parts.speaker),
        head_translation=(motion.parts.head_translation * (here.scale / there.scale)).astype(np.float32),
    )
    size = motion.image_size if image_size is None else image_size
    return shown_motion(neutral, parts, motion.fps, neck_pivot(neutral), size)
