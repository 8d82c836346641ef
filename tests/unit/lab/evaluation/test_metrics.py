"""The metrics against numbers worked out by hand."""

import numpy as np
import pytest
from makeittalk.landmarks.measures import mouth_area
from makeittalk.landmarks.registration import neutral_frame, register, resample_landmarks
from makeittalk_lab.evaluation import metrics
from scipy.spatial.transform import Rotation

SHIFT = np.array([3, 4, 0])  # five long


def face(frames: int = 1) -> np.ndarray:
    """(T, 68, 3): a mouth 10 wide (48–54), a face 20 wide (0–16), everything else at the origin."""
    points = np.zeros((frames, 68, 3))
    points[:, 0, 0], points[:, 16, 0] = -10, 10
    points[:, 48, 0], points[:, 54, 0] = -5, 5
    return points


def square(size: float) -> np.ndarray:
    """Inner lips (8, 3) round a square of this side; depth must not count."""
    corners = np.array([(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (0, 1)], float) * size / 2
    return np.concatenate([corners, np.arange(8.0)[:, None]], axis=1)


def test_opening_is_a_distance_in_space():
    points = face()
    points[0, 66] = (0, 3, 4)
    assert metrics.opening(points) == pytest.approx([5])


def test_area_of_a_square_mouth():
    points = face()
    points[0, 60:68] = square(2)
    assert mouth_area(points) == pytest.approx([4])
    assert mouth_area(points * (-1, 1, 1)) == pytest.approx([4])


def test_lip_distance_counts_lips_and_jaw_only():
    reference, predicted = face(3), face(3)
    predicted[:, 17:48] += 100  # brows, nose and eyes have no say
    assert metrics.lip_distance(predicted, reference) == 0
    predicted[:, metrics.LIPS_AND_JAW] += SHIFT
    assert metrics.lip_distance(predicted, reference) == pytest.approx(50)  # 5 of a mouth 10 wide


def test_widest_mouth_of_the_clip_is_the_unit():
    reference = face(2)
    reference[1, 54, 0] = 15  # 20 wide in the second frame
    assert metrics.lip_distance(reference + SHIFT, reference) == pytest.approx(25)


def test_lip_velocity_distance():
    reference = face(4)
    predicted = reference + np.arange(4.0)[:, None, None] * (1, 0, 0)  # a pixel a frame
    assert metrics.lip_velocity_distance(predicted, reference) == pytest.approx(10)
    assert metrics.lip_velocity_distance(reference + 7, reference) == 0


def test_area_distance():
    reference, predicted = face(2), face(2)
    reference[0, 60:68] = square(2)  # areas 4 and 0
    predicted[:, 60:68] = square(np.sqrt(2))  # 2 and 2
    assert metrics.area_distance(predicted, reference) == pytest.approx(50)


def test_landmark_distances_are_shares_of_the_face():
    reference = face(3)
    assert metrics.landmark_distance(reference + SHIFT, reference) == pytest.approx(25)
    moving = reference + np.arange(3.0)[:, None, None] * (0, 2, 0)
    assert metrics.landmark_velocity_distance(moving, reference) == pytest.approx(10)


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [((0, 1, 2), (0, 2, 4), 1), ((0, 1, 2), (2, 1, 0), -1), ((1, 2, 3), (1, 3, 2), 0.5), ((1, 1, 1), (0, 2, 4), 0)],
)
def test_opening_correlation(first, second, value):
    predicted, reference = face(3), face(3)
    predicted[:, 66, 1], reference[:, 66, 1] = first, second
    assert metrics.opening_correlation(predicted, reference) == pytest.approx(value)


def test_register_undoes_a_similarity():
    rng = np.random.default_rng(0)
    neutral = rng.normal(size=(68, 3)) * 50
    turned = Rotation.from_euler("xyz", (0.2, -0.4, 0.1)).as_matrix()
    moved = 1.7 * neutral @ turned.T + (30, -20, 5)
    moved[66] += 9  # a lip that moves by itself must not pull the face along
    found = register(moved[None], neutral)[0]
    still = np.arange(68) != 66
    assert np.abs(found[still] - neutral[still]).max() < 1e-9
    assert np.linalg.norm(found[66] - neutral[66]) == pytest.approx(9 * np.sqrt(3) / 1.7)


