"""Meshes of faces that were placed by seven clicks: odd ones are built, and what is no face is a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.formats import Face
from makeittalk.landmarks.few_points import few_points, place_landmarks
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.deform import signed_areas

RGBA = np.full((600, 600, 4), 200, np.uint8)
CLICKS = few_points(150 * MEAN_FACE + (300, 250, 0))
#: What is elsewhere than in the mean face, px from it: by the click's number.
ODD = {
    "eyes far apart": {0: (-66, 0), 1: (66, 0)},
    "eyes close together": {0: (34, 0), 1: (-34, 0)},
    "hardly a nose": {2: (0, -46)},
    "no chin": {6: (0, -47)},
    "wide mouth": {3: (-87, 0), 4: (87, 0)},
    "tiny mouth": {3: (28, 0), 4: (-28, 0)},
    "three-quarter": {2: (60, 0), 3: (45, 0), 4: (10, 0), 5: (35, 0), 6: (30, 0)},
    "grin": {5: (0, 30)},
}


def mesh_of(clicks: np.ndarray):
    return build_mesh(Face(Path("p.png"), 600, 600, place_landmarks(clicks)), RGBA)


@pytest.mark.parametrize("name", ODD)
def test_odd_faces_are_built(name):
    clicks = CLICKS.copy()
    for number, shift in ODD[name].items():
        clicks[number] += shift
    mesh = mesh_of(clicks)
    plane = mesh.triangles[mesh.material == 0]
    assert (signed_areas(mesh.vertices[:, :2], plane) > 0).all()
    np.testing.assert_allclose(mesh.vertices[mesh.landmark_vertices[[48, 54]], :2], clicks[3:5], atol=2.0)


def test_points_that_fold_are_a_sentence():
    landmarks = place_landmarks(CLICKS)[np.random.default_rng(5).permutation(68)]
    with pytest.raises(InputError, match="fold over one another") as raised:
        build_mesh(Face(Path("p.png"), 600, 600, landmarks), RGBA)
    assert "Correct the landmarks" in raised.value.hint
