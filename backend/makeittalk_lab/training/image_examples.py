"""What the image networks learn from: moments of image clips, varied, as arrays and as batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from makeittalk.images.landmark_image import draw_landmarks, fill_mouth
from makeittalk.landmarks.ibug68 import LIPS
from torch import Tensor

from ..data.image_clips import ImageClip
from ..data.picture_augment import (
    PictureAugment,
    add_texture,
    move_picture,
    move_points,
    patch_map,
    portrait_map,
    recolour,
)
from ..losses.image_loss import ImageLossWeights


def image_example(
    clip: ImageClip,
    moment: int,
    size: int,
    loss: ImageLossWeights,
    varied: tuple[np.random.Generator, PictureAugment] | None = None,
) -> tuple[np.ndarray, ...]:
    """One moment of a clip as arrays.

    Args:
        size: side of the patch. loss: what weighs how much. varied: what to vary it by.

    Returns:
        Portrait, warp and target, (size, size, 9) float32 0–1; landmark image and filled mouth, (size, size, 4)
        uint8; weights (size, size) float32; column and row (2,) of the part that features are compared in: around the
        mouth where the patch shows it, else its middle.
    """
    points = clip.landmarks[moment]
    if varied is None:
        pictures = np.concatenate([clip.portrait, clip.warps[moment], clip.targets[moment]], axis=2) / np.float32(255)
    else:
        rng, augment = varied
        affine, mirrored = patch_map(rng, augment, points, size)
        portrait = move_picture(clip.portrait, portrait_map(rng, augment, affine, size), size)
        others = [move_picture(picture, affine, size) for picture in (clip.warps[moment], clip.targets[moment])]
        stacked = np.stack([portrait, *others], axis=2) / np.float32(255)  # (s, s, 3 pictures, 3)
        pictures = recolour(rng, augment, stacked).reshape(size, size, 9)
        points = move_points(points, affine, mirrored)
    mouth = fill_mouth(points, size)
    if varied is not None:
        pictures = add_texture(rng, augment, pictures, mouth)
    drawn = np.dstack([draw_landmarks(points, size), mouth])
    middle = points[LIPS].mean(axis=0)
    if not (middle.min() > 0 and middle.max() < size):
        middle = np.full(2, size / 2)
    side = min(loss.seen, size)
    corner = np.clip(np.rint(middle - side / 2), 0, size - side).astype(np.int64)
    return pictures, drawn, 1 + loss.mouth * _around_lips(points, size), corner


def _around_lips(points: np.ndarray, size: int) -> np.ndarray:
    """A soft hill (size, size) over the mouth, 1 at its middle."""
    lips = points[LIPS]
    centre = (lips.min(axis=0) + lips.max(axis=0)) / 2
    reach = max(8.0, 0.7 * float(np.linalg.norm(points[54] - points[48])))
    centres = np.arange(size, dtype=np.float32) + 0.5
    across = ((centres - centre[0]) / reach) ** 2
    along = ((centres - centre[1]) / (0.8 * reach)) ** 2
    return np.exp(-0.5 * (across[None] + along[:, None])).astype(np.float32)


def stack_examples(examples: list[tuple[np.ndarray, ...]]) -> dict[str, Tensor]:
    """Examples (see `image_example`) as tensors, channels before rows."""
    pictures, drawn, weight, corner = (torch.from_numpy(np.stack(part)) for part in zip(*examples, strict=True))
    return {
        "pictures": pictures.permute(0, 3, 1, 2),
        "drawn": drawn.permute(0, 3, 1, 2),
        "weight": weight[:, None],
        "corner": corner,
    }


def cut(pictures: Tensor, corners: Sequence[Sequence[int]], side: int) -> Tensor:
    """The square at each picture's corner (column, row), (B, 3, side, side)."""
    parts = [
        picture[:, row : row + side, column : column + side]
        for picture, (column, row) in zip(pictures, corners, strict=True)
    ]
    return torch.stack(parts).contiguous(memory_format=torch.channels_last)
