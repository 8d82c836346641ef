"""What is seen between the lips, against the film: error, detail, flicker, and whether a still mouth stays still.

All figures are of the pixels whose centres lie inside the inner lips (landmarks 60-67), in levels of 255; those of
several frames are taken together, so that a mouth counts by its size.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from makeittalk.images.face_crop import SIZE, FaceCrop
from makeittalk.landmarks.ibug68 import LIP_INNER
from makeittalk.landmarks.measures import openness

from .picture_metrics import compare, mouth_box

OPEN = 0.12  # opening in widths of the mouth from which there is an inside to look at
STRETCH = 40  # consecutive frames in which flicker is measured
NOISE = 0.1  # px of a face of 256 px, by which a detector's landmarks tremble
_TREMBLING = 6  # frames
_AROUND = 2  # px around the inner lips that are cut out with them: what the Laplacian looks at


def shut_frame(landmarks: np.ndarray) -> int:
    """The frame of a film (T, 68, ≥2) with the least opening in its first fifth."""
    return int(openness(landmarks[: max(1, len(landmarks) // 5), :, :2]).argmin())


def speaking_stretch(landmarks: np.ndarray, length: int = STRETCH) -> np.ndarray:
    """The consecutive frames of a film (T, 68, ≥2) in which the lips move most, (≤ length,) indices."""
    moves = np.abs(np.diff(openness(landmarks[..., :2])))
    length = min(length, len(landmarks))
    sums = np.convolve(moves, np.ones(max(1, length - 1)), "valid") if len(moves) else np.zeros(1)
    return int(sums.argmax()) + np.arange(length)


def still_mouth(landmarks: np.ndarray, seed: int = 0) -> np.ndarray:
    """The widest mouth of a film (T, 68, 3) held still: (9, 68, 3) px.

    The first two and the last are the same; those between tremble as a detector's landmarks do.
    """
    widest = landmarks[int(openness(landmarks[..., :2]).argmax())]
    held = np.repeat(widest[None], _TREMBLING + 3, axis=0).astype(np.float32)
    noise = np.random.default_rng(seed).standard_normal((_TREMBLING, len(widest), 2))
    held[2:-1, :, :2] += (NOISE * FaceCrop.of(widest).side / SIZE * noise).astype(np.float32)
    return held


def inner_masks(landmarks: np.ndarray, corner: np.ndarray, height: int, width: int) -> np.ndarray:
    """Which pixels lie inside the inner lips.

    Args:
        landmarks: (N, 68, ≥2) px, pixel (0, 0) reaching from 0 to 1. corner: x, y of the window's first pixel.

    Returns:
        (N, height, width) bool; even-odd where lips that are shut cross each other.
    """
    outline = np.asarray(landmarks, np.float64)[:, LIP_INNER, :2] - corner
    xs, ys = np.arange(width) + 0.5, np.arange(height) + 0.5
    inside = np.zeros((len(outline), height, width), bool)
    for (x0, y0), (x1, y1) in zip(
        outline.transpose(1, 2, 0)[..., None], np.roll(outline, -1, axis=1).transpose(1, 2, 0)[..., None], strict=True
    ):
        crosses = (y0 > ys) != (y1 > ys)
        where = x0 + (x1 - x0) * (ys - y0) / np.where(y1 == y0, 1.0, y1 - y0)
        inside ^= crosses[..., None] & (xs < where[..., None])
    return inside


def inside_error(made: np.ndarray, truth: np.ndarray, landmarks: np.ndarray) -> float:
    """Mean |difference| of the colours between the lips.

    Args:
        made, truth: (N, H, W, 3) uint8 RGB. landmarks: (N, 68, ≥2) px, the truth's.

    Returns:
        0-255; nan where no frame has a pixel there.
    """
    (a, b), inside = _windows((made, truth), landmarks)
    return _mean(np.abs(a - b).mean(axis=-1), inside)


def detail(made: np.ndarray, truth: np.ndarray, landmarks: np.ndarray) -> float:
    """Mean |Laplacian| of the brightness between the lips, divided by the film's; arguments as for `inside_error`."""
    windows, inside = _windows((made, truth), landmarks)
    own, films = (_mean(np.stack([_laplacian(part) for part in pictures]), inside) for pictures in windows)
    return own / films if films > 0 else float("nan")


