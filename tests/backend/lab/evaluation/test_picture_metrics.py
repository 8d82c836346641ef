"""PSNR and SSIM in the boxes of the face."""

import numpy as np
import pytest
from makeittalk.landmarks.ibug68 import LIPS
from makeittalk_lab.evaluation.picture_metrics import compare, face_box, mouth_box


def test_boxes_and_figures_are_those_of_the_definition():
    points = np.zeros((68, 2))
    points[LIPS] = [[40, 50], [60, 50], [50, 56], *([[50, 53]] * 17)]
    assert mouth_box(points).tolist() == [35, 45, 65, 61]
    assert face_box(points).tolist() == [0, 0, 60, 56]
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 200, (64, 64, 3)).astype(np.uint8)
    assert compare(truth, truth, np.array([0, 0, 64, 64]))["SSIM"] == pytest.approx(1.0)
    off = compare(truth + np.uint8(5), truth, np.array([0, 0, 64, 64]))
    assert off["PSNR"] == pytest.approx(20 * np.log10(255 / 5), abs=1e-6)
