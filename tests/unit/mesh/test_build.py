"""The portrait's mesh: its shape, what its vertices follow, and that nothing folds."""

from __future__ import annotations

from pathlib import Path

import faces
import numpy as np
import pytest
from makeittalk.animation.basis import UNMARKED
from makeittalk.exchange import formats
from makeittalk.exchange.constants import GAZE_KEYS
from makeittalk.exchange.errors import InputError
from makeittalk.landmarks.face_frame import FaceFrame
from makeittalk.mesh.build import _plane, build_mesh
from makeittalk.mesh.deform import deform, displacements, signed_areas
from makeittalk.mesh.landmark_repair import repair_landmarks
from makeittalk.mesh.triangulation import missing_edges

STILL = np.zeros(3)
TURNS = [np.deg2rad([pitch, yaw, 0.0]) for pitch in (-20, 0, 20) for yaw in (-20, 0, 20)]
FACES = {
    "frontal": faces.portrait(),
    "ajar": faces.portrait(gape=0.05),
    "open": faces.portrait(gape=0.2),
    "turned right": faces.portrait((0.0, 30.0, 0.0)),
    "turned left": faces.portrait((0.0, -30.0, 0.0)),
    "looking down": faces.portrait((12.0, 10.0, 0.0)),
    "rolled": faces.portrait((0.0, 0.0, 30.0)),
    "tiny": faces.portrait(width=12.0),
    "huge": faces.portrait(width=700.0),
    "at the edge": faces.portrait() + [150.0, 60.0, 0.0],
    "partly outside": faces.portrait() - [230.0, 150.0, 0.0],
}


def face_of(landmarks: np.ndarray, width: int = 512, height: int = 512) -> formats.Face:
    return formats.Face(Path("portrait.png"), width, height, np.asarray(landmarks, np.float32))


def mesh_of(landmarks: np.ndarray, width: int = 512, height: int = 512) -> formats.Mesh:
    return build_mesh(face_of(landmarks, width, height), np.full((height, width, 4), 200, np.uint8))


@pytest.fixture(scope="module", params=FACES, name="mesh")
def any_mesh(request: pytest.FixtureRequest) -> formats.Mesh:
    return mesh_of(FACES[request.param])


@pytest.fixture(scope="module")
def frontal() -> formats.Mesh:
    return mesh_of(FACES["ajar"])


def key(mesh: formats.Mesh, *names: str) -> np.ndarray:
    found = np.isin(mesh.key_names, names)
    assert found.sum() == len(names)
    return mesh.key_landmarks[found].sum(axis=0)


def test_nothing_is_folded_at_rest(mesh: formats.Mesh) -> None:
    assert (signed_areas(mesh.vertices, mesh.triangles) > 0).all()


def test_the_mesh_is_neither_coarse_nor_heavy(mesh: formats.Mesh) -> None:
    assert 600 <= len(mesh.vertices) <= 1100


def test_density_does_not_depend_on_the_picture() -> None:
    large = mesh_of(FACES["frontal"] * 8, 4096, 4096)
    assert 600 <= len(large.vertices) <= 1100


@pytest.mark.parametrize("name", ["", "jawOpen"])
def test_no_triangle_flips_when_the_head_turns(mesh: formats.Mesh, name: str) -> None:
    expression = key(mesh, name) if name else np.zeros((68, 3))
    areas = signed_areas(deform(mesh, np.stack([expression] * 9), np.array(TURNS), STILL), mesh.triangles)
    assert areas.min() > 0


def test_landmarks_move_their_own_vertices_and_no_others(mesh: formats.Mesh) -> None:
    np.testing.assert_array_equal(mesh.W[mesh.landmark_vertices], np.eye(68))
    assert len(set(mesh.landmark_vertices.tolist())) == 68
    np.testing.assert_array_equal(mesh.head_weights[mesh.landmark_vertices], 1)


