"""What is refused as an output before any work: one that is read, one that is asked for twice, one that is no file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from command_line import refused
from makeittalk.cli import output
from makeittalk.exchange.errors import OutputError


@pytest.fixture(autouse=True)
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder with files that commands could read, none of which may be touched."""
    monkeypatch.chdir(tmp_path)
    for name in ("face.png", "speech.wav", "face.json", "motion.npz", "film.mp4", "run.toml", "weights.safetensors"):
        Path(name).write_bytes(name.encode())
    for name in ("corpus", "clips", "frames"):
        Path(name).mkdir()
    Path("corpus/one.wav").write_bytes(b"one")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    yield
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path: after.get(path) for path in before} == before


class TestApart:
    def test_what_is_apart_passes(self) -> None:
        output.check_apart([Path("new.npz"), Path("new.mp4"), None], [Path("speech.wav"), Path("face.png"), None])
        output.check_apart([Path("frames")], [Path("face.png"), Path("nowhere.npz")])
        output.check_apart([Path("corpus/clips")], [Path("corpus")])
        output.check_apart([Path("frames")], ["frames"])  # the name of a set of weights, no path

    @pytest.mark.parametrize("way", ["name", "spelling", "link", "hard link", "link to a link", "link to come"])
    def test_an_input_under_any_name(self, way: str, tmp_path: Path) -> None:
        target, source = Path("out.wav"), Path("speech.wav")
        if way == "name":
            target = source
        elif way == "spelling":
            target = tmp_path / "corpus" / ".." / "speech.wav"
        elif way == "link":
            target.symlink_to(source)
        elif way == "hard link":
            os.link(source, target)
        elif way == "link to a link":
            Path("between.wav").symlink_to(source)
            target.symlink_to("between.wav")
        elif way == "link to come":  # neither is there yet
            source = Path("later.wav")
            target.symlink_to(source)
        with pytest.raises(OutputError, match="this command reads") as caught:
            output.check_apart([target], [Path("face.png"), source])
        assert str(target) in str(caught.value) and str(source) in str(caught.value)

    def test_a_file_of_weights(self) -> None:
        with pytest.raises(OutputError, match="what this command reads"):
            output.check_apart([Path("weights.safetensors")], ["weights.safetensors"])

    @pytest.mark.parametrize(
        ("first", "second", "sentence"),
        [
            ("new.mp4", "new.mp4", "asked for twice"),
            ("face.png", "./face.png", "asked for twice"),
            ("new.mp4", "corpus/../new.mp4", "the same file as"),
        ],
    )
    def test_one_output_twice(self, first: str, second: str, sentence: str) -> None:
        with pytest.raises(OutputError, match=sentence):
            output.check_apart([Path(first), Path(second)], [])

    def test_a_folder_that_holds_an_input(self) -> None:
        with pytest.raises(OutputError, match="holds"):
            output.check_apart([Path("corpus")], [Path("corpus/one.wav")])
        with pytest.raises(OutputError, match="holds"):
            output.check_apart([Path(".")], [Path("face.png")])


@pytest.mark.parametrize(
    "arguments",
    [
        "animate face.png speech.wav -o face.json --landmarks face.json",
        "animate face.png speech.wav -o new.npz -o ./new.npz",
        "animate face.png speech.wav -o new.mp4 -o film.mp4 --voice film.mp4",
        "animate face.png film.mp4 -o film.mp4",
        "detect face.png -o face.json --overlay face.png",
        "detect face.png -o new.json --overlay new.png",  # the prepared picture goes there
        "detect face.json -o face.json",
        "predict speech.wav --face motion.npz -o motion.npz",
        "predict motion.npz --face face.json -o motion.npz",
        "predict speech.wav --face face.json --voice motion.npz -o motion.npz",
        "render face.png motion.npz -o film.mp4 --audio film.mp4",
        "render corpus/one.wav motion.npz -o corpus",
        "render face.png motion.npz -o .",
        "track motion.npz -o motion.npz",
        "voice-convert speech.wav --to face.png -o speech.wav",
        "voice-convert film.mp4 --to speech.wav -o speech.wav",
        "train content run.toml --plot run.png",
        "prepare grid corpus corpus",
        "prepare tts corpus clips --grid clips",
        "prepare voices corpus clips --like ./clips",
        "evaluate one.png motion.npz --plot one.png",
        "evaluate --films corpus --plot one.png --sheet one.png",
    ],
)
def test_every_command_refuses(arguments: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("run.png").symlink_to("run.toml")
    before = sorted(tmp_path.rglob("*"))
    refused(capsys, arguments.split(), "; name ")
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_no_file_is_not_written_to(capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo("pipe.npz")
    refused(capsys, ["track", "film.mp4", "-o", "pipe.npz"], "pipe.npz", "a device or a pipe")
    refused(capsys, ["track", "film.mp4", "-o", "corpus.mp4"], "corpus.mp4", ".npz")
    Path("folder.npz").mkdir()
    refused(capsys, ["track", "film.mp4", "-o", "folder.npz"], "is a folder")


def test_the_folder_is_that_of_what_a_link_names(capsys: pytest.CaptureFixture[str]) -> None:
    Path("link.npz").symlink_to("nowhere/motion.npz")
    refused(capsys, ["track", "film.mp4", "-o", "link.npz"], "link.npz", "does not exist")


@pytest.mark.parametrize("name", ["out.avi", "out.png", "film.mp4/x"])
def test_render_writes_films_and_folders(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, ["render", "face.png", "motion.npz", "-o", name], name)
