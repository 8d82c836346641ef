"""What the mouth network learns from: moments of mouths up close, varied, as arrays and as batches."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from makeittalk.images.mouth_crop import SIZE
from makeittalk.images.mouth_image import draw_mouth, mouth_zone
from torch import Tensor

from ..data.mouth_frames import MouthFrames
from ..data.picture_augment import PictureAugment, move_picture, move_points, patch_map, portrait_map, recolour
from .image_examples import cut

_SOFTEST = 5.0  # largest number of pixels of the square that one of a small portrait covers
_SEEN = 128  # px of the square around the opening: what critic and features look at


def mouth_example(
    frames: MouthFrames,
    moment: int,
    texture: np.ndarray | None = None,
    varied: tuple[np.random.Generator, PictureAugment] | None = None,
) -> tuple[np.ndarray, ...]:
    """One moment of a clip as arrays.

    Args:
        texture: of the card, see `MouthFrames.warp`. varied: what to vary it by.

    Returns:
        Portrait, warp and target, (256, 256, 9) float32 0–1; what is drawn of lips and jaw, (256, 256, 4) uint8; the
        zone that may change, (256, 256) float32; column and row (2,) of the square of 128 px around the opening.
    """
    clip = frames.clip
    shown = [np.asarray(clip.portrait), frames.warp(moment, texture), np.asarray(clip.targets[moment])]
    points, rest = np.asarray(clip.landmarks[moment]), np.asarray(clip.rest)
    if varied is not None:
        rng, augment = varied
        affine, mirrored = patch_map(rng, augment, points, SIZE)
        other = portrait_map(rng, augment, affine, SIZE)
        shown = [move_picture(picture, way, SIZE) for picture, way in zip(shown, (other, affine, affine), strict=True)]
        points, rest = move_points(points, affine, mirrored), move_points(rest, affine, mirrored)
        soft = float(np.exp(rng.uniform(-np.log(_SOFTEST), np.log(_SOFTEST))))
        if soft > 1.2:
            shown = [_softened(picture, soft) for picture in shown]
    pictures = np.stack(shown, axis=2) / np.float32(255)  # (s, s, 3 pictures, 3)
    if varied is not None:
        pictures = recolour(varied[0], varied[1], pictures)
    inner = points[60:68]
    corner = np.rint((inner.min(axis=0) + inner.max(axis=0)) / 2 - _SEEN / 2)
    corner = np.clip(corner, 0, SIZE - _SEEN).astype(np.int64)
    return pictures.reshape(SIZE, SIZE, 9), draw_mouth(points, rest), mouth_zone(points), corner


def _softened(picture: np.ndarray, pixels: float) -> np.ndarray:
    """A square as of a portrait with so much larger pixels."""
    size = round(SIZE / pixels)
    small = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC))


def stack_mouths(examples: Sequence[tuple[np.ndarray, ...]]) -> dict[str, Tensor]:
    """Examples (see `mouth_example`) as tensors, channels before rows."""
    pictures, drawn, zone, corner = (torch.from_numpy(np.stack(part)) for part in zip(*examples, strict=True))
    return {
        "pictures": pictures.permute(0, 3, 1, 2),
        "drawn": drawn.permute(0, 3, 1, 2),
        "zone": zone[:, None],
        "corner": corner,
    }


def around_opening(pictures: Tensor, corners: Tensor) -> Tensor:
    """The square of 128 px at each picture's corner (column, row): (B, C, 256, 256) → (B, C, 128, 128)."""
    return cut(pictures, corners.tolist(), _SEEN)
