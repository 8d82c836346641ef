"""A clip's motion as networks learn it: from the shut mouth, in the canonical frame."""

from __future__ import annotations

import numpy as np
from faces import portrait
from made_clips import talking
from makeittalk.animation.lips import gaps
from makeittalk.landmarks.ibug68 import BROWS_AND_EYES
from makeittalk_lab.data.canonical_motion import canonical_motion
from makeittalk_lab.data.clips import Clip


def test_lips_are_shut_in_the_face_and_as_far_apart_in_motion_as_they_were_filmed() -> None:
    neutral = portrait(gape=0.05).astype(np.float32)
    clip = talking(0)
    filmed = Clip("x", clip.mel, neutral + clip.landmarks - clip.neutral, neutral, clip.posed)
    face, motion = canonical_motion(filmed)
    assert face.dtype == motion.dtype == np.float32
    assert np.abs(gaps(face)).max() < 1e-5
    # Whatever the frame at rest was, the gap is the filmed one: 1.6 canonical units between the jaw's ends.
    width = np.linalg.norm(neutral[16] - neutral[0])
    filmed_gap = (filmed.landmarks[:, 66, 1] - filmed.landmarks[:, 62, 1]) * 1.6 / width
    np.testing.assert_allclose(gaps(face + motion)[:, 1], filmed_gap, atol=0.02 * filmed_gap.max())
    assert gaps(motion)[0].min() > 0.01  # the filmed mouth never quite shuts: that is motion, too


def test_brows_and_eyes_stay_still() -> None:
    clip = talking(1)
    clip.landmarks = clip.landmarks + 3.0
    _, motion = canonical_motion(clip)
    assert not motion[:, BROWS_AND_EYES].any() and motion[:, 30].any()