def test_weights_are_bounded_and_vanish_at_the_border(mesh: formats.Mesh) -> None:
    total = mesh.W.sum(axis=1)
    assert total.min() > -1e-5 and total.max() < 1 + 1e-5
    assert mesh.W.min() > -0.25 and mesh.W.max() < 1.25  # splines swing a little, nothing else does
    plane = np.unique(mesh.triangles[mesh.material == 0])
    xy = mesh.vertices[plane, :2]
    border = plane[((xy == xy.min(axis=0)) | (xy == xy.max(axis=0))).any(axis=1)]
    assert len(border) >= 8
    assert np.abs(mesh.W[border]).max() == 0 and mesh.head_weights[border].max() == 0
    assert np.ptp(mesh.vertices[border, 2]) < 1e-6
    assert mesh.head_weights.min() >= 0 and mesh.head_weights.max() <= 1


def test_the_plane_covers_the_picture_and_keeps_its_pixels(mesh: formats.Mesh) -> None:
    plane = np.unique(mesh.triangles[mesh.material == 0])
    low, high = mesh.vertices[plane, :2].min(axis=0), mesh.vertices[plane, :2].max(axis=0)
    assert (low <= 0).all() and (high >= 512).all()
    lined = np.abs(mesh.uv[plane] * [512, -512] + [0, 512] - mesh.vertices[plane, :2]).max(axis=1)
    assert np.median(lined) < 1e-3
    areas = float(np.abs(signed_areas(mesh.vertices, mesh.triangles[mesh.material == 0])).sum())
    hole = 0.02 * areas
    assert areas == pytest.approx(float(np.prod(high - low)), abs=hole)


def test_keys_are_what_the_weights_make_of_the_landmarks(frontal: formats.Mesh) -> None:
    assert "jawOpen" in frontal.key_names
    expected = displacements(frontal, frontal.key_landmarks)
    more = np.abs(frontal.keys - expected).max(axis=(1, 2)) > 1e-5
    soft = {*GAZE_KEYS, *UNMARKED, "cheekPuff", "cheekSquintLeft", "cheekSquintRight"}  # move what no landmark tells of
    assert set(frontal.key_names[more].tolist()) <= soft
    moved = frontal.keys[:, frontal.landmark_vertices]
    np.testing.assert_allclose(moved[..., :2], frontal.key_landmarks[..., :2], atol=1e-4)
    np.testing.assert_allclose(moved[..., 2], frontal.key_landmarks[..., 2] * frontal.depth_scale, atol=1e-4)


@pytest.mark.parametrize("name", FACES)
def test_the_triangles_follow_the_face_lines(name: str) -> None:
    landmarks = np.asarray(FACES[name], np.float64)
    frame = FaceFrame.of(landmarks, 512, 512)
    contours, points, triangles = _plane(repair_landmarks(landmarks, frame), frame)
    loops = np.isin(contours.edge_curves, ["lips", "eye_right", "eye_left"])
    missing = missing_edges(triangles, contours.edges, len(points))
    assert not missing[loops].any()
    if "turned" not in name:  # on a turned head the far jaw may cross other lines
        assert not missing.any()
    np.testing.assert_allclose(contours.rows.sum(axis=1), 1, atol=1e-9)
    # Curves run through their landmarks and stay close to them.
    np.testing.assert_array_equal(contours.rows[contours.landmark_vertices], np.eye(68))


def test_shut_lips_and_lids_leave_no_hole() -> None:
    landmarks = np.asarray(FACES["open"], np.float64)
    frame = FaceFrame.of(landmarks, 512, 512)
    tidy = repair_landmarks(landmarks, frame)
    contours, _points, triangles = _plane(tidy, frame)
    upper, lower = contours.upper_chain, contours.lower_chain
    assert upper[0] == lower[0] == contours.landmark_vertices[60]
    assert upper[-1] == lower[-1] == contours.landmark_vertices[64]
    used = np.isin(triangles, upper) | np.isin(triangles, lower)
    assert used.any() and not (np.isin(triangles, upper[5:-5]).any(1) & np.isin(triangles, lower[5:-5]).any(1)).any()
    for above, below in ((61, 67), (62, 66), (63, 65), (37, 41), (38, 40), (43, 47), (44, 46)):
        tidy[[above, below]] = (tidy[above] + tidy[below]) / 2
    shut = contours.rows @ tidy
    np.testing.assert_allclose(shut[contours.meeting[:, 0]], shut[contours.meeting[:, 1]], atol=1e-9)


