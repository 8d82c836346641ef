"""Varies batches of pictures on the device that trains: place, softness and colour, as examples ask for.

A CPU varies some fifty mouths a second, a GPU learns from thousands; so workers send pictures as they lie on the disk,
and what to make of them.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


def reading_map(affine: np.ndarray, size: int) -> np.ndarray:
    """Where a varied picture reads its pixels: the inverse (2, 3) of a map of points, in halves of the side.

    Args:
        affine: (2, 3), from px of a square of `size` px to px of another of that size.
    """
    inverse = np.linalg.inv(affine[:, :2])
    shift = inverse @ (1.0 - 2.0 / size * affine[:, 2]) - 1.0
    return np.column_stack([inverse, shift]).astype(np.float32)


def varied(pictures: Tensor, maps: Tensor, soft: Tensor, mix: Tensor, gamma: Tensor) -> Tensor:
    """Pictures in other places, of fewer pixels and in other colours.

    Args:
        pictures: (B, P, S, S, 3) uint8, P pictures of each example. maps: (B, P, 2, 3), see `reading_map`.
        soft: (B,) pixels that one of a smaller picture covers; below 1.2 it stays as sharp as it is.
        mix: (B, 3, 3), new channels from old. gamma: (B,).

    Returns:
        (B, 3 · P, S, S) float32, 0–1.
    """
    count, each, size = pictures.shape[:3]
    flat = pictures.flatten(0, 1).permute(0, 3, 1, 2).float() / 255
    grid = functional.affine_grid(maps.flatten(0, 1), [len(flat), 3, size, size], align_corners=False)
    moved = functional.grid_sample(flat, grid, padding_mode="reflection", align_corners=False)
    moved = moved.view(count, 3 * each, size, size)
    moved = torch.cat([_softened(one, pixels) for one, pixels in zip(moved.split(1), soft.tolist(), strict=True)])
    coloured = torch.einsum("bij,bpjhw->bpihw", mix, moved.view(count, each, 3, size, size)).clamp(0, 1)
    return (coloured ** gamma.view(-1, 1, 1, 1, 1)).flatten(1, 2)


def _softened(pictures: Tensor, pixels: float) -> Tensor:
    """Pictures (1, C, S, S) as of a portrait with so much larger pixels."""
    size = pictures.shape[-1]
    if pixels < 1.2:
        return pictures
    small = functional.adaptive_avg_pool2d(pictures, round(size / pixels))
    return functional.interpolate(small, (size, size), mode="bicubic").clamp(0, 1)
