"""Faces of drawings, as landmarks are placed on them by hand: the points decide, and a mesh follows that shuts."""

from __future__ import annotations

from pathlib import Path

import faces
import numpy as np
import pytest
from makeittalk.exchange import formats
from makeittalk.landmarks import ibug68
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.deform import displacements, signed_areas

NOSE, BROWS, EYES, MOUTH = (
    np.arange(27, 36),
    np.arange(17, 27),
    (np.arange(36, 42), np.arange(42, 48)),
    np.arange(48, 68),
)


def scaled(points: np.ndarray, part: np.ndarray, by: float | tuple[float, float]) -> None:
    centre = points[part, :2].mean(axis=0)
    points[part, :2] = centre + (points[part, :2] - centre) * np.asarray(by)


def odd(name: str) -> np.ndarray:
    """(68, 3) px landmarks of a face in a 512 px picture."""
    turn = {"three-quarter": (0.0, 45.0, 0.0), "three-quarter, bowed": (25.0, -45.0, 10.0)}.get(name, (0.0, 0.0, 0.0))
    points = faces.portrait(turn, gape=0.08)
    if name == "no nose":
        points[NOSE, :2] = points[30, :2]
    elif name == "no brows":
        scaled(points, BROWS, 0.05)
    elif name == "brows in the hair":
        points[BROWS, 1] -= 80
    elif name == "huge eyes":
        for eye in EYES:
            scaled(points, eye, (1.8, 5.0))
    elif name == "dots for eyes":
        for eye in EYES:
            scaled(points, eye, 0.15)
    elif name == "wide mouth":
        scaled(points, MOUTH, (2.0, 1.5))
    elif name == "tiny mouth":
        scaled(points, MOUTH, 0.25)
    elif name == "muzzle":
        scaled(points, MOUTH, (1.6, 1.2))
        scaled(points, NOSE, 1.8)
        points[MOUTH, 1] += 15
        for eye, side in zip(EYES, (-25.0, 25.0), strict=True):
            points[eye, 0] += side
    return points


@pytest.mark.parametrize(
    "name",
    ["no nose", "no brows", "brows in the hair", "huge eyes", "dots for eyes", "wide mouth", "tiny mouth", "muzzle"]
    + ["three-quarter", "three-quarter, bowed"],
)
def test_any_face_gets_a_mesh_that_shuts(name: str, tmp_path: Path) -> None:
    landmarks = odd(name)
    face = formats.Face(Path("drawing.png"), 512, 512, landmarks.astype(np.float32))
    mesh = build_mesh(face, np.full((512, 512, 4), 200, np.uint8))
    mesh.save(tmp_path / "mesh.npz")
    mesh = formats.Mesh.load(tmp_path / "mesh.npz")
    shut, jaw = (mesh.key_landmarks[mesh.key_names == key][0] for key in ("mouthShut", "jawOpen"))
    front = (mesh.material == 0) & (signed_areas(mesh.vertices, mesh.triangles) > 0)
    for expression, most in ((shut, 0.01), (shut + jaw, 0.35)):  # the jaw as far as it goes, on an odd face
        moved = mesh.vertices + displacements(mesh, expression[None])[0]
        areas = signed_areas(moved, mesh.triangles)[front]
        mouth = np.ptp(landmarks[MOUTH, :2], axis=0).prod()
        assert -areas[areas < 0].sum() <= most * mouth
    lips = (mesh.vertices + displacements(mesh, shut[None])[0])[mesh.landmark_vertices]
    width = np.linalg.norm(lips[54, :2] - lips[48, :2])
    for above, below in ibug68.INNER_PAIRS:
        assert np.linalg.norm(lips[below, :2] - lips[above, :2]) < 0.01 * width
