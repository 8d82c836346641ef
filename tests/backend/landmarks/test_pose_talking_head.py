"""Head pose of talking heads whose true pose is known: ICT-FaceKit identities with random speech expressions."""

import numpy as np
import pytest
from makeittalk.landmarks.ibug68 import MIRROR
from makeittalk.landmarks.pose import Canonical, compose_pose, neck_pivot, split_pose
from scipy.spatial.transform import Rotation

pytestmark = pytest.mark.data
PIXELS = 20.0  # a centimetre: faces are 290 px wide


class Heads:
    """Landmarks of the morphable head, in pixels: x right, y down, z away."""

    def __init__(self, path):
        with np.load(path) as data:
            indices, axes = data["landmarks68"], (PIXELS, -PIXELS, -PIXELS)
            self.neutral = data["neutral"][indices] * axes
            self.expressions = data["expressions"][:, indices].astype(np.float64) * axes
            self.identities = data["identities"][:, indices].astype(np.float64) * axes
            self.names = [str(name) for name in data["expression_names"]]

    def face(self, rng):
        return self.neutral + np.tensordot(rng.normal(0, 1, len(self.identities)), self.identities, 1) + (300, 400, 0)

    def talk(self, rng, frames, share=0.15):
        """Each speech expression is on in that share of the frames, at any strength."""
        speech = [name.startswith(("jaw", "mouth", "eyeBlink", "brow")) for name in self.names]
        shape = (frames, len(self.names))
        weights = rng.random(shape) * (rng.random(shape) < share) * np.array(speech)
        return np.tensordot(weights, self.expressions, 1)


@pytest.fixture(scope="module")
def heads(data_dir):
    return Heads(data_dir / "ict_facekit.npz")


@pytest.mark.parametrize("axes", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)])
def test_pose_of_a_talking_head(heads, axes):
    """±20° about each axis and all together: within 1°, with less than 2 % of the face's width in the expression."""
    rng = np.random.default_rng(sum(axes) + 10 * axes[0])
    for _ in range(6):
        face = heads.face(rng)
        expression = heads.talk(rng, 200)
        rotation = np.radians(rng.uniform(-20, 20, (200, 3))) * axes
        translation = rng.uniform(-30, 30, (200, 3))
        pivot = neck_pivot(face)
        landmarks = compose_pose(face, expression, rotation, translation, pivot)
        found, moved, split = split_pose(landmarks, face, pivot)
        error = np.degrees((Rotation.from_euler("xyz", rotation) * Rotation.from_euler("xyz", found).inv()).magnitude())
        leak = np.linalg.norm(split - expression, axis=2) / np.linalg.norm(face[16] - face[0])
        assert error.max() < 1.0 and error.mean() < 0.35
        assert leak.max() < 0.02 and leak.mean() < 0.003
        again = compose_pose(face, split, found, moved, pivot)
        assert np.abs(again - landmarks).max() < 0.01


def test_talking_alone_does_not_nod(heads):
    """A still head that speaks for 10 s stays still to a fraction of a degree."""
    rng = np.random.default_rng(5)
    face = heads.face(rng)
    expression = heads.talk(rng, 600)
    found, _, _ = split_pose(face + expression, face, neck_pivot(face))
    assert np.degrees(np.abs(found)).max() < 1.0
    assert np.degrees(found).std(0).max() < 0.3


def test_canonical_frame_of_many_people(heads):
    """Frontal faces are found frontal: turn and tilt to 1.5°, nod to 4°, for a hundred identities."""
    rng = np.random.default_rng(6)
    angles = np.array(
        [Rotation.from_matrix(Canonical.of(heads.face(rng)).R).as_euler("xyz", degrees=True) for _ in range(100)]
    )
    assert np.abs(angles[:, 1:]).max() < 1.5
    assert np.abs(angles[:, 0]).max() < 4.0 and angles[:, 0].std() < 1.2


@pytest.mark.parametrize("yaw", [-30, -15, 15, 30])
def test_turned_portraits_are_not_lopsided(heads, yaw):
    """The canonical landmarks of a three-quarter portrait are those of the same face seen from the front."""
    rng = np.random.default_rng(7)
    for _ in range(10):
        face = heads.face(rng)
        turn = Rotation.from_euler("xyz", (6, yaw, 8), degrees=True).as_matrix()
        straight, turned = (Canonical.of(f).to_canonical(f) for f in (face, face @ turn.T))
        np.testing.assert_allclose(turned, straight, atol=1e-3)
        assert np.linalg.norm(turned - turned[MIRROR] * (-1, 1, 1), axis=1).max() < 0.06


def test_a_smile_does_not_tilt_the_frame(heads):
    """An open smile is a usual portrait; its frame stays within 3° of the same face at rest."""
    names = ("mouthSmile_L", "mouthSmile_R", "jawOpen", "cheekSquint_L", "cheekSquint_R")
    smile = sum(heads.expressions[heads.names.index(name)] * (0.4 if name == "jawOpen" else 1.0) for name in names)
    rng = np.random.default_rng(8)
    for _ in range(20):
        face = heads.face(rng)
        change = Canonical.of(face + smile).R @ Canonical.of(face).R.T
        assert np.degrees(Rotation.from_matrix(change).magnitude()) < 3.0
