"""The irises behind the lids: found in the picture, moved within the eye, covered by the lids, unseen at rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_eyes import EYES, drawn_portrait
from makeittalk.exchange import formats
from makeittalk.exchange.constants import GAZE_KEYS
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.deform import signed_areas
from makeittalk.mesh.irises import find_iris
from makeittalk.rendering.warp import Warper

FACE, PICTURE, DRAWN = drawn_portrait()


@pytest.fixture(scope="module")
def mesh() -> formats.Mesh:
    return build_mesh(replace(FACE, irises=DRAWN.astype(np.float32)), PICTURE)


def drawn(mesh: formats.Mesh, *names: str, backend: str = "cpu") -> np.ndarray:
    """The picture with some keys at 1."""
    moved = mesh.vertices + sum((mesh.keys[mesh.key_names == name][0] for name in names), np.zeros(3))
    with Warper(mesh, PICTURE, backend=backend) as warper:
        return warper.draw(moved)[..., :3].astype(int)


def iris_pixels(picture: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """Where the dark green of the iris shows around an eye, (n, 2) x, y."""
    low = FACE.landmarks[eye, :2].min(axis=0).astype(int) - 8
    high = FACE.landmarks[eye, :2].max(axis=0).astype(int) + 9
    part = picture[low[1] : high[1], low[0] : high[0]]
    rows, columns = np.nonzero(part.sum(axis=2) < 300)
    return np.stack([columns + low[0], rows + low[1]], axis=1)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("shift", [0.0, 6.0])
def test_the_iris_is_found(shift: float, told: bool) -> None:
    face, picture, irises = drawn_portrait(shift=shift)
    for eye, (x, y, radius) in zip(EYES, irises, strict=True):
        seen = np.array([x + 2.5, y - 1.0, 0.85 * radius]) if told else None
        found = find_iris(picture, face.landmarks[eye, :2].astype(np.float64), seen)
        assert found is not None
        assert abs(found.centre[0] - x) < 0.15 * radius
        assert abs(found.radius / radius - 1) < 0.2


def test_an_eye_without_an_iris_stays_as_it_is() -> None:
    face, picture, _ = drawn_portrait(irises=False)
    mesh = build_mesh(face, picture)
    assert mesh.eye_image is None and mesh.gaze_reach is None
    assert mesh.material.max() == 1
    for name in GAZE_KEYS:
        assert not mesh.keys[mesh.key_names == name].any()


@pytest.mark.parametrize("backend", ["cpu", "auto"])
def test_at_rest_nobody_sees_the_cards(mesh: formats.Mesh, backend: str) -> None:
    difference = np.abs(drawn(mesh, backend=backend) - PICTURE[..., :3])
    assert difference.max() <= 2 and difference.mean() < 0.1


@pytest.mark.parametrize(
    ("names", "way"),
    [
        (("eyeLookInLeft", "eyeLookOutRight"), (-1, 0)),
        (("eyeLookOutLeft", "eyeLookInRight"), (1, 0)),
        (("eyeLookUpLeft", "eyeLookUpRight"), (0, -1)),
        (("eyeLookDownLeft", "eyeLookDownRight"), (0, 1)),
    ],
)
def test_the_irises_move_within_the_eyes(mesh: formats.Mesh, names: tuple[str, ...], way: tuple[int, int]) -> None:
    rest, turned = drawn(mesh), drawn(mesh, *names)
    for eye, (_, _, radius) in zip(EYES, DRAWN, strict=True):
        before, after = iris_pixels(rest, eye), iris_pixels(turned, eye)
        assert len(after) > 0.3 * len(before)  # it still shows
        moved = after.mean(axis=0) - before.mean(axis=0)
        # Lids hide what leaves the opening, so that the middle of what shows moves less than the iris.
        assert moved @ way > (0.35 if way[0] else 0.1) * radius


def test_gaze_reach_and_range(mesh: formats.Mesh) -> None:
    assert mesh.gaze_reach is not None
    assert (np.degrees(mesh.gaze_reach) > 4).all() and (np.degrees(mesh.gaze_reach) < 40).all()
    chosen = np.isin(mesh.key_names, GAZE_KEYS)
    np.testing.assert_array_equal(mesh.key_range[chosen], [[0.0, 1.0]] * 8)


def test_lids_shut_over_the_irises(mesh: formats.Mesh) -> None:
    for gaze in ((), ("eyeLookInLeft", "eyeLookOutRight"), ("eyeLookOutLeft", "eyeLookInRight")):
        shut = drawn(mesh, "eyeBlinkLeft", "eyeBlinkRight", *gaze)
        for eye in EYES:
            low, high = FACE.landmarks[eye, :2].min(axis=0).astype(int), FACE.landmarks[eye, :2].max(axis=0).astype(int)
            part = shut[low[1] : high[1], low[0] : high[0]]
            white, iris = (part.min(axis=2) > 222).mean(), len(iris_pixels(shut, eye))
            assert iris < 0.1 * len(iris_pixels(drawn(mesh), eye)) and white < 0.05


def test_nothing_folds(mesh: formats.Mesh) -> None:
    for name in GAZE_KEYS:
        moved = mesh.vertices + mesh.keys[mesh.key_names == name][0]
        # The rims of lids that are lifted go behind them, a sliver each.
        assert (signed_areas(moved, mesh.triangles) > -0.5).all(), name


def test_eyes_are_kept_in_the_file(mesh: formats.Mesh, tmp_path: Path) -> None:
    mesh.save(tmp_path / "mesh.npz")
    loaded = formats.Mesh.load(tmp_path / "mesh.npz")
    assert loaded.eye_image is not None and loaded.gaze_reach is not None
    np.testing.assert_array_equal(loaded.eye_image, mesh.eye_image)
