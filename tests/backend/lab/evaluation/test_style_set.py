"""Photographs and drawings that the rule has never seen are told apart, and the set counts its errors right."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from makeittalk.exchange.errors import InputError
from makeittalk.images.style import is_photograph
from makeittalk_lab.evaluation import style_set
from makeittalk_lab.evaluation.style_fit import Measured, fit_all, left_out_odds
from makeittalk_lab.evaluation.style_set import Sample, drawn_samples, error_table, folder_samples, in_states, measure
from makeittalk_lab.synthetic.drawing_manners import SHADED
from PIL import Image

UNSEEN = 1000  # heads from here on were drawn for no fit
HALF = 0.5


@pytest.fixture(scope="module")
def drawings() -> list[Sample]:
    return list(drawn_samples(3, first=UNSEEN))


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory, astronaut: Path, cartoon: Path) -> Path:
    """The embedded photograph and drawing as a folder of the set."""
    folder = tmp_path_factory.mktemp("style")
    for side, path in (("photo", astronaut), ("drawing", cartoon)):
        (folder / side / "embedded").mkdir(parents=True)
        shutil.copy(path, folder / side / "embedded")
    return folder


def test_at_most_one_drawing_in_twenty_is_wrong(drawings: list[Sample]) -> None:
    assert len(drawings) == 51
    wrong = [sample.name for sample in drawings if is_photograph(sample.rgb, sample.landmarks)]
    assert len(wrong) <= 0.05 * len(drawings), wrong


def test_compressed_small_and_blurred_drawings_are_drawings(drawings: list[Sample]) -> None:
    table = error_table(measure(drawings[:17]))
    assert table["drawings"]["pictures"] == 17 and "photographs" not in table
    assert table["drawings"]["wrong_states"] <= 0.1, table


def test_shaded_drawings_are_drawings(drawings: list[Sample]) -> None:
    shaded = [sample for sample in drawings if sample.kind.removeprefix("drawn, ") in SHADED]
    assert len(shaded) == 3 * len(SHADED)
    wrong = [sample for sample in shaded if is_photograph(sample.rgb, sample.landmarks)]
    assert len(wrong) <= 0.05 * len(shaded)
    assert {sample.kind.removeprefix("drawn, ") for sample in wrong} <= {"watercolour", "textured"}  # as paintings are


def test_shading_in_four_thousand_pixels_is_a_drawing() -> None:
    sample = next(s for s in drawn_samples(1, first=UNSEEN) if s.kind == "drawn, airbrush")
    side = 4000
    large = np.asarray(Image.fromarray(sample.rgb).resize((side, side), Image.Resampling.BICUBIC))
    assert not is_photograph(large, sample.landmarks * (side / sample.rgb.shape[1]))


def test_the_embedded_photograph_stays_one_in_all_states_with_glasses_and_a_hat(assets: Path) -> None:
    photograph, drawing = folder_samples(assets)
    assert photograph.photo and not drawing.photo
    states = {state: is_photograph(rgb, points) for state, rgb, points in in_states(photograph)}
    assert {"glasses", "sunglasses", "hat", "grey", "128 px", "110 px, compressed, enlarged"} <= set(states)
    assert states == dict.fromkeys(states, True)
    wrong = {state for state, rgb, points in in_states(drawing) if is_photograph(rgb, points)}
    assert wrong <= {"110 px, compressed, enlarged", "blurred more", "sunglasses"}


def made(shift: float) -> Measured:
    """Photographs that lie at +1, drawings at -1 but for the kind "other", at `shift`."""
    rng = np.random.default_rng(0)
    photo = np.repeat([True, False, False], 40)
    kinds = np.repeat(["photo", "drawn", "other"], 40)
    middle = np.repeat([1.0, -1.0, shift], 40)
    measures = middle[:, None] + rng.normal(0, 0.2, (120, 3))
    people = np.array([f"p{i % 20}" if side else f"d{i}" for i, side in enumerate(photo)])
    return Measured(measures, photo, kinds, people, np.full(120, "as it is"), np.ones(120, bool))


def test_a_manner_that_is_left_out_teaches_nothing() -> None:
    easy, hard = made(-1.2), made(1.5)
    assert ((left_out_odds(easy) > 0) == easy.photo).all()
    other = hard.kinds == "other"
    known = (fit_all(hard).odds(hard.measures) > 0) == hard.photo
    asked = (left_out_odds(hard) > 0) == hard.photo
    assert known[other].mean() > asked[other].mean() + HALF  # squares tell it where it was learned, only there
    table = error_table(hard, fit_all(hard))
    assert table["other"]["left_out"] == pytest.approx(1 - asked[other].mean())
    assert table["other"]["pictures"] == 40


def test_what_is_only_asked_is_never_fitted() -> None:
    hard = made(1.5)
    unseen = Measured(hard.measures, hard.photo, hard.kinds, hard.people, hard.states, hard.kinds != "other")
    easy = made(-1.2)
    np.testing.assert_allclose(
        fit_all(unseen).linear,
        fit_all(
            Measured(easy.measures, easy.photo, easy.kinds, easy.people, easy.states, easy.kinds != "other")
        ).linear,
    )


def test_the_program_names_folders_without_pictures_and_draws_a_sheet(
    tmp_path: Path, assets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match=r"photo/ or drawing/"):
        list(folder_samples(tmp_path))
    (tmp_path / "photo").mkdir()
    (tmp_path / "photo" / "broken.png").write_bytes(b"no picture")
    Image.new("RGB", (64, 64)).save(tmp_path / "photo" / "empty.png")
    assert list(folder_samples(tmp_path)) == []
    told = capsys.readouterr().err
    assert "broken.png" in told and "empty.png" in told
    sheet = tmp_path / "sheet.jpg"
    assert style_set.main([str(assets), "--heads", "0"]) == 0
    printed = capsys.readouterr().out
    assert "embedded" in printed and "in grey" in printed
    assert style_set.main([str(assets), "--heads", "0", "--sheet", str(sheet)]) == 0
    with Image.open(sheet) as picture:
        assert picture.width > picture.height
    assert style_set.main([str(assets), "--heads", "0", "--sheet", str(tmp_path / "none" / "sheet.jpg")]) == 2
    assert "folder that exists" in capsys.readouterr().err
