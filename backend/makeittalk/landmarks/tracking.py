"""Follows the face of a film: the landmarks of every frame, at a constant rate."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..exchange.errors import InputError
from ..exchange.formats import Motion
from ..exchange.progress import Progress, silent
from .face_landmarker import Landmarker
from .face_mesh import centre_depth, find_faces
from .film import film_frames
from .landmark_motion import motion_of_landmarks
from .registration import neutral_frame

#: Finds the landmarks of a film, as `track_video` does; what prepares films takes another one from tests and caches.
Track = Callable[[Path, Progress], tuple[np.ndarray, float, tuple[int, int]]]
LONGEST_GAP = 0.2  # s without a face that are bridged by interpolation
_SMALLEST_FACE = 0.2  # of the frame: MediaPipe's own finder misses smaller ones, so the frame is cut down to them
_WINDOW = 2.8  # side of the cut, in extents of the face
_LARGEST = 1280  # px of the square that MediaPipe is shown
_HIGHEST_FPS = 240.0
_LONGEST = 400_000  # frames of one film


@dataclass
class _Window:
    """A square of the frame: its corner (x, y) and side, px."""

    corner: np.ndarray
    side: int


def track_video(
    path: str | os.PathLike[str], progress: Progress = silent, longest_gap: float = LONGEST_GAP
) -> tuple[np.ndarray, float, tuple[int, int]]:
    """The landmarks of a filmed face (MediaPipe, each frame by itself: over time it would smooth, and lag).

    Frame i of the answer stands at i/fps on the film's own clock; a variable frame rate is resampled to its mean.

    Args:
        path: the film. progress: told the done fraction.
        longest_gap: seconds without a visible face that are bridged by interpolation.

    Returns:
        landmarks (T, 68, 3) float32 px, z = 0 midway between the jaw ends; fps; (width, height) px.

    Raises:
        InputError: the file is no film, is damaged, or its face is out of sight for longer.
    """
    points, times, fps, size = _follow(path, progress)
    if times[-1] * fps > _LONGEST:
        raise InputError(f"{path} is too long: {times[-1]:.0f} s.", "Cut the film.")
    _bridge_gaps(path, points, times, longest_gap)
    return _at_constant_rate(centre_depth(points), times, fps), fps, size


def track_stretches(
    path: str | os.PathLike[str], progress: Progress = silent
) -> tuple[np.ndarray, float, tuple[int, int]]:
    """The landmarks of a film in which there is not always a face; otherwise `track_video`.

    Returns:
        as there, NaN where the face is out of sight for longer than LONGEST_GAP.

    Raises:
        InputError: the file is no film, is damaged, or shows no face at all.
    """
    points, times, fps, size = _follow(path, progress)
    if times[-1] * fps > _LONGEST:
        raise InputError(f"{path} is too long: {times[-1]:.0f} s.", "Cut the film.")
    for first, behind in _bridge_gaps(path, points, times, LONGEST_GAP, strict=False):
        points[first:behind] = np.nan
    return _at_constant_rate(centre_depth(points), times, fps), fps, size


def _follow(path: str | os.PathLike[str], progress: Progress) -> tuple[np.ndarray, np.ndarray, float, tuple[int, int]]:
    """The landmarks of each frame (NaN where there is no face), their times, the rate and the size."""
    faces: list[np.ndarray] = []
    times: list[float] = []
    size, fps = (0, 0), 0.0
    tracker = _Tracker()
    try:
        with closing(film_frames(path)) as frames:
            for rgb, time, rate, stated, expected in frames:
                size = size if faces else (rgb.shape[1], rgb.shape[0])
                if (rgb.shape[1], rgb.shape[0]) != size or len(faces) >= _LONGEST:
                    raise InputError(f"{path} changes its size midway or is too long.", "Cut the film.")
                fps = rate if stated else 0.0
                faces.append(tracker.follow(rgb))
                times.append(time)
                if expected:
                    progress(min(1.0, len(faces) / expected), "Tracking the face")
    finally:
        tracker.close()
    if not faces:
        raise InputError(f"{path} holds no frames.", "Choose a film of a speaking face.")
    if not 1.0 <= fps <= _HIGHEST_FPS:
        fps = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 25.0
    return np.stack(faces), np.array(times), fps, size


class _Tracker:
    """MediaPipe's face landmarker on a film, in a window around the face where that is small."""

    def __init__(self) -> None:
        self._landmarker = Landmarker(faces=1)
        self._window: _Window | None = None
        self._lost = 0  # frames since the face was last seen
        self._middle: np.ndarray | None = None  # of the face when it was last seen: another one may come in

    def close(self) -> None:
        self._landmarker.close()

    def follow(self, rgb: np.ndarray) -> np.ndarray:
        """The (68, 3) landmarks of the next frame, NaN without a face."""
        if self._window is None:
            self._window = _Window(np.zeros(2, int), max(rgb.shape[:2]))
        points = self._look(rgb)
        if points is None:
            if self._lost % 25 == 0:  # the thorough search is slow
                points = self._search(rgb)
            self._lost += 1
        if points is None:
            return np.full((68, 3), np.nan, np.float32)
        self._lost, self._middle = 0, points[:, :2].mean(0)
        self._recentre(rgb, points)
        return points.astype(np.float32)

    def _look(self, rgb: np.ndarray) -> np.ndarray | None:
        window = self._window
        assert window is not None
        square, shrink = _square(rgb, window)
        faces = self._landmarker.points(square)
        if not faces:
            return None
        faces = [face / shrink + np.array([*window.corner, 0.0]) for face in faces]
        if self._middle is None:
            return max(faces, key=lambda face: float(np.prod(np.ptp(face[:, :2], axis=0))))
        return min(faces, key=lambda face: float(np.linalg.norm(face[:, :2].mean(0) - self._middle)))

    def _search(self, rgb: np.ndarray) -> np.ndarray | None:
        """Finds the face as in a still and narrows the window to it if it is small."""
        found = find_faces(rgb)
        if not found:
            return None
        if found[0].extent < _SMALLEST_FACE * max(rgb.shape[:2]):
            self._window = _around(found[0].landmarks)
        points = self._look(rgb)
        return found[0].landmarks if points is None else points

    def _recentre(self, rgb: np.ndarray, points: np.ndarray) -> None:
        window = self._window
        assert window is not None
        if window.side == max(rgb.shape[:2]):
            return
        middle = (points[:, :2].min(0) + points[:, :2].max(0)) / 2
        if np.abs(middle - window.corner - window.side / 2).max() > 0.15 * window.side:
            self._window = _around(points)


