"""The lower lip's edge in a portrait that shows its teeth: found where it is, and followed so that a smile shuts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from makeittalk.jobs.animate import Portrait, find_face
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.deform import signed_areas
from makeittalk.mesh.lip_edge import LipEdge
from makeittalk.rendering.warp import Warper
from project import ASSETS

SIZE, WIDTH = 512, 120.0  # px of the picture, and of its mouth
SKIN, LIP, TOOTH, DARK = (224, 178, 150), (196, 110, 108), (236, 228, 208), (60, 25, 24)


@pytest.fixture(scope="module")
def smiling(tmp_path_factory) -> Portrait:
    """The embedded photograph, which shows its teeth."""
    return find_face(ASSETS / "portrait_photo.jpg", tmp_path_factory.mktemp("smiling"))


def smile(turn: float = 0.0, noise: float = 3.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A smile whose lower lip is a parabola, with landmarks that lie on it in the middle and above it at the sides.

    Returns:
        the picture (H, W, 4), landmarks (68, 2) px, the edge (n, 2) px.
    """
    middle = np.array([SIZE / 2, SIZE / 2])
    x = np.linspace(-1, 1, 101)
    half = WIDTH / 2
    inner = 0.94 * half

    def line(depth: float, at: np.ndarray, wide: float) -> np.ndarray:
        return np.stack([wide * at, depth * (1 - at**4)], axis=1)

    edge, upper = line(22.0, x, inner), line(2.0, x, inner)
    outer = np.concatenate([line(-10.0, x, half), line(36.0, x, half)[::-1]])
    landmarks = np.zeros((68, 2))
    landmarks[48:55] = line(-10.0, np.linspace(-1, 1, 7), half)
    landmarks[55:60] = line(36.0, np.linspace(1, -1, 7)[1:-1], half)
    landmarks[60:65] = line(2.0, np.linspace(-1, 1, 5), inner)
    landmarks[65:68] = line(22.0, np.array([0.5, 0.0, -0.5]), inner) - [[0, 4], [0, 0], [0, 4]]
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    picture = np.empty((SIZE, SIZE, 3), np.uint8)
    picture[:] = SKIN
    shapes = ((outer, LIP), (np.concatenate([upper, edge[::-1]]), DARK))
    teeth = [
        np.array([[left + 1, 1], [left + 13, 1], [left + 13, 40], [left + 1, 40]]) for left in np.arange(-45, 45, 15)
    ]
    for points, colour in shapes:
        cv2.fillPoly(picture, [np.rint(16 * (points @ rotation.T + middle)).astype(np.int32)], colour, cv2.LINE_AA, 4)
    hole = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillPoly(hole, [np.rint(16 * (shapes[1][0] @ rotation.T + middle)).astype(np.int32)], 255, cv2.LINE_AA, 4)
    for tooth in teeth:
        drawn = picture.copy()
        cv2.fillPoly(drawn, [np.rint(16 * (tooth @ rotation.T + middle)).astype(np.int32)], TOOTH, cv2.LINE_AA, 4)
        picture[hole > 127] = drawn[hole > 127]
    grain = np.random.default_rng(0).normal(0, noise, picture.shape)
    picture = np.clip(cv2.GaussianBlur(picture, (0, 0), 0.8) + grain, 0, 255).astype(np.uint8)
    rgba = np.dstack([picture, np.full((SIZE, SIZE), 255, np.uint8)])
    return rgba, landmarks @ rotation.T + middle, edge @ rotation.T + middle


@pytest.mark.parametrize("turn", [0.0, 0.3])
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_the_edge_is_found_beside_the_landmarks_line(turn: float, scale: float) -> None:
    rgba, landmarks, edge = smile(turn)
    rgba = cv2.resize(rgba, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    landmarks, edge = landmarks * scale, edge * scale
    found = LipEdge.find(rgba, landmarks)
    assert found is not None
    down = np.array([-found.axis[1], found.axis[0]])
    along, wanted = edge @ found.axis, edge @ down
    middle = slice(12, -12)  # the corners are where their landmarks are
    away = np.interp(along[middle], found.along, found.height) - wanted[middle]
    assert np.abs(away).mean() < 0.02 * WIDTH * scale
    assert np.abs(away).max() < 0.045 * WIDTH * scale


def test_what_shows_no_teeth_or_no_lips_is_left_alone() -> None:
    rgba, landmarks, _ = smile()
    shut = landmarks.copy()
    shut[[67, 66, 65]] = shut[[61, 62, 63]] + [0, 1]
    assert LipEdge.find(rgba, shut) is None
    flat = rgba.copy()
    flat[..., :3] = np.random.default_rng(0).normal(150, 6, (SIZE, SIZE, 3)).clip(0, 255)
    assert LipEdge.find(flat, landmarks) is None
    assert LipEdge.find(rgba, np.full((68, 2), 100.0)) is None


def bright(picture: np.ndarray, line: np.ndarray) -> int:
    """How many pixels within 3 px of a line (n, 2) px are as bright as teeth, and no redder."""
    near = np.zeros(picture.shape[:2], np.uint8)
    cv2.polylines(near, [np.rint(line).astype(np.int32)], False, 1, 7)
    lab = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return int(((lab[..., 0] > 72) & (lab[..., 1] < 8) & (near > 0)).sum())


def test_a_smile_shuts_without_a_sliver_of_tooth(smiling, monkeypatch) -> None:
    def shut() -> int:
        mesh = build_mesh(smiling.face, smiling.rgba)
        moved = mesh.vertices + mesh.keys[mesh.key_names == "mouthShut"][0]
        assert signed_areas(moved[None], mesh.triangles[mesh.material == 0]).min() > -1e-3
        with Warper(mesh, smiling.rgba) as warper:
            return bright(warper.draw(moved), moved[mesh.landmark_vertices[[60, 67, 66, 65, 64]], :2])

    left = shut()
    monkeypatch.setattr(LipEdge, "find", classmethod(lambda *_: None))
    assert left <= 8 < 30 < shut()  # what the landmarks' line leaves


@pytest.mark.parametrize("amount", [0.2, 0.3])
def test_below_a_portraits_own_teeth_it_is_dark_and_then_lip(smiling, amount: float) -> None:
    """No smear of lip below the teeth, and no teeth on the lip, with a dark line between."""
    mesh = build_mesh(smiling.face, smiling.rgba)
    moved = mesh.vertices + amount * mesh.keys[mesh.key_names == "jawOpen"][0]
    with Warper(mesh, smiling.rgba) as warper:
        picture = warper.draw(moved)[..., :3].astype(float).mean(axis=2)
    upper, lower = (moved[mesh.landmark_vertices[point]] for point in (62, 66))
    width = float(np.ptp(moved[mesh.landmark_vertices[48:60], 0]))
    for side in (-0.25, -0.12, 0.0, 0.12):
        light = picture[round(float(upper[1])) : round(float(lower[1])) + 12, round(float(lower[0] + side * width))]
        tooth, dark = int(light[: len(light) // 2].argmax()), int(light[: len(light) - 8].argmin())
        assert light[dark] < 0.3 * light[tooth]
        end = light[tooth : dark + 1]
        assert ((end < 0.88 * light[tooth]) & (end > 0.5 * light[tooth])).sum() <= 5  # it ends within a few pixels
        assert light[dark : dark + 4].max() < 0.9 * light[tooth]
