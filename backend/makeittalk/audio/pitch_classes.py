"""F0 as the released decoder hears it: quantised and free of the speaker's own height (Qian et al. 2020).

"F0-consistent many-to-many non-parallel voice conversion via conditional autoencoder", section 3: log F0 minus the
speaker's mean in units of the speaker's deviation, up to four either way in 256 steps; one class more for frames
without a pitch.
"""

from __future__ import annotations

import numpy as np

STEPS = 256
PITCH_CLASSES = STEPS + 1
UNVOICED = 0
_REACH = 4.0  # deviations either side of the mean that the steps span
_LEAST_SPREAD = 0.02  # of log F0: a third of a semitone, which no voice keeps to


def pitch_classes(pitch: np.ndarray) -> np.ndarray:
    """The class of each frame.

    Args:
        pitch: (T,) F0 in Hz, 0 where there is none (audio.pitch).

    Returns:
        (T,) int64: `UNVOICED`, or 1 … 256 from four deviations below the speaker's mean to four above.
    """
    voiced = pitch > 0
    classes = np.full(len(pitch), UNVOICED, np.int64)
    if voiced.any():
        height = np.log(pitch[voiced].astype(np.float64))
        share = (height - height.mean()) / (_REACH * max(float(height.std()), _LEAST_SPREAD))
        classes[voiced] = 1 + np.rint((STEPS - 1) * (np.clip(share, -1.0, 1.0) + 1.0) / 2.0).astype(np.int64)
    return classes
