"""What people really feed the commands: bad input is one sentence, status 2, and no file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import refused
from media import silence
from PIL import Image
from project import ASSETS

LONG = "ü" * 300
CARTOON, SPEECH = ASSETS / "portrait_cartoon.png", ASSETS / "speech.flac"


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


class TestBadInput:
    """Each with status 2, one sentence, and no file left."""

    @pytest.fixture(autouse=True)
    def nothing_is_written(self, tmp_path: Path):
        out = tmp_path / "out"
        out.mkdir()
        yield
        assert list(out.iterdir()) == []

    @pytest.mark.parametrize("kind", ["missing", "empty", "text", "no samples", "10 ms"])
    def test_recordings(self, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "speech.wav"
        if kind == "empty":
            write(path, b"")
        elif kind == "text":
            write(path, b"Dear diary, this is not a sound.\n" * 40)
        elif kind == "no samples":
            silence(path, 0.0)
        elif kind == "10 ms":
            silence(path, 0.01)
        out = tmp_path / "out" / "a.npz"
        refused(capsys, ["animate", CARTOON, path, "-o", out], "speech.wav")

    @pytest.mark.parametrize("kind", ["missing", "empty", "text", "no face", "truncated", "tiny"])
    def test_portraits(self, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "picture.png"
        if kind == "empty":
            write(path, b"")
        elif kind == "text":
            write(path, b"Not a picture. " * 100)
        elif kind == "no face":
            ramp = np.linspace(0, 255, 640, dtype=np.uint8)
            Image.fromarray(np.broadcast_to(ramp[None, :, None], (480, 640, 3)).copy()).save(path)
        elif kind == "truncated":
            write(path, CARTOON.read_bytes()[:60_000])
        elif kind == "tiny":
            Image.new("RGB", (8, 8)).save(path)
        refused(capsys, ["animate", path, SPEECH, "-o", tmp_path / "out" / "a.npz"], "picture.png")
        refused(capsys, ["detect", path, "-o", tmp_path / "out" / "face.json"], "picture.png")

    @pytest.mark.parametrize(
        "change",
        [
            {"landmarks": [[0, 0, 0]] * 67},
            {"landmarks": [["a", 0, 0]] * 68},
            {"landmarks": [[float("nan"), 0, 0]] * 68},
            {"landmarks": [[1e300, 0, 0]] * 68},
            {"landmarks": [[5, 5, 5]] * 68},
            {"format": 99},
            {"image": {"path": "../../../etc/passwd", "width": 10, "height": 10}},
            {"image": {"path": "portrait.png", "width": 1e12, "height": -4}},
            {"image": None},
        ],
    )
    def test_hostile_faces(
        self, change: dict, face_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "face.json"
        path.write_text(json.dumps(json.loads(face_file.read_text()) | change))
        refused(capsys, ["predict", SPEECH, "--face", path, "-o", tmp_path / "out" / "m.npz"], "face.json")
        refused(capsys, ["animate", CARTOON, SPEECH, "--landmarks", path, "-o", tmp_path / "out" / "m.npz"])

    @pytest.mark.parametrize("kind", ["pickle", "text", "shape", "nan", "cut", "huge"])
    def test_hostile_motions(
        self, kind: str, motion_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "motion.npz"
        arrays = dict(np.load(motion_file))
        if kind == "pickle":
            np.savez(path, **arrays | {"landmarks": np.array([print], dtype=object)})
        elif kind == "text":
            write(path, b"PK no archive")
        elif kind == "shape":
            np.savez(path, **arrays | {"neutral": np.zeros((67, 3))})
        elif kind == "nan":
            np.savez(path, **arrays | {"landmarks": arrays["landmarks"] * np.nan})
        elif kind == "cut":
            write(path, motion_file.read_bytes()[:-2000])
        elif kind == "huge":
            np.savez_compressed(path, **arrays | {"landmarks": np.zeros((1_000_000, 68, 3), np.float64)})
        refused(capsys, ["render", CARTOON, path, "-o", tmp_path / "out" / "a.mp4"], "motion.npz")

    def test_outputs(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        refused(capsys, ["animate", CARTOON, SPEECH, "-o", tmp_path / "out" / "a.avi"], "a.avi", ".mp4")
        refused(capsys, ["animate", CARTOON, SPEECH, "-o", tmp_path / "nowhere" / "a.mp4"], "nowhere")
        refused(capsys, ["animate", CARTOON, SPEECH, "-o", "/proc/a.npz"], "/proc/a.npz")

    @pytest.mark.parametrize(
        "arguments",
        [
            ["animate", LONG, SPEECH, "-o", "a.npz"],
            ["animate", CARTOON, LONG, "-o", "a.npz"],
            ["animate", CARTOON, SPEECH, "-o", f"{LONG}.npz"],
            ["animate", CARTOON, SPEECH, "-o", f"{LONG}/a.npz"],
            ["detect", CARTOON, "-o", f"{LONG}.json"],
            ["render", LONG, LONG, "-o", LONG],
            ["batch", "nothing.csv", LONG],
            ["visemes", SPEECH, "-o", f"{LONG}.tsv"],
            ["weights", "import", LONG],
        ],
        ids=lambda arguments: " ".join(str(word)[:12] for word in arguments),
    )
    def test_names_that_no_disk_takes(
        self,
        arguments: list[object],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.chdir(tmp_path / "out")
        refused(capsys, arguments)

    @pytest.mark.parametrize("option", [["--fps", "0"], ["--fps", "x"], ["--lip", "nan"], ["--seed", "-1"]])
    def test_options(self, option: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        refused(capsys, ["animate", CARTOON, SPEECH, "-o", tmp_path / "out" / "a.mp4", *option])

    def test_a_device_that_is_not_there(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:

        if torch.cuda.is_available():
            pytest.skip("there is one")
        refused(capsys, ["animate", CARTOON, SPEECH, "-o", tmp_path / "out" / "a.npz", "--device", "cuda"], "cuda")
