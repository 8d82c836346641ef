"""Head pose and expression: known motions come back, and the way back is exact."""

import numpy as np
import pytest
from makeittalk.exchange.constants import CANONICAL_JAW
from makeittalk.landmarks.ibug68 import MIRROR, STABLE
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.landmarks.pose import Canonical, compose_pose, fit_rigid, neck_pivot, split_pose
from scipy.spatial.transform import Rotation


def portrait(width: float = 256.0, turn: tuple[float, float, float] = (0, 0, 0), middle=(300.0, 340.0, 0.0)):
    face = MEAN_FACE * width / CANONICAL_JAW
    return face @ Rotation.from_euler("xyz", turn, degrees=True).as_matrix().T + middle


def angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Degrees between rotations given as Euler angles."""
    difference = Rotation.from_euler("xyz", a) * Rotation.from_euler("xyz", b).inv()
    return np.degrees(difference.magnitude())


def motion(rng: np.random.Generator, frames: int, largest: float) -> tuple[np.ndarray, np.ndarray]:
    return np.radians(rng.uniform(-largest, largest, (frames, 3))), rng.uniform(-40, 40, (frames, 3))


@pytest.mark.parametrize("width, middle", [(64, (60, 60, 0)), (256, (300, 340, 0)), (7000, (4096, 4096, 0))])
def test_round_trip_is_exact(width, middle):
    """Any landmarks, any pose up to 80°, any portrait up to the largest: 0.01 px."""
    rng = np.random.default_rng(1)
    neutral = portrait(width, (5, -20, 8), middle)
    expression = rng.normal(0, 0.03 * width, (300, 68, 3))
    rotation, translation = motion(rng, 300, 80)
    landmarks = compose_pose(neutral, expression, rotation, translation, neck_pivot(neutral))
    parts = split_pose(landmarks, neutral, neck_pivot(neutral))
    assert [part.dtype for part in parts] == [np.float32] * 3
    again = compose_pose(neutral, parts[2], parts[0], parts[1], neck_pivot(neutral))
    assert np.abs(again - landmarks).max() < 0.01


def test_compose_is_the_formula():
    """R (neutral + expression − pivot) + pivot + t, written out for one point."""
    rng = np.random.default_rng(2)
    neutral, pivot = portrait(), np.array([310.0, 400.0, 30.0])
    expression, rotation, translation = (
        rng.normal(0, 4, (5, 68, 3)),
        rng.normal(0, 0.3, (5, 3)),
        rng.normal(0, 9, (5, 3)),
    )
    result = compose_pose(neutral, expression, rotation, translation, pivot)
    matrix = Rotation.from_euler("xyz", rotation[3]).as_matrix()
    expected = matrix @ (neutral[57] + expression[3, 57] - pivot) + pivot + translation[3]
    np.testing.assert_allclose(result[3, 57], expected, atol=1e-3)


def test_a_still_face_has_neither_pose_nor_expression():
    neutral = portrait()
    rotation, translation, expression = split_pose(np.repeat(neutral[None], 4, 0), neutral, neck_pivot(neutral))
    assert np.abs(rotation).max() < 1e-5 and np.abs(translation).max() < 1e-2 and np.abs(expression).max() < 1e-2


def test_rigid_motion_is_found_exactly():
    rng = np.random.default_rng(3)
    neutral = portrait(turn=(0, 25, 0))
    rotation, translation = motion(rng, 200, 20)
    pivot = neck_pivot(neutral)
    landmarks = compose_pose(neutral, np.zeros((200, 68, 3)), rotation, translation, pivot)
    found, moved, expression = split_pose(landmarks, neutral, pivot)
    assert angle(found, rotation).max() < 0.01
    assert np.abs(moved - translation).max() < 0.05
    assert np.abs(expression).max() < 0.05


def test_blinks_and_brows_do_not_turn_the_head():
    rng = np.random.default_rng(4)
    neutral = portrait()
    expression = np.zeros((200, 68, 3))
    expression[:, 17:27, 1] -= rng.uniform(0, 15, (200, 1))
    expression[:, [37, 38, 43, 44], 1] += rng.uniform(0, 14, (200, 1))
    expression[:, 48:68, 1] += rng.uniform(0, 30, (200, 1))
    rotation, translation = motion(rng, 200, 20)
    pivot = neck_pivot(neutral)
    landmarks = compose_pose(neutral, expression, rotation, translation, pivot)
    found, _, split = split_pose(landmarks, neutral, pivot)
    assert angle(found, rotation).max() < 0.2
    assert np.linalg.norm(split - expression, axis=2).max() < 0.004 * 256


def test_scale_is_found_where_asked_for():
    neutral = portrait()
    scale = np.linspace(0.5, 2.0, 20)
    points = (neutral - neutral[30]) * scale[:, None, None] + neutral[30]
    rotation, translation, found = fit_rigid(points, neutral, scale=True)
    np.testing.assert_allclose(found, scale, rtol=1e-6)
    np.testing.assert_allclose(rotation, np.repeat(np.eye(3)[None], 20, 0), atol=1e-6)
    fitted = found[:, None, None] * neutral @ rotation.transpose(0, 2, 1) + translation[:, None]
    np.testing.assert_allclose(fitted, points, atol=1e-3)
    assert (fit_rigid(points, neutral)[2] == 1).all()


def test_fit_never_mirrors():
    """A mirrored face is answered by a rotation, not a reflection."""
    mirrored = portrait() * (-1, 1, 1)
    rotation = fit_rigid(mirrored[None], portrait(), STABLE)[0]
    np.testing.assert_allclose(np.linalg.det(rotation), 1.0, atol=1e-9)


class TestCanonical:
    turns = ((0, 0, 0), (12, 0, 0), (0, 30, 0), (0, -30, 0), (5, 20, -15), (-10, -28, 20))

    @pytest.mark.parametrize("turn", turns)
    def test_frame(self, turn):
        """Frontal, 1.6 wide, centred between the jaw ends, whatever the portrait's pose and size."""
        face = portrait(180, turn)
        frame = Canonical.of(face)
        points = frame.to_canonical(face)
        np.testing.assert_allclose(points[0] + points[16], 0, atol=1e-9)
        assert np.linalg.norm(points[16] - points[0]) == pytest.approx(CANONICAL_JAW)
        np.testing.assert_allclose(points, MEAN_FACE, atol=0.01)
        np.testing.assert_allclose(frame.from_canonical(points), face, atol=1e-9)
        np.testing.assert_allclose(frame.R @ frame.R.T, np.eye(3), atol=1e-9)

    def test_displacements(self):
        face = portrait(180, (0, 30, 0))
        frame = Canonical.of(face)
        delta = np.random.default_rng(5).normal(0, 0.1, (7, 68, 3))
        moved = frame.from_canonical(frame.to_canonical(face) + delta)
        np.testing.assert_allclose(moved - face, frame.displacement_from(delta), atol=1e-9)
        np.testing.assert_allclose(frame.displacement_to(frame.displacement_from(delta)), delta, atol=1e-12)

    @pytest.mark.parametrize("turn", turns)
    def test_a_crooked_face_is_not_made_more_so(self, turn):
        """A raised brow and a half smile on one side do not turn the frame."""
        face = MEAN_FACE.copy()
        face[22:27, 1] -= 0.1
        face[[53, 54, 55, 64]] += (0.06, -0.08, 0.03)
        turned = face @ Rotation.from_euler("xyz", turn, degrees=True).as_matrix().T * 120 + (300, 200, 0)
        points = Canonical.of(turned).to_canonical(turned)
        unmoved = np.setdiff1d(np.arange(48), np.arange(17, 27))
        lopsided = points[unmoved] - points[MIRROR[unmoved]] * (-1, 1, 1)
        assert np.linalg.norm(lopsided, axis=1).max() < 0.03

    def test_neck_lies_below_and_behind_the_face(self):
        for turn in self.turns:
            face = portrait(turn=turn)
            frame = Canonical.of(face)
            neck = frame.to_canonical(neck_pivot(face))
            chin = frame.to_canonical(face[8])
            assert abs(neck[0]) < 0.01 and 0.3 < neck[1] < chin[1] and neck[2] > 0
