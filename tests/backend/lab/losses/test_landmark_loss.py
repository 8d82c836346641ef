"""The loss of the landmark branches."""

import numpy as np
import pytest
import torch
from makeittalk.landmarks.ibug68 import JAW, LIPS
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk_lab.losses.landmark_loss import LandmarkLoss, LandmarkLossWeights, laplacian_matrix

torch.set_num_threads(1)


def test_laplacian_ignores_a_part_that_moves_as_one():
    matrix = laplacian_matrix()
    shift = np.zeros((68, 3))
    shift[LIPS] = shift[JAW] = (1, 2, 3)
    assert np.abs(matrix @ shift).max() < 1e-6
    shift[66, 1] += 3
    assert (matrix @ shift)[66, 1] == pytest.approx(3)
    assert (matrix @ shift)[65, 1] == pytest.approx(-1.5)


def test_loss_is_least_for_the_truth_and_minds_shut_lips():
    loss = LandmarkLoss(LandmarkLossWeights())
    face = torch.tensor(MEAN_FACE, dtype=torch.float32)[None]
    shut = face.clone()
    shut[:, [65, 66, 67]] = shut[:, [63, 62, 61]]
    motion, mask = torch.zeros(1, 4, 68, 3), torch.ones(1, 4)
    assert loss(motion, motion, shut, mask)["loss"] == 0
    error = motion.clone()
    error[:, :, 66, 1] = 0.02
    opened = motion.clone()
    opened[:, :, [65, 66, 67], 1] = 0.2
    on_shut, on_open = loss(error, motion, shut, mask), loss(error + opened, opened, shut, mask)
    assert on_shut["distance"] == pytest.approx(on_open["distance"].item(), rel=1e-4)
    assert on_shut["gap"] > 3 * on_open["gap"]
    masked = loss(error, motion, shut, torch.zeros(1, 4))
    assert masked["loss"] == 0


def test_a_mouth_of_another_width_costs_what_its_weight_says():
    face, mask = torch.tensor(MEAN_FACE, dtype=torch.float32)[None], torch.ones(1, 4)
    still = torch.zeros(1, 4, 68, 3)
    rounded = still.clone()
    rounded[:, :, [48, 60], 0], rounded[:, :, [54, 64], 0] = 0.02, -0.02
    moved = still.clone()
    moved[:, :, [48, 54, 60, 64], 0] = 0.02
    plain = LandmarkLoss(LandmarkLossWeights())
    wide = LandmarkLoss(LandmarkLossWeights(width=2.0))
    assert wide(moved, still, face, mask)["loss"] == pytest.approx(plain(moved, still, face, mask)["loss"].item())
    off = wide(rounded, still, face, mask)
    assert off["width"] == pytest.approx((0.04 / 0.05) ** 2, rel=1e-4)
    assert off["loss"] - plain(rounded, still, face, mask)["loss"] == pytest.approx(2 * off["width"].item(), rel=1e-4)
