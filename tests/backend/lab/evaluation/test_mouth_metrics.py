"""What is seen between the lips, on pictures whose figures are known, and on a mesh that moves."""

import numpy as np
import pytest
from makeittalk.landmarks.ibug68 import LIP_INNER, LIP_OUTER
from makeittalk.landmarks.measures import openness
from makeittalk_lab.evaluation.mouth_metrics import (
    change,
    detail,
    inner_masks,
    inside_error,
    mouth_scores,
    shut_frame,
    speaking_stretch,
    still_mouth,
    still_scores,
)
from makeittalk_lab.evaluation.reenactment import reenact


def _mouth(gap: float, left: float = 20.0) -> np.ndarray:
    """Landmarks (68, 3) of a face 160 px wide whose inner lips are a rectangle 24 px wide and `gap` px high."""
    points = np.zeros((68, 3), np.float32)
    points[:17, 0] = np.linspace(0, 160, 17)
    right = left + 24.0
    points[LIP_OUTER, :2] = [left - 3, 30]
    points[54, :2] = [right + 3, 30]
    top, bottom = 30 - gap / 2, 30 + gap / 2
    xs = np.linspace(left, right, 4)
    points[LIP_INNER, :2] = [*((x, top) for x in xs), *((x, bottom) for x in xs[::-1])]
    # 62 and 66 stand above each other, as far apart as the lips.
    points[[62, 66], 0] = left + 12
    return points


def test_the_mask_holds_the_pixels_whose_centres_lie_inside():
    masks = inner_masks(np.stack([_mouth(10), _mouth(0)]), np.array([10, 20]), 20, 40)
    rows, columns = np.nonzero(masks[0])
    assert (rows.min() + 20, rows.max() + 20) == (25, 34)
    assert (columns.min() + 10, columns.max() + 10) == (20, 43)
    assert masks[0].sum() == 240 and not masks[1].any()


def test_error_counts_only_what_is_between_the_lips():
    landmarks = np.stack([_mouth(10), _mouth(4)])
    truth = np.full((2, 60, 80, 3), 100, np.uint8)
    made = truth + np.uint8(90)
    made[:, 25:35, 20:44] = 100
    made[0, 25:35, 20:44] += np.uint8(7)
    # 240 pixels of the first frame are off by 7, 96 of the second by nothing.
    assert inside_error(made, truth, landmarks) == pytest.approx(7 * 240 / 336)
    assert np.isnan(inside_error(made[:1], truth[:1], np.stack([_mouth(0)])))
    assert np.isnan(inside_error(made[:0], truth[:0], landmarks[:0]))


def test_detail_is_the_share_of_the_films_own():
    rng = np.random.default_rng(2)
    landmarks = np.stack([_mouth(12)] * 3)
    truth = np.repeat(rng.integers(60, 180, (3, 60, 80, 1)), 3, axis=3).astype(np.uint8)
    assert detail(truth, truth, landmarks) == pytest.approx(1.0)
    half = (120 + (truth.astype(np.float32) - 120) / 2).astype(np.uint8)
    assert detail(half, truth, landmarks) == pytest.approx(0.5, abs=0.02)
    assert detail(np.full_like(truth, 90), truth, landmarks) == 0.0
    assert np.isnan(detail(truth, np.full_like(truth, 90), landmarks))


def test_change_is_measured_inside_either_frames_lips():
    landmarks = np.stack([_mouth(4), _mouth(10)])
    frames = np.zeros((2, 60, 80, 3), np.uint8)
    frames[1, 25:35, 20:44] = 6
    frames[1, :20] = 255  # far from the mouth
    assert change(frames, landmarks, np.array([[0, 1]])) == pytest.approx(6.0)
    frames[1, 28:32] = 0
    assert change(frames, landmarks, np.array([[0, 1]])) == pytest.approx(6.0 * 0.6)
    assert np.isnan(change(frames, landmarks, np.zeros((0, 2), int)))


