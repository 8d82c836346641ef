"""The relief that a turned head has again: as much of it as is asked for, up and down and to the sides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import faces
import numpy as np
import pytest
from makeittalk.exchange.formats import Face, Mesh
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.deform import deform
from makeittalk.mesh.depth_restore import DEFAULT_RELIEF, restore_depth

TURNS = np.radians([[0, 0, 0], [0, 10, 0], [-10, 0, 0], [6, -8, 0]])


@pytest.fixture(scope="module", name="mesh")
def flattened() -> Mesh:
    """A head that lost a third of its relief."""
    landmarks = faces.portrait((0.0, 0.0, 0.0), gape=0.05).astype(np.float32)
    built = build_mesh(Face(Path("p.png"), 512, 512, landmarks), np.full((512, 512, 4), 200, np.uint8))
    return replace(built, lost_depth=(0.5 * built.vertices[:, 2]).astype(np.float32))


def turned(mesh: Mesh) -> np.ndarray:
    return deform(mesh, np.zeros((len(TURNS), 68, 3)), TURNS, np.zeros(3))


def deep(mesh: Mesh, share: float) -> Mesh:
    """The head with a share of its whole relief for good."""
    vertices = mesh.vertices.copy()
    vertices[:, 2] = share * (mesh.vertices[:, 2] + mesh.lost_depth)
    return replace(mesh, vertices=vertices)


@pytest.mark.parametrize("share", [0.6, 1.1, 1.5])
def test_it_turns_like_a_head_that_is_so_deep(mesh: Mesh, share: float) -> None:
    np.testing.assert_allclose(restore_depth(mesh, turned(mesh), (share, share)), turned(deep(mesh, share)), atol=0.02)


def test_without_shares_it_is_a_tenth_deeper_than_detected(mesh: Mesh) -> None:
    assert DEFAULT_RELIEF == (1.1, 1.1)
    restored = restore_depth(mesh, turned(mesh))
    np.testing.assert_array_equal(restored, restore_depth(mesh, turned(mesh), DEFAULT_RELIEF))
    np.testing.assert_allclose(restored, turned(deep(mesh, 1.1)), atol=0.02)


def test_each_share_is_that_of_one_way(mesh: Mesh) -> None:
    _, aside, up, both = restore_depth(mesh, turned(mesh), (0.7, 1.3))
    _, more, _, _ = turned(deep(mesh, 1.3))
    _, _, less, _ = turned(deep(mesh, 0.7))
    np.testing.assert_allclose(aside[:, :2], more[:, :2], atol=0.02)
    np.testing.assert_allclose(up[:, :2], less[:, :2], atol=0.02)
    np.testing.assert_allclose(both[:, 0], turned(deep(mesh, 1.3))[3, :, 0], atol=0.02)
    np.testing.assert_allclose(both[:, 1], turned(deep(mesh, 0.7))[3, :, 1], atol=0.02)


def test_nothing_is_seen_to_move_at_rest(mesh: Mesh) -> None:
    rest = restore_depth(mesh, turned(mesh)[:1], (0.7, 1.3))[0]
    np.testing.assert_allclose(rest[:, :2], mesh.vertices[:, :2], atol=1e-3)
    np.testing.assert_allclose(rest[:, 2], mesh.vertices[:, 2] + 0.5 * mesh.vertices[:, 2], atol=0.02)


def test_a_mesh_that_lost_nothing_is_left_alone(mesh: Mesh) -> None:
    whole = replace(mesh, lost_depth=None)
    np.testing.assert_array_equal(restore_depth(whole, turned(whole), (0.7, 1.3)), turned(whole))


def test_the_mouths_card_stays_behind_cheeks_that_lips_pull_before_it() -> None:
    landmarks = faces.portrait((0.0, 25.0, 0.0), gape=0.0).astype(np.float32)
    built = build_mesh(Face(Path("p.png"), 512, 512, landmarks), np.full((512, 512, 4), 200, np.uint8))
    assert built.lost_depth is not None and np.abs(built.lost_depth).max() > 1.0
    card = np.unique(built.triangles[built.material == 1])
    plane = np.setdiff1d(np.unique(built.triangles[built.material == 0]), card)
    width = np.linalg.norm(landmarks[54, :2] - landmarks[48, :2])
    apart = np.linalg.norm(built.vertices[card, None, :2] - built.vertices[plane, :2], axis=2)
    around = np.where(apart < 0.3 * width, built.lost_depth[plane], -np.inf).max(axis=1)
    assert np.isfinite(around).all()
    assert (built.lost_depth[card] >= around - 0.01).all()
