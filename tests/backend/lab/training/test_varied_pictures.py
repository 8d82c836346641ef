"""Pictures varied on the device lie and look as the CPU's functions put them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from makeittalk_lab.data.picture_augment import PictureAugment, colour_change, move_picture, patch_map, recolour
from makeittalk_lab.training.varied_pictures import reading_map, varied

SIDE = 256


def smooth_picture(seed: int = 0) -> np.ndarray:
    coarse = torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(seed))
    fine = torch.nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bilinear", align_corners=False)
    return (fine[0].permute(1, 2, 0) * 255).byte().numpy()


@pytest.mark.parametrize("seed", range(3))
def test_place_and_colour_are_those_of_the_cpu(seed: int) -> None:
    augment = PictureAugment(shift=0.01, swap=1.0)
    affine, _ = patch_map(np.random.default_rng(seed), augment, np.zeros((68, 2)), SIDE)
    picture = smooth_picture(seed)
    wanted = recolour(np.random.default_rng(seed), augment, move_picture(picture, affine, SIDE) / np.float32(255))
    mix, gamma = colour_change(np.random.default_rng(seed), augment)
    found = varied(
        torch.from_numpy(picture)[None, None],
        torch.from_numpy(reading_map(affine, SIDE))[None, None],
        torch.ones(1),
        torch.from_numpy(mix)[None],
        torch.tensor([gamma]),
    )
    apart = np.abs(found[0].permute(1, 2, 0).numpy() - wanted)[16:-16, 16:-16]
    assert apart.mean() < 0.005 and apart.max() < 0.05


def test_softness_takes_fine_detail_and_leaves_the_light() -> None:
    grain = np.random.default_rng(0).integers(0, 255, (1, 1, SIDE, SIDE, 3), np.uint8)
    still = torch.from_numpy(reading_map(np.eye(2, 3), SIDE))[None, None]
    kept, soft = (
        varied(torch.from_numpy(grain), still, torch.tensor([pixels]), torch.eye(3)[None], torch.ones(1))
        for pixels in (1.0, 4.0)
    )
    assert np.array_equal(np.rint(kept[0].permute(1, 2, 0).numpy() * 255), grain[0, 0])
    assert soft.std() < 0.3 * kept.std()
    assert abs(float(soft.mean() - kept.mean())) < 0.01
