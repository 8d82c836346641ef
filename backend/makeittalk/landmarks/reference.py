"""Reference motion of a filmed face, for measuring and for re-enactment."""

from __future__ import annotations

import os

import numpy as np
from makeittalk_lab.evaluation.metrics import neutral_frame

from ..exchange.errors import InputError
from ..exchange.formats import Motion
from ..exchange.progress import Progress, silent
from .pose import neck_pivot, split_pose
from .tracking import track_video


def reference_motion(video: str | os.PathLike[str], progress: Progress = silent) -> Motion:
    """Tracks a film and splits head from expression.

    The neutral is the frame with the least inner-lip opening in the first fifth of the clip (metrics.md).

    Raises:
        InputError: the file is no film, or shows no face.
    """
    landmarks, fps, size = track_video(video, progress)
    if not np.isfinite(landmarks).all():
        raise InputError(f"{video} has stretches without a face.", "Cut it to where the face is seen.")
    neutral = landmarks[neutral_frame(landmarks)]
    pivot = neck_pivot(neutral)
    rotation, translation, expression = split_pose(landmarks, neutral, pivot)
    return Motion(
        fps=float(fps),
        landmarks=landmarks.astype(np.float32),
        neutral=neutral.astype(np.float32),
        expression=expression,
        head_rotation=rotation,
        head_translation=translation,
        neck_pivot=pivot,
        image_size=np.array(size, np.int32),
    )
