"""`makeittalk batch`, before any work: its columns are animate's options, outputs are nobody else's, sentences."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import samples
from command_line import python, refused, sentences
from makeittalk.cli.main import main, parser
from makeittalk.cli.shot_outputs import check_outputs
from makeittalk.exchange.errors import MissingError
from makeittalk.exchange.formats.shots import read_shots
from makeittalk.exchange.shot_options import OPTIONS
from project import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    samples.write_job(tmp_path / "job")
    return tmp_path


def checked(folder: Path, *outputs: str, blender=lambda: None) -> tuple[list[int], dict[int, str]]:
    """Lines that are good, and the sentences of the others."""
    path = folder / "shots.csv"
    lines = [f"job/portrait.png,job/speech.wav,{output}" for output in outputs]
    path.write_text("\n".join(["portrait,audio,output", *lines]))
    found = check_outputs(read_shots(path), [path, folder / "shots.batch"], blender)
    return [shot.line for shot in found.shots], {problem.line: problem.sentence for problem in found.problems}


def test_lists_have_the_options_of_animate_and_no_others() -> None:
    given = parser().parse_args(["animate", "a.png", "b.wav", "-o", "c.mp4"])
    options = {name: value for name, value in vars(given).items() if name not in ("command", "portrait", "audio")}
    assert options.pop("output") == [Path("c.mp4")]
    assert options == {name: option.default for name, option in OPTIONS.items()}


def test_the_command_line_and_lists_read_values_alike() -> None:
    flags = ["--lip", "0.5", "--seed", "7", "--face", "2", "--no-own-mouth", "--style", "photo", "--voice", "v.wav"]
    given = vars(parser().parse_args(["animate", "a.png", "b.wav", "-o", "c.mp4", *flags]))
    for name, text in {"lip": "0.5", "seed": "7", "face": "2", "own_mouth": "no", "style": "photo"}.items():
        assert given[name] == OPTIONS[name].value(text)
    assert given["voice"] == OPTIONS["voice"].value("v.wav")


def test_outputs_that_collide_are_told_and_the_first_is_made(folder: Path) -> None:
    (folder / "sub").mkdir()
    good, bad = checked(folder, "a.mp4", "b.npz;sub/../a.mp4", "c.mp4;C.npz", "d.mp4;d.mp4", "e.csv")
    assert good == [2, 4, 6]
    assert "line 2" in bad[3] and "twice" in bad[5]
    assert all(sentence.count(".mp4") == 1 for sentence in bad.values())


def test_outputs_are_never_what_is_read(folder: Path) -> None:
    os.link(folder / "job" / "face.json", folder / "link.json")
    path = folder / "shots.csv"
    path.write_text("portrait,audio,output\njob/face.json,job/speech.wav,link.json\njob/face.json,job/speech.wav,a.npz")
    found = check_outputs(read_shots(path))
    assert [shot.line for shot in found.shots] == [3]
    assert "link.json" in found.problems[0].sentence
    (folder / "shots.batch" / "shots").mkdir(parents=True)
    good, bad = checked(folder, "shots.csv", "shots.batch/report.csv", "shots.batch/shots/x.json", "fine.csv")
    assert good == [5] and bad.keys() == {2, 3, 4}


def test_outputs_that_cannot_be_written(folder: Path) -> None:
    def no_blender() -> None:
        raise MissingError("There is no Blender.", "Install it.")

    (folder / "is.mp4").mkdir()
    good, bad = checked(folder, "a.gif", "nowhere/a.mp4", "is.mp4", "a.blend", "a.mp4", blender=no_blender)
    assert good == [6]
    assert [("suffix" in bad[2]), ("does not exist" in bad[3]), ("folder" in bad[4]), ("Blender" in bad[5])] == [1] * 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ("--watch",)),
        (["x.csv", "--watch", "."], ("--watch",)),
        (["gone.csv"], ("gone.csv", "does not exist")),
        (["--watch", "gone"], ("gone", "not a folder")),
        (["x.csv", "--workers", "0"], ("workers",)),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    arguments: list[str], words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    refused(capsys, ["batch", *arguments], *words)


def test_a_list_of_bad_lines_alone_starts_nobody(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "shots.csv"
    path.write_text("portrait,audio,output\ngone.png,gone.wav,a.mp4\njob/portrait.png,job/speech.wav,a.gif\n")
    assert main(["batch", str(path)]) == 2
    told = sentences(capsys)
    assert len(told) == 2 and "line 2" in told[0] and "line 3" in told[1]
    assert "torch" not in python("-c", "import makeittalk.cli.batch, sys; print(*sys.modules)").stdout.split()
    table = (folder / "shots.batch" / "report.csv").read_text()
    assert table.count("not usable") == 2 and "gone.png" in table


def test_ray_is_asked_for_in_one_sentence_where_it_is_missing(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # as an import finds a package that is not there
    path = folder / "shots.csv"
    path.write_text("portrait,audio,output\njob/portrait.png,job/speech.wav,a.npz\n")
    refused(capsys, ["batch", path, "--ray", "auto"], "Ray", "pip install")


def test_the_documents_name_every_column() -> None:
    text = (ROOT / "docs" / "batch.md").read_text(encoding="utf-8")
    for option in OPTIONS.values():
        assert f"`{option.name}`" in text or not option.column, option.name