def test_flicker_is_a_ratio_over_consecutive_frames_and_error_leaves_the_portrait_out():
    landmarks = np.stack([_mouth(gap) for gap in (10, 10, 2, 10, 10)])
    moments = np.array([0, 1, 2, 6, 7])
    truth = np.full((5, 60, 80, 3), 50, np.uint8)
    truth[[1, 4]] += np.uint8(4)
    truth[3] = 200  # does not follow on frame 2: its leap is no flicker
    truth[4] = 204
    flat = np.repeat(truth[:1], 5, axis=0)
    rows = mouth_scores({"same": truth, "flat": flat}, truth, landmarks, moments, portrait=0)
    assert rows["same"]["inside MAE"] == 0.0 and rows["same"]["flicker"] == pytest.approx(1.0)
    assert rows["flat"]["flicker"] == 0.0
    # Open and not the portrait: frames 1, 6 and 7, off by 4, 150 and 154.
    assert rows["flat"]["inside MAE"] == pytest.approx((4 + 150 + 154) / 3)
    assert rows["same"]["open SSIM"] == pytest.approx(1.0)
    assert rows["flat"]["open PSNR"] == pytest.approx(20 * np.log10(255 / np.array([4, 150, 154])).mean())


def test_frames_are_chosen_by_the_lips():
    gaps = np.full(60, 3.0)
    gaps[:15] = [5, 6, 4, 1.5, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1]
    gaps[30:50] = 6 + 5 * np.sin(np.arange(20.0))
    landmarks = np.stack([_mouth(gap) for gap in gaps])
    assert openness(landmarks[0]) == pytest.approx(5 / 30)
    assert shut_frame(landmarks) == 3  # 12 to 14 are wider shut, but beyond the first fifth
    stretch = speaking_stretch(landmarks, 22)
    assert stretch[0] in range(27, 31) and len(stretch) == 22 and (np.diff(stretch) == 1).all()
    assert speaking_stretch(landmarks[:8]).tolist() == list(range(8))


def test_a_still_mouth_is_the_widest_and_trembles_by_a_tenth_of_a_pixel():
    landmarks = np.stack([_mouth(gap) for gap in (2, 9, 4)])
    held = still_mouth(landmarks)
    assert (held[[0, 1, -1]] == landmarks[1]).all() and (held[..., 2] == landmarks[1, :, 2]).all()
    noise = (held[2:-1] - landmarks[1])[..., :2]
    # The face is 160 px wide, so that its square has 240: a tenth of 256 px is 0.094 here.
    assert noise.std() == pytest.approx(0.1 * 240 / 256, rel=0.1) and abs(noise).max() < 0.5
    frames = np.zeros((9, 60, 80, 3), np.uint8)
    assert still_scores(frames, held) == {"still": 0.0, "trembling": 0.0}
    frames[-1] = 3  # other than the first two
    frames[2:8:2] = 2
    assert still_scores(frames, held) == pytest.approx({"still": 1.5, "trembling": 2.0})


def test_a_warped_film_is_measured(filmed):
    pictures, landmarks = filmed
    result = reenact("one", pictures, landmarks, {}, mouth=True)
    rows = result.scores()
    # These frames are the mesh's own, but for how far its lips reach into the corners.
    assert rows["warp"]["inside MAE"] < 0.5 * rows["portrait"]["inside MAE"]
    assert 0.5 < rows["warp"]["detail"] < 1.2
    assert 0.5 < rows["warp"]["flicker"] < 1.2 and rows["portrait"]["flicker"] == 0.0
    assert rows["warp"]["still"] == 0.0 < rows["warp"]["trembling"] < 6.0
    # What is compared one by one stays every third frame.
    assert rows["warp"]["mouth PSNR"] == reenact("one", pictures, landmarks, {}).scores()["warp"]["mouth PSNR"]
    assert len(result.truth) == 3