def test_lips_shut_in_depth_too(frontal: formats.Mesh) -> None:
    shut = deform(frontal, key(frontal, "mouthShut"), np.deg2rad([20.0, 0.0, 0.0]), STILL)[frontal.landmark_vertices]
    width = np.linalg.norm(shut[54] - shut[48])
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        assert np.linalg.norm(shut[lower] - shut[upper]) < 0.02 * width


def test_speech_folds_nothing(frontal: formats.Mesh) -> None:
    random = np.random.default_rng(0)
    names = [
        ("mouthSmileLeft", "mouthSmileRight"),
        ("mouthPucker",),
        ("mouthFunnel",),
        ("mouthStretchLeft", "mouthStretchRight"),
        ("mouthUpperUpLeft", "mouthUpperUpRight"),
        ("mouthLowerDownLeft", "mouthLowerDownRight"),
    ]
    shut, jaw = key(frontal, "mouthShut"), key(frontal, "jawOpen")
    lips = np.stack([key(frontal, *pair) for pair in names])
    brows = key(frontal, "browInnerUp", "browOuterUpLeft", "browOuterUpRight")
    count = 60
    which, much = random.integers(0, len(names), count), random.uniform(0, 0.7, count)
    expression = shut + random.uniform(0, 0.6, (count, 1, 1)) * jaw + much[:, None, None] * lips[which]
    expression += random.uniform(-0.3, 1, (count, 1, 1)) * brows
    rotation = np.deg2rad(random.uniform(-10, 10, (count, 3)))
    areas = signed_areas(deform(frontal, expression, rotation, STILL), frontal.triangles)
    assert areas.min() > -1e-3


def test_a_blink_shuts_the_eye_and_folds_nothing_of_size(frontal: formats.Mesh) -> None:
    blink = key(frontal, "eyeBlinkLeft", "eyeBlinkRight")
    for amount in (0.25, 0.75, 1.0):
        areas = signed_areas(deform(frontal, amount * blink, STILL, STILL), frontal.triangles)
        assert areas.min() > -0.5  # px²
    shut = deform(frontal, blink, STILL, STILL)[frontal.landmark_vertices]
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        assert np.linalg.norm(shut[lower, :2] - shut[upper, :2]) < 0.01 * 256


def test_random_faces_have_a_mesh() -> None:
    random = np.random.default_rng(1)
    for _ in range(7):
        turn = random.uniform([-20, -30, -30], [20, 30, 30])
        landmarks = faces.portrait(tuple(turn), random.uniform(30, 600), random.uniform(0, 0.25))
        noise = random.normal(0, 0.004, (68, 3)) * np.linalg.norm(landmarks[16] - landmarks[0])
        mesh = mesh_of(landmarks + noise + [*random.uniform(-120, 120, 2), 0])
        assert (signed_areas(mesh.vertices, mesh.triangles) > 0).all()
        turned = deform(mesh, np.zeros((9, 68, 3)), np.array(TURNS), STILL)
        assert signed_areas(turned, mesh.triangles).min() > 0


def test_the_same_face_gives_the_same_mesh(frontal: formats.Mesh, tmp_path: Path) -> None:
    again = mesh_of(FACES["ajar"])
    for name, value in frontal.arrays().items():
        np.testing.assert_array_equal(value, again.arrays()[name], err_msg=name)
    frontal.save(tmp_path / "mesh.npz")
    loaded = formats.Mesh.load(tmp_path / "mesh.npz")
    np.testing.assert_array_equal(loaded.vertices, frontal.vertices)
    assert loaded.depth_scale == frontal.depth_scale


def test_landmarks_that_are_no_face_are_refused() -> None:
    random = np.random.default_rng(3)
    with pytest.raises(InputError, match="landmarks"):
        mesh_of(random.uniform(0, 512, (68, 3)))


def test_own_weights_need_no_keys() -> None:
    empty = (np.zeros(0, "U1"), np.zeros((0, 68, 3)), np.zeros((0, 2)))
    mesh = build_mesh(face_of(FACES["open"]), np.full((512, 512, 4), 90, np.uint8), keys=empty)
    assert mesh.keys.shape == (0, len(mesh.vertices), 3)


def test_areas_are_positive_counter_clockwise() -> None:
    points = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]])  # down, then right: counter-clockwise with y down
    assert signed_areas(points, np.array([[0, 1, 2]]))[0] == pytest.approx(0.5)
