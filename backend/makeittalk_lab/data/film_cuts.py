"""Where a long film is cut into clips: where the picture changes, where the face is lost, in pauses of the speech."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.landmarks.film import film_frames
from scipy.ndimage import median_filter, uniform_filter1d

_SIZE = (32, 18)  # px that a picture is shrunk to
_LEAST_CHANGE = 12.0  # of 255, as a mean over these pixels: a speaker who moves changes them by one to five
_STANDS_OUT = 4.0  # times as much as the pictures around change
_AROUND = 25  # pictures
_JUMP = 0.35  # of the face's width, from one picture to the next: no head moves so
_PAUSE = 0.3  # s over which a pause is looked for


def picture_changes(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """How much each picture of a film differs from the one before.

    Returns:
        mean difference of 0–255 (T,), 0 for the first; times (T,) s from the film's beginning.

    Raises:
        InputError: it is no film.
    """
    before: np.ndarray | None = None
    changes, times = [], []
    with closing(film_frames(path)) as frames:
        for frame in frames:
            small = cv2.resize(frame.rgb, _SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
            changes.append(0.0 if before is None else float(np.abs(small - before).mean()))
            times.append(frame.time)
            before = small
    return np.array(changes), np.array(times)


def scene_breaks(changes: np.ndarray) -> np.ndarray:
    """The pictures that begin another scene, by what `picture_changes` says: (N,) indices."""
    usual = median_filter(changes, _AROUND, mode="nearest")
    return np.flatnonzero((changes > _LEAST_CHANGE) & (changes > _STANDS_OUT * usual))


def seen_stretches(landmarks: np.ndarray, fps: float, breaks: np.ndarray) -> list[tuple[int, int]]:
    """Runs of frames in which one face is seen in one scene.

    Args:
        landmarks: (T, 68, 3) px at fps, NaN without a face. breaks: (N,) s, beginnings of scenes.

    Returns:
        first frame and end of each.
    """
    seen = np.isfinite(landmarks).all((1, 2))
    middle = landmarks[:, :, :2].mean(1)
    width = np.linalg.norm(landmarks[:, 16, :2] - landmarks[:, 0, :2], axis=1)
    with np.errstate(invalid="ignore"):
        jumps = np.flatnonzero(np.linalg.norm(np.diff(middle, axis=0), axis=1) > _JUMP * width[1:]) + 1
    inside = seen.copy()
    # A picture that another one's landmarks may have reached by interpolation belongs to neither scene.
    for frame in [*jumps.tolist(), *np.rint(breaks * fps).astype(int).tolist()]:
        inside[max(0, frame - 1) : frame + 1] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(int), [0]])))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def cut_at_pauses(first: int, end: int, loudness: np.ndarray, shortest: float, longest: float) -> list[tuple[int, int]]:
    """A stretch of frames at 62.5 frames/s in parts, cut where the sound is quietest.

    Args:
        first, end: of the stretch. loudness: (T,) of each frame. shortest, longest: of a part, s.

    Returns:
        first frame and end of each part; none where the stretch is too short.
    """
    quiet = uniform_filter1d(loudness.astype(np.float64), round(_PAUSE * FRAME_RATE), mode="nearest")
    least, most = round(shortest * FRAME_RATE), round(longest * FRAME_RATE)
    parts = []
    while end - first > most:
        low = first + max(least, most // 3)
        high = min(first + most, end - least)
        cut = low + int(np.argmin(quiet[low:high])) if high > low else first + most
        parts.append((first, cut))
        first = cut
    if end - first >= least:
        parts.append((first, end))
    return parts