def change(frames: np.ndarray, landmarks: np.ndarray, pairs: np.ndarray) -> float:
    """Mean |difference| of the colours between pairs of frames, inside the lips of either.

    Args:
        frames: (N, H, W, 3) uint8 RGB. landmarks: (N, 68, ≥2) px. pairs: (P, 2) indices of frames.

    Returns:
        0-255; nan without a pixel.
    """
    (pictures,), inside = _windows((frames,), landmarks)
    one, other = np.asarray(pairs, int).reshape(-1, 2).T
    return _mean(np.abs(pictures[one] - pictures[other]).mean(axis=-1), inside[one] | inside[other])


def still_scores(frames: np.ndarray, landmarks: np.ndarray) -> dict[str, float]:
    """How much a still mouth changes between frames: "still" with the same landmarks, "trembling" as a detector does.

    Args:
        frames: (9, H, W, 3) uint8 RGB, drawn with the landmarks (9, 68, ≥2) px of `still_mouth`.
    """
    last = len(frames) - 1
    trembling = np.arange(2, last)
    return {
        "still": change(frames, landmarks, np.array([[0, 1], [0, last]])),
        "trembling": change(frames, landmarks, np.stack([trembling[:-1], trembling[1:]], axis=1)),
    }


def mouth_scores(
    made: Mapping[str, np.ndarray], truth: np.ndarray, landmarks: np.ndarray, moments: np.ndarray, portrait: int
) -> dict[str, dict[str, float]]:
    """The figures of each way; nan where the mouth is never open or no two frames follow each other.

    Args:
        made: for each way (N, H, W, 3) uint8 RGB. truth: (N, H, W, 3), the film's frames. landmarks: (N, 68, ≥2) px.
        moments: (N,) the frames' indices in the film, ascending. portrait: the portrait's index, which is not compared.

    Returns:
        of the open frames "open PSNR" (dB) and "open SSIM" in the mouth's box, "inside MAE" (0-255) and "detail" (ratio
        to the film); of consecutive frames "flicker" (ratio to the film).
    """
    wide = np.flatnonzero((openness(landmarks[..., :2]) > OPEN) & (moments != portrait))
    following = np.flatnonzero(np.diff(moments) == 1)
    pairs = np.stack([following, following + 1], axis=1)
    films = change(truth, landmarks, pairs)
    rows = {}
    for way, frames in made.items():
        boxes = [compare(frames[i], truth[i], mouth_box(landmarks[i])) for i in wide]
        rows[way] = {
            **{f"open {name}": _average([box[name] for box in boxes]) for name in ("PSNR", "SSIM")},
            "inside MAE": inside_error(frames[wide], truth[wide], landmarks[wide]),
            "detail": detail(frames[wide], truth[wide], landmarks[wide]),
            "flicker": change(frames, landmarks, pairs) / films if films > 0 else float("nan"),
        }
    return rows


def _windows(pictures: tuple[np.ndarray, ...], landmarks: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Film after film the window (N, h, w, 3) float32 around all inner lips, and what is inside them (N, h, w)."""
    if not len(landmarks):
        return [np.zeros((0, 1, 1, 3), np.float32) for _ in pictures], np.zeros((0, 1, 1), bool)
    height, width = pictures[0].shape[1:3]
    inner = landmarks[:, LIP_INNER, :2]
    low = np.clip(np.floor(inner.min(axis=(0, 1))) - _AROUND, 0, [width - 1, height - 1]).astype(int)
    high = np.clip(np.ceil(inner.max(axis=(0, 1))) + _AROUND, low + 1, [width, height]).astype(int)
    windows = [frames[:, low[1] : high[1], low[0] : high[0]].astype(np.float32) for frames in pictures]
    return windows, inner_masks(landmarks, low, int(high[1] - low[1]), int(high[0] - low[0]))


def _laplacian(picture: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.CV_32F)))


def _mean(values: np.ndarray, where: np.ndarray) -> float:
    return float(values[where].mean(dtype=np.float64)) if where.any() else float("nan")


def _average(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
