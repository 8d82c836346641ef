"""Where a mesh needs more than one sample a pixel: at openings, cards and folds, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from makeittalk.exchange import formats
from makeittalk.rendering.silhouette import Silhouette

SIZE = 200
SIDE = 11  # vertices a side


def plane(holes: tuple[tuple[int, int], ...] = (), width: int = SIZE, height: int = SIZE) -> formats.Mesh:
    """A grid over the picture, two triangles a cell, without the cells (row, column) that are `holes`."""
    x, y = np.meshgrid(np.linspace(0, width, SIDE), np.linspace(0, height, SIDE))
    cells = [(row, column) for row in range(SIDE - 1) for column in range(SIDE - 1) if (row, column) not in holes]
    corners = np.array([row * SIDE + column for row, column in cells])
    triangles = np.concatenate([corners[:, None] + [0, 1, SIDE], corners[:, None] + [1, SIDE + 1, SIDE]])
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(SIDE**2)], axis=1).astype(np.float32)
    count = len(vertices)
    return formats.Mesh(
        vertices=vertices,
        triangles=triangles.astype(np.int32),
        uv=(vertices[:, :2] / [width, height]).astype(np.float32),
        material=np.zeros(len(triangles), np.int32),
        W=np.zeros((count, 68), np.float32),
        head_weights=np.ones(count, np.float32),
        landmark_vertices=np.arange(68, dtype=np.int32),
        key_names=np.zeros(0, "U64"),
        keys=np.zeros((0, count, 3), np.float32),
        key_landmarks=np.zeros((0, 68, 3), np.float32),
        key_range=np.zeros((0, 2), np.float32),
        neck_pivot=np.zeros(3, np.float32),
        image_size=(width, height),
        mouth_image=np.zeros((1, 1, 4), np.uint8),
    )


def covered(rectangles: list[tuple[int, int, int, int]], width: int, height: int) -> np.ndarray:
    mask = np.zeros((height, width), bool)
    for left, top, wide, high in rectangles:
        assert 0 <= left < left + wide <= width and 0 <= top < top + high <= height
        mask[top : top + high, left : left + wide] = True
    return mask


def test_a_whole_plane_has_no_edges() -> None:
    mesh = plane()
    assert Silhouette(mesh, SIZE, SIZE).rectangles(mesh.vertices) == []


@pytest.mark.parametrize(("width", "height"), [(200, 200), (333, 157), (2001, 2003)])
def test_openings_are_held_whole_and_apart(width: int, height: int) -> None:
    mesh = plane(((2, 2), (2, 7), (7, 4)))
    rectangles = Silhouette(mesh, width, height).rectangles(mesh.vertices)
    assert len(rectangles) == 3
    mask = covered(rectangles, width, height)
    for row, column in ((2, 2), (2, 7), (7, 4)):
        left, right = (round(side * width / 10) for side in (column, column + 1))
        top, bottom = (round(side * height / 10) for side in (row, row + 1))
        assert mask[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1].all()
    assert mask.mean() < 0.12  # 0.03 are the openings themselves


def test_an_opening_at_the_border_counts_and_the_border_does_not() -> None:
    mesh = plane(((0, 5),))
    rectangles = Silhouette(mesh, SIZE, SIZE).rectangles(mesh.vertices)
    assert len(rectangles) == 1
    assert covered(rectangles, SIZE, SIZE)[:20, 100:120].all() and covered(rectangles, SIZE, SIZE).mean() < 0.05


def test_a_border_that_comes_into_the_picture_counts() -> None:
    mesh = plane()
    moved = mesh.vertices + np.float32([15, 0, 0])
    mask = covered(Silhouette(mesh, SIZE, SIZE).rectangles(moved), SIZE, SIZE)
    assert mask[:, 14:16].all()


def test_a_fold_is_found_where_it_is() -> None:
    mesh = plane()
    folded = mesh.vertices.copy()
    folded[5 * SIDE + 5, 0] += 45  # beyond its neighbours
    rectangles = Silhouette(mesh, SIZE, SIZE).rectangles(folded)
    mask = covered(rectangles, SIZE, SIZE)
    assert mask[100, 144] and mask.mean() < 0.25 and not mask[:60].any()


def test_cards_of_another_material_have_edges_of_their_own() -> None:
    mesh = plane()
    inner = np.flatnonzero(np.arange(len(mesh.triangles)) % 100 == 44)
    mesh.material[inner] = 1
    mask = covered(Silhouette(mesh, SIZE, SIZE).rectangles(mesh.vertices), SIZE, SIZE)
    for triangle in mesh.triangles[inner]:
        x, y = mesh.vertices[triangle, :2].astype(int).T
        assert mask[y, x].all()


def test_many_edges_are_one_rectangle() -> None:
    holes = tuple((row, column) for row in range(1, 10, 2) for column in range(1, 10, 2))
    mesh = plane(holes, 2000, 2000)
    assert Silhouette(mesh, 2000, 2000).rectangles(mesh.vertices) == [(192, 192, 1808, 1808)]
