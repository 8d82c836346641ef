"""Keys that move what lies between the landmarks: cheeks and the tongue, and nothing folds."""

from __future__ import annotations

from pathlib import Path

import faces
import numpy as np
import pytest
from makeittalk.exchange.formats import Face, Mesh
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.deform import signed_areas


@pytest.fixture(scope="module", params=[(0.0, 0.0, 0.0), (0.0, 25.0, 0.0), (0.0, 0.0, 30.0)])
def mesh(request: pytest.FixtureRequest) -> Mesh:
    landmarks = faces.portrait(request.param, gape=0.05).astype(np.float32)
    return build_mesh(Face(Path("p.png"), 512, 512, landmarks), np.full((512, 512, 4), 200, np.uint8))


def key(mesh: Mesh, name: str) -> np.ndarray:
    return np.asarray(mesh.keys[mesh.key_names.tolist().index(name)])


def area(mesh: Mesh, shape: np.ndarray, part: np.ndarray) -> float:
    return float(signed_areas(mesh.vertices + shape, mesh.triangles)[part].sum())


@pytest.mark.parametrize("name", ["cheekPuff", "cheekSquintLeft", "cheekSquintRight", "tongueOut"])
def test_no_triangle_folds(mesh: Mesh, name: str) -> None:
    assert np.abs(key(mesh, name)).max() > 2.0  # px of a face 256 px wide: it shows
    jaw = key(mesh, "jawOpen") if name == "tongueOut" else 0.0
    for value in (0.5, 1.0):
        assert (signed_areas(mesh.vertices + value * key(mesh, name) + jaw, mesh.triangles) > 0).all(), value


def test_puffed_cheeks_widen_the_face(mesh: Mesh) -> None:
    landmarks = mesh.vertices[mesh.landmark_vertices, :2].astype(np.float64)
    moved = landmarks + key(mesh, "cheekPuff")[mesh.landmark_vertices, :2]
    for right, left in ((3, 13), (4, 12)):
        assert np.linalg.norm(moved[left] - moved[right]) > np.linalg.norm(landmarks[left] - landmarks[right]) + 1.0


def test_landmarks_go_where_the_key_says(mesh: Mesh) -> None:
    for name in ("cheekPuff", "cheekSquintLeft"):
        said = mesh.key_landmarks[mesh.key_names.tolist().index(name)]
        assert np.abs(key(mesh, name)[mesh.landmark_vertices, :2] - said[:, :2]).max() < 0.05


def test_a_lifted_cheek_is_on_its_side(mesh: Mesh) -> None:
    middle = mesh.vertices[mesh.landmark_vertices[27], :2]
    right = mesh.vertices[mesh.landmark_vertices[36], :2] - middle
    moved = np.abs(key(mesh, "cheekSquintRight")[:, 1])
    side = (mesh.vertices[:, :2] - middle) @ right > 0
    assert moved[side].sum() > 5.0 * moved[~side].sum()


def test_the_tongue_hides_the_lower_teeth_and_moves_no_lip(mesh: Mesh) -> None:
    inside = mesh.material == 1
    outside = np.unique(mesh.triangles[~inside])
    assert not key(mesh, "tongueOut")[outside].any()
    assert not mesh.key_landmarks[mesh.key_names.tolist().index("tongueOut")].any()
    assert np.isclose(area(mesh, key(mesh, "tongueOut"), inside), area(mesh, np.zeros(3), inside), rtol=1e-3)
