"""Meshes of real pictures: turned heads, open mouths and blinks fold nothing; a smile can be shut."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from makeittalk.exchange import formats
from makeittalk.landmarks import ibug68
from makeittalk.landmarks.detector import detect_landmarks
from makeittalk.landmarks.polygon import inside_polygon
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.deform import deform, signed_areas
from makeittalk.rendering.warp import Warper
from warp_frame import warp_frame

STILL = np.zeros(3)
TURNS = np.array([np.deg2rad([pitch, yaw, 0.0]) for pitch in (-20, 0, 20) for yaw in (-20, 0, 20)])
ROLLS = np.deg2rad([[0.0, 0.0, -10.0], [0.0, 0.0, 10.0]])
PORTRAITS = ("cartoon", "astronaut", "mona_lisa", "van_gogh")


def read(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture.shape[2] == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA)
    return cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA)


@pytest.fixture(scope="module", params=PORTRAITS, name="portrait")
def any_portrait(request: pytest.FixtureRequest) -> tuple[formats.Mesh, np.ndarray]:
    if request.param in ("cartoon", "astronaut"):
        path = request.getfixturevalue(request.param)
    else:
        path = request.getfixturevalue("data_dir") / "portraits" / f"{request.param}.jpg"
    rgba = read(path)
    landmarks = detect_landmarks(np.ascontiguousarray(rgba[..., :3])).landmarks
    face = formats.Face(path, rgba.shape[1], rgba.shape[0], landmarks)
    return build_mesh(face, rgba), landmarks


def key(mesh: formats.Mesh, *names: str) -> np.ndarray:
    return mesh.key_landmarks[np.isin(mesh.key_names, names)].sum(axis=0)


def least_area(mesh: formats.Mesh, expression: np.ndarray, rotation: np.ndarray) -> float:
    """Of the face and the mouth, without what lies behind the lids: their rims and the walls to the eyes turn over."""
    moved = deform(mesh, np.repeat(expression[None], len(rotation), axis=0), rotation, STILL)
    flat = mesh.vertices[:, :2]
    behind = mesh.material > 1
    for eye in (ibug68.EYE_RIGHT, ibug68.EYE_LEFT):
        lids = flat[mesh.landmark_vertices[eye]]
        wide = lids.mean(axis=0) + 1.3 * (lids - lids.mean(axis=0))
        behind |= inside_polygon(flat, wide)[mesh.triangles].all(axis=1)
    assert behind.mean() < 0.25
    return float(signed_areas(moved, mesh.triangles[~behind]).min())


def test_no_triangle_flips_when_the_head_turns(portrait: tuple[formats.Mesh, np.ndarray]) -> None:
    mesh, _ = portrait
    jaw, shut = key(mesh, "jawOpen"), key(mesh, "mouthShut")
    for expression in (np.zeros((68, 3)), jaw, shut, shut + 0.4 * jaw):
        assert least_area(mesh, expression, np.concatenate([TURNS, ROLLS])) > 0


def test_the_mouth_shuts(portrait: tuple[formats.Mesh, np.ndarray]) -> None:
    mesh, landmarks = portrait
    face = deform(mesh, key(mesh, "mouthShut"), STILL, STILL)[mesh.landmark_vertices]
    width = np.linalg.norm(face[54, :2] - face[48, :2])
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        assert np.linalg.norm(face[lower, :2] - face[upper, :2]) < 0.03 * width
    np.testing.assert_allclose(mesh.vertices[mesh.landmark_vertices][:48, :2], landmarks[:48, :2], atol=0.03 * width)


def test_the_relief_is_kept_where_it_can_be(portrait: tuple[formats.Mesh, np.ndarray]) -> None:
    mesh, landmarks = portrait
    depth = mesh.vertices[mesh.landmark_vertices, 2]
    assert np.corrcoef(depth, landmarks[:, 2])[0, 1] > 0.7
    assert depth.min() < 0.15 * landmarks[:, 2].min()  # the nose still stands out


def test_an_open_mouth_keeps_its_own_pixels(astronaut: Path) -> None:
    rgba = read(astronaut)
    landmarks = detect_landmarks(np.ascontiguousarray(rgba[..., :3])).landmarks
    face = formats.Face(astronaut, rgba.shape[1], rgba.shape[0], landmarks)
    own, drawn = build_mesh(face, rgba), build_mesh(face, rgba, own_mouth=False)
    assert own.mouth_image.shape == drawn.mouth_image.shape
    height = len(own.mouth_image)
    upper = slice(round(0.19 * height), round(0.34 * height))  # rows of the texture that the opening shows
    assert np.abs(own.mouth_image[upper].astype(int) - drawn.mouth_image[upper]).mean() > 15
    # Between the lips, a frame at rest shows what the portrait shows there.
    inside = cv2.fillPoly(np.zeros(rgba.shape[:2], np.uint8), [np.rint(landmarks[60:68, :2]).astype(np.int32)], 1) > 0
    difference = []
    for mesh in (own, drawn):
        with Warper(mesh, rgba, backend="cpu") as warper:
            frame = warp_frame(warper, landmarks, STILL, STILL, landmarks)
        difference.append(np.abs(frame.astype(int) - rgba)[inside][:, :3].mean())
    assert difference[0] < 12 and difference[0] < 0.5 * difference[1]
