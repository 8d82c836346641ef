"""Meshes of heads that look away by 25° and 30°: speech, wide jaws and blinks fold nothing beside the far jaw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from makeittalk.animation.predict import PredictOptions
from makeittalk.animation.resample import resample
from makeittalk.audio.loading import load_audio
from makeittalk.exchange import formats
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.deform import deform, signed_areas
from predicted import predict_motion
from scipy.spatial.transform import Rotation

pytestmark = pytest.mark.data

STILL = np.zeros(3)
TURNS = np.array([np.deg2rad([pitch, yaw, 0.0]) for pitch in (-20, 0, 20) for yaw in (-20, 0, 20)])
WIDTH, JAW = 220.0, 14.7  # between the jaw ends: px in the picture, cm of the model
FOLDED = -1e-3  # px²
HEADS = [(25, 0), (25, 1), (-25, 3), (30, 1), (-30, 0), (30, 3), (-30, 3)]


def face_of(folder: Path, yaw: float, seed: int) -> formats.Face:
    """A random head of the morphable model, turned by `yaw` degrees, in a picture of 512 px."""
    with np.load(folder / "ict_facekit.npz") as data:
        chosen = data["landmarks68"]
        points = data["neutral"][chosen].astype(float)
        if seed:
            shares = np.random.default_rng(seed).normal(0, 0.6, 100)
            points += np.tensordot(shares, data["identities"][:, chosen].astype(float), 1)
    points = points * [1, -1, -1]
    points -= (points[0] + points[16]) / 2
    points = points @ Rotation.from_euler("y", yaw, degrees=True).as_matrix().T * (WIDTH / JAW) + [256, 235, 0]
    points[:, 2] -= (points[0, 2] + points[16, 2]) / 2
    return formats.Face(Path("portrait.png"), 512, 512, points.astype(np.float32))


@pytest.fixture(scope="module", params=HEADS, ids=lambda head: f"{head[0]}-{head[1]}", name="head")
def any_head(request: pytest.FixtureRequest, data_dir: Path) -> tuple[formats.Face, formats.Mesh]:
    face = face_of(data_dir, *request.param)
    return face, build_mesh(face, np.full((512, 512, 4), 200, np.uint8))


def key(mesh: formats.Mesh, *names: str) -> np.ndarray:
    found = np.isin(mesh.key_names, names)
    assert found.sum() == len(names)
    return mesh.key_landmarks[found].sum(axis=0)


def test_a_wide_jaw_folds_nothing(head: tuple[formats.Face, formats.Mesh]) -> None:
    _, mesh = head
    jaw = np.repeat(key(mesh, "jawOpen")[None], len(TURNS), axis=0)
    assert signed_areas(deform(mesh, jaw, TURNS, STILL), mesh.triangles).min() > FOLDED


def test_a_blink_folds_nothing(head: tuple[formats.Face, formats.Mesh]) -> None:
    _, mesh = head
    blink = np.linspace(0.25, 1.0, 4)[:, None, None] * key(mesh, "eyeBlinkLeft", "eyeBlinkRight")
    assert signed_areas(deform(mesh, blink, STILL, STILL), mesh.triangles).min() > FOLDED


def test_a_mesh_is_neither_coarse_nor_heavy(head: tuple[formats.Face, formats.Mesh]) -> None:
    _, mesh = head
    assert 600 <= len(mesh.vertices) <= 900
    np.testing.assert_array_equal(mesh.W[mesh.landmark_vertices], np.eye(68))
    assert mesh.W.min() > -0.25 and mesh.W.max() < 1.25


@pytest.mark.parametrize(("yaw", "seed"), [(-30, 3), (30, 2)])
def test_speech_folds_nothing(data_dir: Path, speech_wav: Path, yaw: float, seed: int) -> None:
    face = face_of(data_dir, yaw, seed)
    mesh = build_mesh(face, np.full((512, 512, 4), 200, np.uint8))
    motion = resample(predict_motion(load_audio(speech_wav), face, PredictOptions(seed)), 25.0)
    moved = deform(mesh, motion.expression, motion.head_rotation, motion.head_translation)
    assert signed_areas(moved, mesh.triangles).min() > FOLDED
