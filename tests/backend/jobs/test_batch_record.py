"""What makes a shot another shot, so that it is made again."""

from pathlib import Path

import pytest
from makeittalk.exchange.data_folder import SUMS
from makeittalk.exchange.errors import MissingError
from makeittalk.exchange.formats.shots import Shot
from makeittalk.jobs.batch_record import FileSums, key_of


def key(folder: Path, **options: object) -> str:
    shot = Shot(2, folder / "portrait.png", folder / "speech.wav", (folder / "out.mp4",), options)
    return key_of(shot, FileSums(), folder)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAKEITTALK_HOME", str(tmp_path / "home"))
    for name in ("portrait.png", "speech.wav"):
        (tmp_path / name).write_text(name)
    return tmp_path


def test_a_shot_is_made_again_when_its_imported_weights_are_others(folder: Path) -> None:
    with pytest.raises(MissingError, match="not been imported"):
        key(folder, weights="released")
    sums = folder / "home" / "weights" / "released" / SUMS
    sums.parent.mkdir(parents=True)
    sums.write_text(f"{'0' * 64}  voice_conversion.safetensors\n")
    before = key(folder, weights="released")
    assert key(folder, weights="released") == before == key(folder, weights=str(sums.parent)) != key(folder)
    sums.write_text(f"{'1' * 64}  voice_conversion.safetensors\n")
    assert key(folder, weights="released") != before


def test_a_shot_is_made_again_when_what_it_is_made_from_or_an_option_is_another(folder: Path) -> None:
    before = key(folder)
    assert key(folder, lip=1.2) != before == key(folder, lip=1.0)
    (folder / "speech.wav").write_text("other words")
    assert key(folder) != before
