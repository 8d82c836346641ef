"""The preview's vertices: the same sums, limits and head as the built character and the offline warp have."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import samples
from extension import part_outside
from makeittalk.exchange.formats import Bake as BackendBake
from makeittalk.mesh.deform import deform

preview_motion = part_outside("addon.core.preview_motion")
formats = part_outside("backend.makeittalk.exchange.formats")
Amounts = part_outside("backend.makeittalk.exchange.amounts").Amounts


@pytest.fixture
def mesh(tmp_path):
    return formats.Mesh.load(samples.write_job(tmp_path / "job") / "mesh.npz")


@pytest.fixture
def bake(tmp_path, mesh):
    found = formats.Bake.load(tmp_path / "job" / "bake.npz")
    rng = np.random.default_rng(3)
    for name in ("expression_values", "blink_values"):
        setattr(found, name, rng.random(found.lip_values.shape).astype(np.float32))
    found.gaze_values = rng.random(found.lip_values.shape).astype(np.float32)
    found.rest_values = np.float32([0.1, 0.0, 0.2, -0.3])
    return found


AMOUNTS = Amounts(lip=1.4, head=0.5, blink=1.8, gaze=0.3)


def test_values_are_the_bakes_no_further_than_the_sliders(mesh, bake):
    motion = preview_motion.PreviewMotion(mesh, bake)
    values = bake.key_values(AMOUNTS)
    low, high = bake.key_range.T
    assert (values > high).any()  # or there is nothing to hold back
    found = np.array([motion.key_values(frame, AMOUNTS) for frame in range(bake.frames)])
    np.testing.assert_allclose(found, np.clip(values, low, high), atol=1e-6)


def test_the_vertices_are_those_of_the_warp(mesh, bake):
    """`deform` moves landmarks instead of keys: given what the keys do to them, its vertices and ours are the same."""
    mesh.keys = np.einsum("vl,klc->kvc", mesh.W, mesh.key_landmarks)
    motion = preview_motion.PreviewMotion(mesh, bake)
    for frame in (0, 17, 59):
        expression = np.einsum("k,klc->lc", motion.key_values(frame, AMOUNTS), mesh.key_landmarks)
        turn = np.array([1, -1, -1])
        rotation, location = bake.head_rotation[frame] * turn, bake.head_location[frame] * turn * samples.HEIGHT
        wanted = deform(mesh, expression, AMOUNTS.head * rotation, AMOUNTS.head * location)
        found = motion.pose(frame, AMOUNTS).vertices(mesh.head_weights)
        np.testing.assert_allclose(found, wanted, atol=2e-3)


def test_between_two_frames_lies_what_is_between_them(mesh, bake):
    motion = preview_motion.PreviewMotion(mesh, bake)
    plain = Amounts(head=0.0, blink=0.0, gaze=0.0)  # lips alone stay within their sliders
    before, between, behind = (motion.pose(frame, plain).positions for frame in (17.0, 17.25, 18.0))
    assert np.abs(behind - before).max() > 0.5
    np.testing.assert_allclose(between, 0.75 * before + 0.25 * behind, atol=1e-3)
    for end, row in ((-3.0, 0.0), (1e6, bake.frames - 1.0)):
        np.testing.assert_array_equal(motion.pose(end, plain).positions, motion.pose(row, plain).positions)


def test_amounts_of_nothing_are_the_face_at_rest(mesh, bake):
    motion = preview_motion.PreviewMotion(mesh, bake)
    pose = motion.pose(20, Amounts(lip=0.0, head=0.0, blink=0.0, gaze=0.0))
    np.testing.assert_allclose(pose.head, np.eye(4), atol=1e-12)
    wanted = mesh.vertices + np.einsum("k,kvc->vc", bake.rest_values, mesh.keys)
    np.testing.assert_allclose(pose.positions, wanted, atol=1e-3)


def test_a_bake_of_another_mesh_is_refused(mesh, bake):
    motion = preview_motion.PreviewMotion(mesh, bake)
    other = dataclasses.replace(bake, key_names=bake.key_names[::-1])
    with pytest.raises(part_outside("addon.core.errors").AddonError, match="do not belong together"):
        motion.use(other)
    assert motion.frames == BackendBake.frames.fget(bake)
