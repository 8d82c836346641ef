"""The project's files: what is written comes back, what is damaged or hostile is refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from makeittalk.exchange import storage
from makeittalk.exchange.amounts import Amounts
from makeittalk.exchange.errors import InputError, OutputError
from makeittalk.exchange.formats import Bake, Face, Mesh, Motion, MotionParts
from makeittalk.landmarks.landmark_motion import load_motion
from makeittalk.landmarks.pose import compose_pose

FRAMES, VERTICES, FACES, KEYS = 5, 9, 7, 3
random = np.random.default_rng(3)


def points(*shape: int) -> np.ndarray:
    return random.normal(200, 80, shape).astype(np.float32)


@pytest.fixture
def face(tmp_path: Path) -> Face:
    return Face(tmp_path / "portrait.png", 512, 640, points(68, 3), "mediapipe", 0.75)


@pytest.fixture
def motion() -> Motion:
    parts = MotionParts(
        rest=points(68, 3),
        content=points(FRAMES, 68, 3),
        speaker=points(FRAMES, 68, 3),
        blink=random.random(FRAMES).astype(np.float32),
        head_rotation=points(FRAMES, 3),
        head_translation=points(FRAMES, 3),
        speaker_embedding=random.random(256).astype(np.float32),
        amounts=Amounts(lip=1.5),
    )
    return Motion(
        fps=62.5,
        landmarks=points(FRAMES, 68, 3),
        neutral=points(68, 3),
        expression=points(FRAMES, 68, 3),
        head_rotation=points(FRAMES, 3),
        head_translation=points(FRAMES, 3),
        neck_pivot=points(3),
        image_size=np.array([512, 640], np.int32),
        parts=parts,
    )


@pytest.fixture
def mesh() -> Mesh:
    return Mesh(
        vertices=points(VERTICES, 3),
        triangles=random.integers(0, VERTICES, (FACES, 3)).astype(np.int32),
        uv=random.random((VERTICES, 2)).astype(np.float32),
        material=np.zeros(FACES, np.int32),
        W=random.random((VERTICES, 68)).astype(np.float32),
        head_weights=np.ones(VERTICES, np.float32),
        landmark_vertices=(np.arange(68) % VERTICES).astype(np.int32),
        key_names=np.array(["jawOpen", "mouthPucker", "pca00"]),
        keys=points(KEYS, VERTICES, 3),
        key_landmarks=points(KEYS, 68, 3),
        key_range=np.array([[-1, 2]] * KEYS, np.float32),
        neck_pivot=points(3),
        image_size=np.array([512, 640], np.int32),
        mouth_image=np.zeros((8, 16, 4), np.uint8),
    )


@pytest.fixture
def bake() -> Bake:
    return Bake(
        fps=29.97,
        key_names=np.array(["jawOpen", "mouthPucker", "pca00"]),
        key_range=np.array([[-1, 2]] * KEYS, np.float32),
        rest_values=np.array([0.0, 0.0, 1.0], np.float32),
        lip_values=random.random((FRAMES, KEYS)).astype(np.float32),
        expression_values=random.random((FRAMES, KEYS)).astype(np.float32),
        blink_values=random.random((FRAMES, KEYS)).astype(np.float32),
        head_rotation=random.random((FRAMES, 3)).astype(np.float32),
        head_location=random.random((FRAMES, 3)).astype(np.float32),
        residual=np.zeros(FRAMES, np.float32),
    )


def test_a_face_comes_back(tmp_path: Path, face: Face) -> None:
    face.save(tmp_path / "face.json")
    loaded = Face.load(tmp_path / "face.json")
    assert (loaded.width, loaded.height, loaded.detector, loaded.confidence) == (512, 640, "mediapipe", 0.75)
    assert loaded.image == (tmp_path / "portrait.png").resolve()
    np.testing.assert_allclose(loaded.landmarks, face.landmarks, atol=1e-4)
    assert json.loads((tmp_path / "face.json").read_text())["format"] == 1


def test_a_face_moves_with_its_folder(tmp_path: Path, face: Face) -> None:
    (tmp_path / "a").mkdir()
    face.image = tmp_path / "a" / "Größe 写真" / "p.png"
    face.save(tmp_path / "a" / "face.json")
    (tmp_path / "a").rename(tmp_path / "b")
    assert Face.load(tmp_path / "b" / "face.json").image == (tmp_path / "b" / "Größe 写真" / "p.png").resolve()


def test_a_face_saved_through_a_link_names_its_picture_all_the_same(tmp_path: Path, face: Face) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "face.json").symlink_to("real/face.json")
    face.image = tmp_path / "real" / "portrait.png"
    face.save(tmp_path / "face.json")
    for path in (tmp_path / "face.json", tmp_path / "real" / "face.json"):
        assert Face.load(path).image == face.image.resolve()


@pytest.mark.parametrize("kind", ["motion", "mesh", "bake"])
def test_arrays_come_back(tmp_path: Path, request: pytest.FixtureRequest, kind: str) -> None:
    value = request.getfixturevalue(kind)
    value.save(tmp_path / "x.npz")
    loaded = load_motion(tmp_path / "x.npz") if isinstance(value, Motion) else type(value).load(tmp_path / "x.npz")
    arrays = loaded.arrays()
    assert arrays.keys() == value.arrays().keys()
    for name, array in value.arrays().items():
        np.testing.assert_array_equal(arrays[name], array, err_msg=name)


def test_a_motion_needs_three_arrays_only(tmp_path: Path, motion: Motion) -> None:
    storage.write_npz(
        tmp_path / "x.npz",
        {"format": 1, "fps": 25, "landmarks": motion.landmarks.astype(np.float64), "neutral": motion.neutral},
    )
    loaded = load_motion(tmp_path / "x.npz")
    assert (loaded.fps, loaded.frames, loaded.seconds) == (25.0, FRAMES, FRAMES / 25)
    assert loaded.parts is None
    shown = compose_pose(
        loaded.neutral, loaded.expression, loaded.head_rotation, loaded.head_translation, loaded.neck_pivot
    )
    np.testing.assert_allclose(shown, motion.landmarks, atol=1e-3)


def test_what_a_later_version_adds_is_ignored(tmp_path: Path, motion: Motion) -> None:
    storage.write_npz(tmp_path / "x.npz", motion.arrays() | {"gaze": points(FRAMES, 2)})
    assert load_motion(tmp_path / "x.npz").frames == FRAMES


CHANGES: list[tuple[str, Any]] = [
    ("format", 2),
    ("format", "one"),
    ("format", None),
    ("fps", 0.0),
    ("fps", float("nan")),
    ("fps", np.ones(2)),
    ("fps", 1e9),
    ("landmarks", None),
    ("landmarks", np.zeros((0, 68, 3), np.float32)),
    ("landmarks", np.zeros((FRAMES, 67, 3), np.float32)),
    ("landmarks", np.zeros((FRAMES, 68, 2), np.float32)),
    ("landmarks", np.full((FRAMES, 68, 3), np.nan, np.float32)),
    ("landmarks", np.full((FRAMES, 68, 3), np.inf, np.float32)),
    ("landmarks", np.full((FRAMES, 68, 3), 1e30, np.float32)),
    ("landmarks", np.full((FRAMES, 68, 3), "x")),
    ("neutral", np.zeros((68,), np.float32)),
    ("expression", np.zeros((FRAMES + 1, 68, 3), np.float32)),
    ("head_rotation", np.zeros((FRAMES - 1, 3), np.float32)),
    ("blink", np.full(FRAMES, np.nan, np.float32)),
    ("speaker_embedding", np.zeros(255, np.float32)),
    ("post", np.array([1.0, 2.0])),
    ("post", np.array(3.0)),
    ("landmarks", np.zeros((FRAMES, 68, 3), np.complex64)),
    ("landmarks", np.zeros((FRAMES, 68, 3), bool)),
    ("landmarks", np.full((FRAMES, 68, 3), 2**62)),
    ("landmarks", np.full((FRAMES, 68, 3), np.iinfo(np.int64).min)),
    ("neutral", np.zeros((68, 3), np.float32)),
    ("neutral", np.repeat(points(34, 3), 2, axis=0) * [0, 1, 1]),
    ("image_size", np.array([2**31, 640])),
    ("image_size", np.array([512, 0])),
    ("image_size", np.array([512.5, 640.0])),
    ("format", np.inf),
    ("format", [1]),
    ("post", json.dumps({"lip": float("inf")})),
    ("post", '{"lip": 1' + "0" * 400 + "}"),
    ("post", "[" * 3000),
    ("post", "[" * 100 + "]" * 100),
    ("post", "{" + " " * 10**6 + "}"),
]


@pytest.mark.parametrize(("name", "value"), CHANGES, ids=[f"{i}-{name}" for i, (name, _) in enumerate(CHANGES)])
def test_a_damaged_motion_is_one_sentence(tmp_path: Path, motion: Motion, name: str, value: Any) -> None:
    arrays = motion.arrays() | {name: value}
    storage.write_npz(tmp_path / "x.npz", {key: array for key, array in arrays.items() if array is not None})
    with pytest.raises(InputError) as error:
        load_motion(tmp_path / "x.npz")
    assert "x.npz" in error.value.message and "\n" not in error.value.message and error.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("triangles", np.full((FACES, 3), VERTICES, np.int32)),
        ("triangles", np.full((FACES, 3), -1, np.int32)),
        ("triangles", np.zeros((FACES, 3), np.float32)),
        ("landmark_vertices", np.full(68, 10**6, np.int32)),
        ("material", np.full(FACES, 7, np.int32)),
        ("material", np.zeros(FACES, np.float32)),
        ("keys", np.zeros((KEYS + 1, VERTICES, 3), np.float32)),
        ("key_names", np.array([1, 2, 3])),
        ("mouth_image", np.zeros((8, 16, 4), np.float32)),
        ("W", None),
        ("image_size", np.array([2**31, 640])),
        ("image_size", np.array([2**62, 2**62])),
        ("image_size", np.array([8193, 640], np.int32)),
        ("image_size", np.array([0, 640], np.int32)),
        ("image_size", np.array([-512, 640], np.int32)),
        ("image_size", np.array([512.5, 640])),
        ("triangles", np.full((FACES, 3), 2**40)),
        ("triangles", np.full((FACES, 3), 2**63, np.uint64)),
        ("material", np.full(FACES, 2**40)),
        ("landmark_vertices", np.zeros(68, np.int32)),
        ("vertices", np.zeros((VERTICES, 3), np.float32)),
        ("neck_pivot", np.array([2**62, 0, 0])),
        ("key_range", np.array([[2, -1]] * KEYS, np.float32)),
        ("key_range", np.array([[1, 1]] * KEYS, np.float32)),
        ("key_names", np.array(["jawOpen", "jawOpen", "pca00"])),
        ("key_names", np.array(["jawOpen", "Basis", "pca00"])),
        ("key_names", np.array(["jawOpen", "", "pca00"])),
        ("key_names", np.array(["jawOpen", "ä" * 32, "pca00"])),
        ("key_names", np.array(["jawOpen", "a\0b", "pca00"])),
        ("key_names", np.array(["jawOpen", "a\nb", "pca00"])),
        ("key_names", np.array(["jawOpen", "x" * 10**6, "pca00"])),
        ("mouth_image", np.zeros((4097, 1, 4), np.uint8)),
        ("depth_scale", 1.5),
        ("depth_scale", -1.0),
        ("uv", np.full((VERTICES, 2), np.inf, np.float32)),
    ],
)
def test_a_damaged_mesh_is_one_sentence(tmp_path: Path, mesh: Mesh, name: str, value: Any) -> None:
    arrays = mesh.arrays() | {name: value}
    storage.write_npz(tmp_path / "x.npz", {key: array for key, array in arrays.items() if array is not None})
    with pytest.raises(InputError):
        Mesh.load(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fps", 0.0),
        ("fps", -24.0),
        ("lip_values", np.zeros((FRAMES, KEYS + 1), np.float32)),
        ("lip_values", np.full((FRAMES, KEYS), np.nan, np.float32)),
        ("head_location", np.zeros((FRAMES, 2), np.float32)),
        ("key_range", None),
        ("fps", 241.0),
        ("fps", np.inf),
        ("key_names", np.array(["jawOpen", "jawOpen", "pca00"])),
        ("key_names", np.array(["jawOpen", "\ud800", "pca00"])),
        ("key_range", np.zeros((KEYS, 2), np.float32)),
        ("head_rotation", np.full((FRAMES, 3), 2**40)),
    ],
)
def test_a_damaged_bake_is_one_sentence(tmp_path: Path, bake: Bake, name: str, value: Any) -> None:
    arrays = bake.arrays() | {name: value}
    storage.write_npz(tmp_path / "x.npz", {key: array for key, array in arrays.items() if array is not None})
    with pytest.raises(InputError):
        Bake.load(tmp_path / "x.npz")


def hostile(face: Face, folder: Path, **changes: Any) -> Path:
    """A face.json with some of its values replaced; None takes one out."""
    face.save(folder / "face.json")
    value = json.loads((folder / "face.json").read_text())
    for name, new in changes.items():
        target = value["image"] if name in ("path", "width", "height") else value
        target[name] = new
        if new is None:
            del target[name]
    (folder / "face.json").write_text(json.dumps(value))
    return folder / "face.json"


@pytest.mark.parametrize("path", ["../secret.png", "/etc/passwd", "a/../../secret.png", "link/secret.png"])
def test_a_face_never_leaves_its_folder(tmp_path: Path, face: Face, path: str) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    (tmp_path / "secret.png").touch()
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(InputError, match="outside its own folder"):
        Face.load(hostile(face, folder, path=path))


GRID = [[float(i), float(i % 7), 0.0] for i in range(68)]


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"format": None},
        {"format": [1]},
        {"path": None},
        {"path": "a\0b"},
        {"image": "portrait.png"},
        {"image": []},
        {"width": 0},
        {"width": -5},
        {"width": 10**9},
        {"width": "wide"},
        {"height": 1e400},
        {"landmarks": None},
        {"landmarks": GRID[:67]},
        {"landmarks": [*GRID, GRID[0]]},
        {"landmarks": [point[:2] for point in GRID]},
        {"landmarks": [[0.0, 0.0, 0.0]] * 68},
        {"landmarks": [*GRID[:67], [float("nan"), 0, 0]]},
        {"landmarks": [*GRID[:67], [1e300, 0, 0]]},
        {"landmarks": [*GRID[:67], ["x", 0, 0]]},
        {"landmarks": [*GRID[:67], [0, 0]]},
        {"landmarks": [*GRID[:67], [{}, 0, 0]]},
        {"landmarks": {"0": [0, 0, 0]}},
        {"landmarks": [[[[[[0]]]]]]},
        {"confidence": "high"},
        {"confidence": [0.5]},
        {"confidence": float("nan")},
        {"confidence": 10**400},
        {"format": 10**400},
        {"format": 1e400},
        {"format": "1"},
        {"format": True},
        {"width": 10**400},
        {"width": 2**31},
        {"width": [512]},
        {"width": 512.5},
        {"path": ["portrait.png"]},
        {"detector": 3},
        {"landmarks": [*GRID[:67], [10**400, 0, 0]]},
        {"landmarks": [[50.0, float(i), 0.0] for i in range(68)]},
        {"landmarks": [*GRID[:16], GRID[0], *GRID[17:]]},
    ],
    ids=lambda changes: "-".join(f"{name}-{str(value)[:12]}" for name, value in changes.items()).replace("\0", "0"),
)
def test_a_hostile_face_is_one_sentence(tmp_path: Path, face: Face, changes: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        Face.load(hostile(face, tmp_path, **changes))
    assert "\n" not in str(error.value) and error.value.hint


def test_deep_nesting_does_not_exhaust_the_stack(tmp_path: Path) -> None:
    (tmp_path / "face.json").write_text('{"format": 1, "landmarks": ' + "[" * 100_000 + "]" * 100_000 + "}")
    with pytest.raises(InputError):
        Face.load(tmp_path / "face.json")
    nested = "[" * 500 + "]" * 500  # numpy gives up at 64 dimensions
    image = '"image": {"path": "p.png", "width": 9, "height": 9}'
    (tmp_path / "face.json").write_text(f'{{"format": 1, {image}, "landmarks": {nested}}}')
    with pytest.raises(InputError):
        Face.load(tmp_path / "face.json")


def test_an_odd_confidence_is_put_right(tmp_path: Path, face: Face) -> None:
    for given, expected in ((7.0, 1.0), (-1.0, 0.0)):
        assert Face.load(hostile(face, tmp_path, confidence=given)).confidence == expected


def test_nothing_is_written_into_a_missing_folder(tmp_path: Path, face: Face, motion: Motion) -> None:
    for value in (face, motion):
        with pytest.raises(OutputError):
            value.save(tmp_path / "none" / "x.npz")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_or_text_is_no_motion(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_text("hello")
    for path in (tmp_path, tmp_path / "x.npz", tmp_path / "missing.npz"):
        with pytest.raises(InputError):
            load_motion(path)
