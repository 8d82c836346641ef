"""Motions, meshes and moves as somebody could craft them into a .blend: a sentence, whatever they hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from makeittalk.exchange import storage
from makeittalk.exchange.amounts import HIGHEST
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.formats import Bake, Face
from makeittalk.exchange.protocol import Animate, Rebake
from makeittalk.images.portrait import prepare_portrait
from makeittalk.jobs import character_requests
from makeittalk.landmarks.face_frame import FaceFrame
from makeittalk.landmarks.landmark_motion import motion_of_landmarks
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.mesh.build import build_mesh
from project import ASSETS

NEUTRAL = (MEAN_FACE * 200 + [480, 480, 0]).astype(np.float32)
LINE = (NEUTRAL * [1, 0, 0]).astype(np.float32)


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    image, rgba, _notices = prepare_portrait(ASSETS / "portrait_photo.jpg", tmp_path_factory.mktemp("portrait"))
    return build_mesh(Face(image, rgba.shape[1], rgba.shape[0], NEUTRAL), rgba).arrays()


@pytest.fixture
def motion() -> dict[str, Any]:
    return motion_of_landmarks(np.repeat(NEUTRAL[None], 9, axis=0), NEUTRAL, 25.0).arrays()


def rebake(folder: Path, motion: dict[str, Any], mesh: dict[str, Any], smooth: float = 1.0) -> Bake:
    storage.write_npz(folder / "motion.npz", motion)
    storage.write_npz(folder / "mesh.npz", mesh)
    request = Rebake(str(folder / "motion.npz"), str(folder / "mesh.npz"), str(folder), 24.0, smooth)
    return Bake.load(character_requests.rebake(request, lambda _fraction, _stage: None)["bake"])


def test_what_is_not_crafted_is_baked(tmp_path: Path, motion: dict[str, Any], mesh: dict[str, Any]) -> None:
    assert rebake(tmp_path, motion, mesh).frames == 8


@pytest.mark.parametrize("neutral", [NEUTRAL * 0, NEUTRAL * 0 + 9e5, LINE, LINE[:, [1, 0, 2]]])
@pytest.mark.parametrize("bare", [True, False])
def test_a_motion_of_no_face(
    tmp_path: Path, motion: dict[str, Any], mesh: dict[str, Any], neutral: np.ndarray, bare: bool
) -> None:
    if bare:
        motion = {name: motion[name] for name in ("format", "fps", "landmarks", "neutral")}
    with pytest.raises(InputError, match="do not form a face"):
        rebake(tmp_path, motion | {"neutral": neutral}, mesh)


@pytest.mark.parametrize("landmarks", [NEUTRAL * 0, LINE, np.full_like(NEUTRAL, 9e5)])
def test_a_face_that_collapses_is_baked_or_a_sentence(
    tmp_path: Path, motion: dict[str, Any], mesh: dict[str, Any], landmarks: np.ndarray
) -> None:
    bare = {name: motion[name] for name in ("format", "fps", "neutral")}
    try:
        rebake(tmp_path, bare | {"landmarks": np.repeat(landmarks[None], 9, axis=0)}, mesh)
    except InputError as error:
        assert error.hint


@pytest.mark.parametrize(("smooth", "allowed"), [(-1.0, 0.0), (-1e9, 0.0), (2.0**31 - 1, HIGHEST)])
def test_smoothing_beyond_its_range_is_brought_into_it(
    tmp_path: Path, motion: dict[str, Any], mesh: dict[str, Any], smooth: float, allowed: float
) -> None:
    motion = motion | _parts(motion)
    given, wanted = (rebake(tmp_path, motion, mesh, amount) for amount in (smooth, allowed))
    np.testing.assert_array_equal(given.lip_values, wanted.lip_values)
    np.testing.assert_array_equal(given.head_rotation, wanted.head_rotation)


def test_a_mesh_of_no_face(tmp_path: Path, motion: dict[str, Any], mesh: dict[str, Any]) -> None:
    for changes in ({"landmark_vertices": mesh["landmark_vertices"] * 0}, {"vertices": mesh["vertices"] * 0}):
        with pytest.raises(InputError, match="do not form a face"):
            rebake(tmp_path, motion, mesh | changes)


def test_a_mesh_with_keys_of_other_names(tmp_path: Path, motion: dict[str, Any], mesh: dict[str, Any]) -> None:
    names = np.array([f"k{number}" for number in range(len(mesh["keys"]))])
    with pytest.raises(InputError, match="lacks the shape key"):
        rebake(tmp_path, motion | _parts(motion), mesh | {"key_names": names})


def _parts(motion: dict[str, Any]) -> dict[str, Any]:
    """What a motion of 9 frames was made from; nothing moves."""
    parts: dict[str, Any] = {name: np.zeros((9, 68, 3), np.float32) for name in ("content", "speaker")}
    parts |= {"rest": np.zeros((68, 3), np.float32), "blink": np.zeros(9, np.float32), "post": "{}"}
    return parts | {"head_rotation_raw": motion["head_rotation"], "head_translation_raw": motion["head_translation"]}


def test_landmarks_on_a_point_have_no_frame() -> None:
    with pytest.raises(InputError, match="do not form a face"):
        FaceFrame.of(NEUTRAL * 0, 100, 100)


@pytest.mark.parametrize(
    ("changes", "words"), [({"seed": -1}, "seed"), ({"fps": 0.5}, "rate"), ({"fps": 241.0}, "rate")]
)
def test_what_cannot_be_made_is_said_before_the_work(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        character_requests.animate(Animate(folder=str(tmp_path), **changes), lambda _fraction, _stage: None)