def _around(points: np.ndarray) -> _Window:
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    side = max(64, round(_WINDOW * float((high - low).max())))
    return _Window(np.rint((low + high) / 2 - side / 2).astype(int), side)


def _square(rgb: np.ndarray, window: _Window) -> tuple[np.ndarray, float]:
    """The window's pixels, grey outside of the frame, and how much they were shrunk (1 or less)."""
    height, width = rgb.shape[:2]
    x, y = window.corner
    left, top = max(0, -x), max(0, -y)
    right, bottom = max(0, x + window.side - width), max(0, y + window.side - height)
    part = rgb[max(0, y) : y + window.side, max(0, x) : x + window.side]
    if left or top or right or bottom:
        part = cv2.copyMakeBorder(part, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(128, 128, 128))
    if window.side <= _LARGEST:
        return part, 1.0
    return cv2.resize(part, (_LARGEST, _LARGEST), interpolation=cv2.INTER_AREA), _LARGEST / window.side


def _bridge_gaps(
    path: str | os.PathLike[str], points: np.ndarray, times: np.ndarray, longest: float, strict: bool = True
) -> list[tuple[int, int]]:
    """Fills frames without a face from their neighbours, in place; longer gaps are an error, or the answer."""
    long: list[tuple[int, int]] = []
    seen = np.isfinite(points[:, 0, 0])
    if not seen.any():
        raise InputError(f"No face was found in {path}.", "Use a film of a face turned to the camera.")
    if seen.all():
        return long
    edges = np.flatnonzero(np.diff(np.concatenate([[True], seen, [True]]).astype(int)))
    step = (times[-1] - times[0]) / max(1, len(times) - 1)
    for first, behind in edges.reshape(-1, 2):
        length = times[behind - 1] - times[first] + step
        if length > longest:
            long.append((int(first), int(behind)))
            if not strict:
                continue
            raise InputError(
                f"The face in {path} is out of sight from {times[first]:.2f} s for {length:.2f} s.",
                "Cut that part out of the film.",
            )
    flat = points.reshape(len(points), -1)
    flat[~seen] = _interpolate(times[~seen], times[seen], flat[seen])
    return long


def _at_constant_rate(points: np.ndarray, times: np.ndarray, fps: float) -> np.ndarray:
    """The points at i/fps; untouched where the film's frames already stand there."""
    if np.abs(times - np.arange(len(times)) / fps).max() < 0.25 / fps:
        return points
    count = max(1, round((times[-1] + 1.0 / fps) * fps))
    flat = _interpolate(np.arange(count) / fps, times, points.reshape(len(points), -1))
    return flat.reshape(count, *points.shape[1:])


def _interpolate(at: np.ndarray, times: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Linear interpolation of (T, n) values, held at the ends."""
    order = np.maximum.accumulate(times)
    right = np.clip(np.searchsorted(order, at), 1, max(1, len(order) - 1))
    if len(order) == 1:
        return np.repeat(values, len(at), axis=0)
    left = right - 1
    span = np.maximum(order[right] - order[left], 1e-9)
    share = np.clip((at - order[left]) / span, 0.0, 1.0)[:, None]
    return (values[left] * (1.0 - share) + values[right] * share).astype(np.float32)


def reference_motion(video: str | os.PathLike[str], progress: Progress = silent) -> Motion:
    """Tracks a film and splits head from expression.

    The neutral is the frame with the least inner-lip opening in the first fifth of the clip.

    Raises:
        InputError: the file is no film, or shows no face.
    """
    landmarks, fps, size = track_video(video, progress)
    if not np.isfinite(landmarks).all():
        raise InputError(f"{video} has stretches without a face.", "Cut it to where the face is seen.")
    neutral = landmarks[neutral_frame(landmarks)]
    return motion_of_landmarks(
        landmarks.astype(np.float32), neutral.astype(np.float32), float(fps), np.array(size, np.int32)
    )
