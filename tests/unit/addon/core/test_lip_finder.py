"""The lips of a mesh are found where it goes apart, whatever it looks like; where nothing does, none are."""

from __future__ import annotations

import numpy as np
import pytest
from extension import part_outside

finder = part_outside("addon.core.lip_finder")

ACROSS, DOWN = 41, 33
MOUTH = 0.4  # half the width of the mouth


def head(slit: bool = True, bag: bool = False, parted: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A bent plate with a mouth: vertices in the frontal frame, quads, and what opens it."""
    x, y = np.meshgrid(np.linspace(-1.0, 1.0, ACROSS), np.linspace(-1.2, 1.2, DOWN))
    points = np.stack([x, y, 0.6 * x**2 + 0.2 * y**2], axis=-1).reshape(-1, 3)
    index = np.arange(len(points)).reshape(DOWN, ACROSS)
    row = DOWN // 2
    opening = np.cos(np.clip(x / MOUTH, -1.0, 1.0) * np.pi / 2.0) * (y > -1e-9) * np.exp(-((y / 0.8) ** 2))
    move = np.stack([0.0 * x, 0.5 * opening, 0.1 * opening], axis=-1).reshape(-1, 3)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], -1).reshape(-1, 4)
    if not slit:
        move *= np.minimum(1.0, np.abs(points[:, 1:2]) / 0.6)
        return points, quads, move
    cut = index[row][np.abs(x[row]) < MOUTH - 1e-9]
    upper = len(points) + np.arange(len(cut))
    rename = np.arange(len(points))
    rename[cut] = upper
    above = (points[quads, 1].mean(axis=1)) < 0.0
    quads = np.where(above[:, None], rename[quads], quads)
    points = np.concatenate([points, points[cut] - (0.0, parted, 0.0)])
    move = np.concatenate([move, np.zeros((len(cut), 3))])
    if bag:
        for line, way in ((upper, -0.3), (cut, 0.3)):
            inside = len(points) + np.arange(len(cut))
            points = np.concatenate([points, points[line] + (0.0, way * 0.2, 0.4)])
            move = np.concatenate([move, move[line]])
            quads = np.concatenate([quads, np.stack([line[:-1], line[1:], inside[1:], inside[:-1]], -1)])
    return points, quads, move


def turn(angle: float, about: int) -> np.ndarray:
    """A rotation about one of the coordinates, (3, 3)."""
    one, two = [axis for axis in range(3) if axis != about]
    matrix = np.eye(3)
    matrix[[one, two], [one, two]] = np.cos(angle)
    matrix[one, two], matrix[two, one] = -np.sin(angle), np.sin(angle)
    return matrix


BLENDER = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])  # x right, −z down, y away
STANDS = {"Blender's": BLENDER, "Y up": np.diag([1.0, -1.0, -1.0]), "lying": turn(0.7, 2) @ BLENDER}


@pytest.mark.parametrize("bag", [False, True])
@pytest.mark.parametrize("parted", [0.0, 0.06])
@pytest.mark.parametrize("stand", STANDS)
def test_lips_are_found(stand: str, parted: float, bag: bool) -> None:
    points, quads, move = head(bag=bag, parted=parted)
    world = STANDS[stand] * 3.0 + 0.0
    lips = finder.find_lips(points @ world.T + 5.0, quads, np.stack([0 * move, move]) @ world.T, ["", "vrm:aa"])
    assert lips is not None
    assert (lips.axes @ STANDS[stand]).round(6).trace() > (2.99 if stand != "lying" else 2.7)
    assert lips.width == pytest.approx(3.0 * 2.0 * MOUTH, rel=0.2)
    ends = points[lips.vertices[[0, 6]]]
    assert np.abs(ends[:, 0]) == pytest.approx([MOUTH, MOUTH], abs=0.1) and ends[0, 0] < 0.0 < ends[1, 0]
    upper, lower = points[lips.pairs].transpose(1, 0, 2)
    np.testing.assert_allclose(lower[:, 1] - upper[:, 1], parted, atol=0.03)
    np.testing.assert_allclose(points[lips.vertices[[14, 18]], 0], 0.0, atol=0.06)  # 62 and 66
    opened = lips.gaps(move @ world.T)
    assert opened.argmax() in range(len(opened) // 4, 3 * len(opened) // 4 + 1)
    assert (opened > 0.0).all()
    if stand != "lying":
        assert opened.max() == pytest.approx(0.5 / (lips.width / 3.0), rel=0.05)


def test_skin_that_only_stretches_has_no_lips() -> None:
    points, quads, move = head(slit=False)
    assert finder.find_lips(points, quads, move[None], ["arkit:jawOpen"]) is None


def test_without_a_key_that_opens_there_are_none() -> None:
    points, quads, move = head()
    assert finder.find_lips(points, quads, move[None], ["arkit:mouthPucker"]) is None
    assert finder.find_lips(points, quads, 0.0 * move[None], ["arkit:jawOpen"]) is None
    assert finder.find_lips(points, quads, np.nan * move[None], ["arkit:jawOpen"]) is None
    assert finder.find_lips(points[:0], quads[:0], move[None, :0], ["arkit:jawOpen"]) is None


def test_faces_of_any_kind_have_the_same_edges() -> None:
    ragged = [(0, 1, 2), (2, 3, 4, 5)]
    filled = np.array([[0, 1, 2, -1], [2, 3, 4, 5]])
    assert sorted(map(tuple, finder.edges_of(ragged))) == sorted(map(tuple, finder.edges_of(filled)))


def test_what_goes_apart_at_two_heights_is_no_mouth() -> None:
    points, quads, move = head()
    two = np.concatenate([points, points + (0.0, 6.0, 0.0)])
    skin = np.concatenate([quads, quads + len(points)])
    lips = finder.find_lips(two, skin, np.concatenate([move, move])[None], ["arkit:jawOpen"])
    assert lips is not None and np.ptp(two[lips.pairs][..., 1]) < 0.1
    line = np.array([[x, y, 0.0] for x, y in ((0.0, 0.0), (1.0, 0.0), (2.0, 5.0), (3.0, 5.0))])
    pairs = np.stack([np.arange(4), np.arange(4) + 4], axis=1)
    assert not len(finder._columns(np.concatenate([line, line + (0.0, 0.01, 0.0)]), pairs))
