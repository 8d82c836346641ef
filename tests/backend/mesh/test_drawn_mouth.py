"""Mouths that are drawn open, without lips: shut along their whole edge, corners included; others are left alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from faces import portrait
from makeittalk.exchange import formats
from makeittalk.landmarks import ibug68
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.deform import deform, displacements, signed_areas
from makeittalk.mesh.drawn_mouth import DrawnMouth
from makeittalk.rendering.warp import Warper

SIZE, CENTRE, HALF = 512, np.array([256.0, 330.0]), 55.0
LINE_WIDTH = 4  # px
SKIN, RED, PINK, LINE = (250, 214, 190), (120, 30, 42), (232, 128, 126), (52, 18, 22)
UPPER = {49: -0.72, 50: -0.3, 51: 0.0, 52: 0.3, 53: 0.72, 61: -0.4, 62: 0.0, 63: 0.4}
LOWER = {59: -0.72, 58: -0.36, 57: 0.0, 56: 0.36, 55: 0.72, 67: -0.4, 66: 0.0, 65: 0.4}
#: Heights of the upper and the lower edge over −1 … 1, in half widths of the mouth.
SHAPES = {
    "half disc": (lambda x: 0.0 * x, lambda x: 0.88 * np.sqrt(np.clip(1 - x**2, 0, 1))),
    "oval": (lambda x: -0.5 * np.sqrt(np.clip(1 - x**2, 0, 1)), lambda x: 0.5 * np.sqrt(np.clip(1 - x**2, 0, 1))),
    "box": (lambda x: -0.05 + 0.0 * x, lambda x: 0.55 + 0.0 * x),
    "grin": (lambda x: 0.25 * (1 - x**2), lambda x: 0.75 * (1 - x**2)),
}
Drawing = tuple[np.ndarray, np.ndarray]  # (H, W, 4) uint8 and (68, 3) px


def draw(shape: str, turn: float = 0.0, line: int = LINE_WIDTH, noise: float = 0.0, lips: float = 0.0) -> Drawing:
    """A flat face with a mouth of one colour and a tongue, and landmarks on the drawn edge.

    Args:
        turn: degrees. line: px. noise: px, of the mouth's landmarks. lips: thickness of red lips around it, px.
    """
    above, below = SHAPES[shape]
    landmarks = portrait()
    x = np.linspace(-1, 1, 201)
    edge = np.concatenate([np.stack([x, above(x)], 1), np.stack([x, below(x)], 1)[::-1]]) * HALF + CENTRE
    picture = np.full((SIZE, SIZE, 3), (222, 234, 244), np.uint8)
    face = cv2.convexHull(landmarks[:, :2].astype(np.float32)).reshape(-1, 2)
    cv2.fillPoly(picture, [np.rint(face).astype(np.int32)], SKIN)
    if lips:
        cv2.polylines(picture, [np.rint(edge).astype(np.int32)], True, (196, 70, 80), round(2 * lips), cv2.LINE_AA)
    cv2.fillPoly(picture, [np.rint(edge).astype(np.int32)], RED, cv2.LINE_AA)
    tongue = np.where(edge[:, 1:] > CENTRE[1] + 0.8 * HALF * below(0.0 * x).max(), edge, np.nan)
    tongue = tongue[~np.isnan(tongue).any(axis=1)]
    cv2.fillPoly(picture, [np.rint(tongue).astype(np.int32)], PINK, cv2.LINE_AA)
    if line:
        cv2.polylines(picture, [np.rint(edge).astype(np.int32)], True, LINE, line, cv2.LINE_AA)
    outside = max(lips, 1.0)
    for points, side, height in ((UPPER, -1.0, above), (LOWER, 1.0, below)):
        for point, place in points.items():
            away = outside if point < 60 else -0.5 * line
            landmarks[point, :2] = CENTRE + HALF * np.array([place, height(place)]) + [0.0, side * away]
    for point, place in ((48, -1.0), (54, 1.0), (60, -0.96), (64, 0.96)):
        landmarks[point, :2] = CENTRE + HALF * np.array([place, 0.5 * (above(place) + below(place))])
    landmarks[48:68, :2] += np.random.default_rng(0).normal(0.0, noise, (20, 2)) if noise else 0.0
    spin = cv2.getRotationMatrix2D(tuple(CENTRE), turn, 1.0)
    picture = cv2.warpAffine(picture, spin, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE)
    landmarks[:, :2] = landmarks[:, :2] @ spin[:, :2].T + spin[:, 2]
    return np.dstack([picture, np.full((SIZE, SIZE), 255, np.uint8)]), landmarks


def made(drawing: Drawing) -> formats.Mesh:
    picture, landmarks = drawing
    return build_mesh(formats.Face(Path("drawn.png"), SIZE, SIZE, landmarks.astype(np.float32)), picture)


def shut(mesh: formats.Mesh) -> np.ndarray:
    return np.asarray(mesh.key_landmarks[mesh.key_names == "mouthShut"][0])


def heights(picture: np.ndarray, turn: float) -> np.ndarray:
    """How much of each column across the mouth is not skin, px."""
    upright = cv2.warpAffine(picture, cv2.getRotationMatrix2D(tuple(CENTRE), -turn, 1.0), (SIZE, SIZE))
    x, y = np.rint(CENTRE).astype(int)
    part = upright[y - 45 : y + 90, x - 70 : x + 71, :3].astype(float)
    return np.asarray((np.linalg.norm(part - SKIN, axis=2) > 70.0).sum(axis=0))


@pytest.mark.parametrize("turn", [0.0, 15.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_drawn_mouth_shuts_from_corner_to_corner(shape: str, turn: float) -> None:
    drawing = draw(shape, turn)
    mesh = made(drawing)
    with Warper(mesh, drawing[0]) as warper:
        open_mouth = warper.draw(mesh.vertices)
        shut_mouth = warper.draw(mesh.vertices + displacements(mesh, shut(mesh)[None])[0])
        by_key = warper.draw(mesh.vertices + mesh.keys[mesh.key_names == "mouthShut"][0])
    assert np.abs(open_mouth.astype(int) - drawing[0]).mean() < 2.0  # at rest it is the drawing
    before, after = heights(open_mouth, turn), heights(shut_mouth, turn) - LINE_WIDTH
    assert before.max() > 0.28 * 2 * HALF
    # One drawn line stays, so that a mouth is still seen, and nothing of what was open.
    assert np.median(after[20:-20]) <= 0.03 * 2 * HALF
    assert after.max() <= 0.08 * 2 * HALF
    np.testing.assert_array_equal(shut_mouth, by_key)


@pytest.mark.parametrize("shape", SHAPES)
def test_its_lips_meet_exactly_and_fold_nothing(shape: str) -> None:
    mesh = made(draw(shape, noise=1.0))
    jaw = mesh.key_landmarks[mesh.key_names == "jawOpen"][0]
    flat = mesh.vertices[:, :2]
    front = (mesh.material == 0) & (signed_areas(mesh.vertices, mesh.triangles) > 0)
    mouth = cv2.contourArea(flat[mesh.landmark_vertices[ibug68.LIP_OUTER]])
    for share, most in ((0.0, 0.08), (0.5, 0.0), (1.0, 0.0)):  # of flat skin, where a steep edge meets in one point
        moved = deform(mesh, (shut(mesh) + share * jaw)[None], np.zeros((1, 3)), np.zeros(3))[0]
        areas = signed_areas(moved, mesh.triangles)[front]
        assert -areas[areas < 0].sum() <= most * mouth
    closed = mesh.vertices + displacements(mesh, shut(mesh)[None])[0]
    corners = mesh.landmark_vertices[[60, 64]]
    for above, below in ibug68.INNER_PAIRS:
        one, other = closed[mesh.landmark_vertices[[above, below]], :2]
        assert abs((other - one)[1]) < 0.01 * np.linalg.norm(closed[corners[1]] - closed[corners[0]])


def test_landmarks_need_not_lie_exactly() -> None:
    drawing = draw("half disc", noise=1.5)
    mesh = made(drawing)
    with Warper(mesh, drawing[0]) as warper:
        after = heights(warper.draw(mesh.vertices + displacements(mesh, shut(mesh)[None])[0]), 0.0)
    assert after.max() - LINE_WIDTH <= 0.08 * 2 * HALF


def test_a_mouth_that_is_one_line_stays_shut_and_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHAPES, "line", (lambda x: 0.12 * (1 - x**2), lambda x: 0.12 * (1 - x**2)))
    drawing = draw("line", noise=1.0)  # its inner lips cross by the line's thickness, as points clicked on it do
    mesh = made(drawing)
    jaw = mesh.key_landmarks[mesh.key_names == "jawOpen"][0]
    with Warper(mesh, drawing[0]) as warper:
        pictures = [
            warper.draw(mesh.vertices + displacements(mesh, (shut(mesh) + share * jaw)[None])[0])
            for share in (0.0, 0.4)
        ]
    assert np.abs(pictures[0].astype(int) - drawing[0]).mean() < 0.5
    assert heights(pictures[0], 0.0).max() < LINE_WIDTH + 5
    assert heights(pictures[1], 0.0).max() > LINE_WIDTH + 15


def test_mouths_with_lips_shut_ones_and_photographs_are_left_alone(astronaut: Path) -> None:
    picture, landmarks = draw("half disc", lips=9.0)
    assert DrawnMouth.find(picture, landmarks) is None
    picture, landmarks = draw("half disc")
    assert DrawnMouth.find(picture, landmarks) is not None
    closed = landmarks.copy()
    for above, below in ibug68.INNER_PAIRS:
        closed[[above, below], 1] = closed[[above, below], 1].mean()
    assert DrawnMouth.find(picture, closed) is None
    skin = picture.copy()
    skin[..., :3] = SKIN  # nothing is drawn there
    assert DrawnMouth.find(skin, landmarks) is None
    photo = cv2.resize(cv2.cvtColor(cv2.imread(str(astronaut)), cv2.COLOR_BGR2RGBA), (SIZE, SIZE))
    assert DrawnMouth.find(photo, landmarks) is None
