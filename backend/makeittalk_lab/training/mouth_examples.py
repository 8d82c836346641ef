"""What the mouth network learns from: moments of mouths up close, varied, as arrays and as batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from makeittalk.images.mouth_crop import SIZE
from makeittalk.images.mouth_image import draw_mouth, mouth_zone
from torch import Tensor

from ..data.mouth_frames import MouthFrames
from ..data.picture_augment import PictureAugment, colour_change, move_points, patch_map, portrait_map
from .image_examples import cut
from .varied_pictures import reading_map, varied

_SOFTEST = 5.0  # largest number of pixels of the square that one of a small portrait covers
_SEEN = 128  # px of the square around the opening: what critic and features look at


def mouth_example(
    frames: MouthFrames,
    moment: int,
    texture: np.ndarray | None = None,
    vary: tuple[np.random.Generator, PictureAugment] | None = None,
) -> dict[str, np.ndarray]:
    """One moment of a clip as arrays, and how to vary it, which is left to the device (`varied_pictures`).

    Args:
        texture: of the card, see `MouthFrames.warp`. vary: what to vary it by.

    Returns:
        shown: portrait, warp and target, (3, 256, 256, 3) uint8; maps, soft, mix, gamma: see `varied`.
        drawn: lips and jaw where the moment is varied to, (4, 256, 256) uint8; zone: (1, 256, 256) float32, what may
        change of it; corner: (2,), column and row of the square of 128 px around its opening.
    """
    clip = frames.clip
    shown = np.stack([np.asarray(clip.portrait), frames.warp(moment, texture), np.asarray(clip.targets[moment])])
    points, rest = np.asarray(clip.landmarks[moment]), np.asarray(clip.rest)
    affine = other = np.eye(2, 3)
    soft, mix, gamma = 1.0, np.eye(3, dtype=np.float32), 1.0
    if vary is not None:
        rng, augment = vary
        affine, mirrored = patch_map(rng, augment, points, SIZE)
        other = portrait_map(rng, augment, affine, SIZE)
        points, rest = move_points(points, affine, mirrored), move_points(rest, affine, mirrored)
        soft = float(np.exp(rng.uniform(-np.log(_SOFTEST), np.log(_SOFTEST))))
        mix, gamma = colour_change(rng, augment)
    inner = points[60:68]
    corner = np.rint((inner.min(axis=0) + inner.max(axis=0)) / 2 - _SEEN / 2)
    return {
        "shown": shown,
        "maps": np.stack([reading_map(way, SIZE) for way in (other, affine, affine)]),
        "soft": np.float32(soft),
        "mix": mix,
        "gamma": np.float32(gamma),
        "drawn": np.ascontiguousarray(draw_mouth(points, rest).transpose(2, 0, 1)),
        "zone": mouth_zone(points)[None],
        "corner": np.clip(corner, 0, SIZE - _SEEN).astype(np.int64),
    }


def stack_mouths(examples: Sequence[dict[str, np.ndarray]]) -> dict[str, Tensor]:
    """Examples (see `mouth_example`) as tensors."""
    return {name: torch.from_numpy(np.stack([example[name] for example in examples])) for name in examples[0]}


def mouth_pictures(batch: Mapping[str, Tensor]) -> Tensor:
    """Portraits, warps and targets of a batch as they are varied, (B, 9, 256, 256) float32 0–1."""
    return varied(batch["shown"], batch["maps"], batch["soft"], batch["mix"], batch["gamma"])


def around_opening(pictures: Tensor, corners: Tensor) -> Tensor:
    """The square of 128 px at each picture's corner (column, row): (B, C, 256, 256) → (B, C, 128, 128)."""
    return cut(pictures, corners.tolist(), _SEEN)
