"""Rendered teeth lie where the card's rows are, and every photograph keeps its own set."""

from __future__ import annotations

from pathlib import Path

import cv2
import faces
import numpy as np
import pytest
from makeittalk.exchange.formats import Face, Mesh
from makeittalk.mesh import teeth
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.mouth_texture import EDGES, mouth_texture

LANDMARKS = faces.portrait((0.0, 0.0, 0.0), gape=0.0).astype(np.float32)
ROWS = np.rint(EDGES * teeth.SIZE).astype(int)
MIDDLE = slice(teeth.SIZE // 2 - 40, teeth.SIZE // 2 + 40)  # the central incisors
ASSET = Path(teeth.__file__).resolve().parents[1] / "assets" / "teeth.webp"


def portrait(shade: tuple[int, int, int] = (200, 170, 150)) -> np.ndarray:
    return np.full((512, 512, 4), (*shade, 255), np.uint8)


def mesh_of(rgba: np.ndarray, style: str) -> Mesh:
    return build_mesh(Face(Path("p.png"), 512, 512, LANDMARKS), rgba, style=style)


def bright(picture: np.ndarray) -> np.ndarray:
    """Brightness of the middle by row."""
    return np.asarray(picture[:, MIDDLE].mean(axis=(1, 2)))


def incisor(card: np.ndarray) -> float:
    """Width of the central incisors, px: how far from the middle the next gaps lie."""
    row = card[ROWS[2] - 50 : ROWS[2] - 20].mean(axis=(0, 2))
    middle = teeth.SIZE // 2
    beside = [middle + side * np.arange(38, 78) for side in (-1, 1)]
    return float(np.mean([abs(columns[row[columns].argmin()] - middle) for columns in beside]))


@pytest.fixture(scope="module", params=range(teeth.SETS))
def card(request: pytest.FixtureRequest) -> np.ndarray:
    return teeth.inside(request.param, 1.0, EDGES)


def test_rows_of_teeth_end_on_rows_of_the_card_and_the_dark_lies_between(card: np.ndarray) -> None:
    rows = bright(card)
    upper, lower = rows[ROWS[2] - 24 : ROWS[2] - 8].mean(), rows[ROWS[5] + 8 : ROWS[5] + 24].mean()
    dark = rows[ROWS[3] : ROWS[3] + 12].mean()
    assert upper > 0.5 and lower > 0.5 and dark < 0.12
    # Half as bright as the enamel: where the row ends.
    ends = ROWS[2] - 20 + np.flatnonzero(rows[ROWS[2] - 20 : ROWS[3] + 12] > upper / 2).max()
    begins = ROWS[4] + np.flatnonzero(rows[ROWS[4] : ROWS[5] + 20] > 0.7 * lower).min()
    assert abs(ends - ROWS[2]) <= 8 and abs(begins - ROWS[5]) <= 8


def test_teeth_are_pale_and_gums_and_tongue_red(card: np.ndarray) -> None:
    def red(start: int, stop: int) -> float:
        colour = card[start:stop, MIDDLE].mean(axis=(0, 1))
        return float(colour[0] / colour[1:].mean())

    assert 1.0 < red(ROWS[2] - 30, ROWS[2] - 8) < 1.3
    assert red(ROWS[6] - 5, ROWS[6] + 25) > 1.5  # gum
    assert red(ROWS[4] - 70, ROWS[4] - 20) > 1.5  # tongue


def test_corners_are_dark(card: np.ndarray) -> None:
    edge = round(0.06 * teeth.SIZE)
    assert max(card[:, :edge].max(), card[:, -edge:].max()) < 0.15


def test_incisors_are_as_wide_as_in_a_mouth_of_50_mm(card: np.ndarray) -> None:
    assert incisor(card) * 66 / teeth.SIZE == pytest.approx(8.5, abs=1.5)  # mm


def test_sets_differ() -> None:
    cards = [teeth.inside(number, 1.0, EDGES)[ROWS[1] : ROWS[2]] for number in range(teeth.SETS)]
    for number, card in enumerate(cards):
        for other in cards[:number]:
            assert np.abs(card - other).mean() > 0.01


def test_a_photograph_keeps_its_set_and_others_get_others() -> None:
    first = mesh_of(portrait(), "photo")
    np.testing.assert_array_equal(first.mouth_image, mesh_of(portrait(), "photo").mouth_image)
    assert (first.mouth_image[..., 3] == 255).all()
    number = int(first.picture[0]) % teeth.SETS
    away = [
        np.abs(first.mouth_image.astype(int) - mouth_texture(portrait(), LANDMARKS, other)).mean()
        for other in range(teeth.SETS)
    ]
    assert np.argmin(away) == number and away[number] < 0.1
    numbers = {int(mesh_of(portrait((200, 170, blue)), "photo").picture[0]) % teeth.SETS for blue in range(140, 146)}
    assert len(numbers) > 1


def test_drawings_keep_painted_teeth() -> None:
    drawn = mesh_of(portrait(), "cartoon")
    np.testing.assert_array_equal(drawn.mouth_image, mouth_texture(portrait(), LANDMARKS))
    assert drawn.mouth_image.shape != mesh_of(portrait(), "photo").mouth_image.shape


def test_a_smile_widens_no_teeth() -> None:
    smiling = LANDMARKS.copy()
    middle = smiling[[48, 54], 0].mean()
    smiling[48:, 0] = middle + 1.3 * (smiling[48:, 0] - middle)
    usual, smile = (mouth_texture(portrait(), points, 0)[..., :3].astype(np.float32) for points in (LANDMARKS, smiling))
    middle = teeth.SIZE / 2
    larger = np.array([[1.3, 0.0, -0.3 * middle], [0.0, 1.3, -0.3 * ROWS[2]]])
    zoomed = cv2.warpAffine(smile, larger, (teeth.SIZE, teeth.SIZE))
    row = (slice(ROWS[2] - 60, ROWS[2] - 8), slice(150, 362))  # incisors and canines
    assert np.abs(zoomed - usual)[row].mean() < 0.3 * np.abs(smile - usual)[row].mean()


def test_a_grey_portrait_has_a_grey_mouth() -> None:
    picture = mouth_texture(portrait((150, 150, 150)), LANDMARKS, 1)[..., :3].astype(int)
    assert np.ptp(picture, axis=2).max() <= 1


def test_the_asset_is_small() -> None:
    assert ASSET.stat().st_size < 400_000
