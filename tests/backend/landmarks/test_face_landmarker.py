"""MediaPipe's face landmarker: boxes, points, and no word on the terminal."""

from pathlib import Path

import numpy as np
import pytest
from command_line import python
from makeittalk.landmarks.face_landmarker import Landmarker, find_boxes, still_landmarker
from makeittalk.weights.cache import release_loaded
from PIL import Image


@pytest.fixture(scope="module")
def square(astronaut: Path) -> np.ndarray:
    return np.array(Image.open(astronaut).convert("RGB").resize((512, 512), Image.Resampling.LANCZOS))


def test_a_box_holds_the_face(square: np.ndarray) -> None:
    (box,) = find_boxes(square, 0.5)
    (points,) = still_landmarker().points(square)
    assert points.shape == (68, 3) and 0.5 < box.score <= 1
    assert (np.abs(points[:, :2].mean(0) - box.centre) < 0.1 * box.side).all()
    assert 0.8 < np.ptp(points[:, 0]) / box.side < 1.3
    for eye, found in zip((points[36:42], points[42:48]), box.eyes, strict=True):
        assert np.linalg.norm(eye[:, :2].mean(0) - found) < 0.05 * box.side


def test_each_picture_counts_by_itself(square: np.ndarray) -> None:
    """Nothing is smoothed over time: after a jump the points are at once where they are in the still."""
    landmarker = Landmarker(faces=1)
    moved = np.roll(square, 60, axis=1)
    (first,), (jumped,), (again,) = (landmarker.points(picture) for picture in (square, moved, square))
    landmarker.close()
    np.testing.assert_array_equal(first, again)
    assert abs((jumped - first)[:, 0] - 60).max() < 2


def test_what_was_released_is_loaded_again(square: np.ndarray) -> None:
    before = still_landmarker()
    points = before.points(square)[0]
    release_loaded()
    assert still_landmarker() is not before
    np.testing.assert_array_equal(still_landmarker().points(square)[0], points)


def test_what_is_left_open_ends_in_silence() -> None:
    run = python("-c", "from makeittalk.landmarks.face_landmarker import Landmarker; left_open = Landmarker(faces=1)")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