def test_neutral_is_the_least_open_frame_of_the_first_fifth():
    points = face(20)
    points[:, 66, 1] = 5
    points[2, 66, 1] = 1
    points[10, 66, 1] = 0  # shut, but too late to be the rest
    assert neutral_frame(points) == 2


def test_resampling_keeps_the_clock():
    points = face(6)
    points[:, 66, 1] = np.arange(6)  # 25 frames/s: 0.2 s
    found = resample_landmarks(points, 25.0)
    assert found[:, 66, 1] == pytest.approx(np.arange(13) * 0.4)


def test_rotation_distance_is_the_angle_between_heads():
    still = np.zeros((3, 3))
    assert metrics.rotation_distance(still + np.radians([0, 10, 0]), still) == pytest.approx(10)
    assert metrics.rotation_distance(still, still) == 0
    angles = np.random.default_rng(1).uniform(-1, 1, (5, 3))
    assert np.abs(metrics.rotation_matrices(angles) - Rotation.from_euler("xyz", angles).as_matrix()).max() < 1e-12


def test_position_distance():
    assert metrics.position_distance(np.full((2, 3), (3.0, 4.0, 0.0)), np.zeros((2, 3)), 50.0) == pytest.approx(10)


def test_closure_score():
    openings = np.array([3.0, 3.0, 1.0, 1.0])  # deviation 1
    assert metrics.closure_score(openings, [(0, 2, "AA1"), (2, 4, "P")], rate=1.0) == pytest.approx(2)
    assert metrics.closure_score(openings, [(0, 2, "M"), (2, 4, "IY0")], rate=1.0) == pytest.approx(-2)
    assert np.isnan(metrics.closure_score(openings, [(0, 2, "AA1"), (2, 4, "S")], rate=1.0))


def test_head_statistics_of_a_swing():
    time = np.arange(625) / 62.5
    swing = np.zeros((625, 3))
    swing[:, 1] = np.radians(10 * np.sin(2 * np.pi * 2 * time))
    found = metrics.head_statistics(swing)
    assert found["turn spread"] == pytest.approx(10 / np.sqrt(2), rel=1e-3)
    assert found["nod spread"] == found["tilt spread"] == 0
    assert found["peak speed"] == pytest.approx(10 * 2 * np.pi * 2, rel=0.01)
    assert found["slow power"] > 0.999
    swing[:, 1] = np.sin(2 * np.pi * 8 * time)
    assert metrics.head_statistics(swing)["slow power"] < 0.001


def test_two_voices_differ_more_than_one_from_itself():
    time = np.arange(1250)[:, None] / 62.5
    lively = 0.2 * np.sin(2 * np.pi * time * (0.7, 1.1, 0.5))
    calm = lively / 8
    assert metrics.voice_contrast([lively, calm], ["a", "b"]) > 10
    assert metrics.voice_contrast([lively, lively[::-1]], ["a", "b"]) < 1
    assert np.isnan(metrics.voice_contrast([lively, calm], ["a", "a"]))


def test_best_correlation_forgives_a_lag():
    time = np.arange(200) / 62.5
    predicted, reference = face(200), face(200)
    reference[:, 66, 1] = 2 + np.sin(2 * np.pi * 3 * time)
    predicted[:, 66, 1] = 2 + np.sin(2 * np.pi * 3 * (time - 6 / 62.5))
    assert metrics.opening_correlation(predicted, reference) < 0
    assert metrics.best_correlation(predicted, reference) == pytest.approx(1)
    assert metrics.best_correlation(reference, predicted) == pytest.approx(1)
    predicted[:, 66, 1] = 2 + np.sin(2 * np.pi * 3 * (time - 10 / 62.5))  # too far: 0.16 s
    assert metrics.best_correlation(predicted, reference) < 0.9
    assert metrics.best_correlation(face(2), face(2)) == 0
