"""`makeittalk detect`: the landmarks of a portrait, the picture they belong to, and a drawing of both."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command_line import python
from makeittalk.cli.main import main
from makeittalk.exchange.formats import Face
from PIL import Image
from project import ASSETS

CARTOON, PHOTO = ASSETS / "portrait_cartoon.png", ASSETS / "portrait_photo.jpg"


def test_two_faces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = Image.open(PHOTO).convert("RGB")
    pair = Image.new("RGB", (photo.width * 2, photo.height), "gray")
    pair.paste(photo.resize((photo.width // 2, photo.height // 2)), (0, photo.height // 4))
    pair.paste(photo, (photo.width, 0))
    pair.save(tmp_path / "two.png")
    out = tmp_path / "face.json"
    assert main(["detect", str(tmp_path / "two.png"), "-o", str(out)]) == 0
    assert Face.load(out).landmarks[30, 0] > photo.width
    assert "largest" in capsys.readouterr().err


def test_the_picture_lies_beside_the_landmarks(tmp_path: Path) -> None:
    out, overlay = tmp_path / "cartoon.json", tmp_path / "overlay.png"
    assert main(["detect", str(CARTOON), "-o", str(out), "--overlay", str(overlay)]) == 0
    face = Face.load(out)
    with Image.open(tmp_path / "cartoon.png") as picture, Image.open(overlay) as drawn:
        assert picture.size == drawn.size == (face.width, face.height)


def test_the_users_own_picture_stays(tmp_path: Path) -> None:
    shutil.copy(CARTOON, tmp_path / "face.png")
    assert main(["detect", str(tmp_path / "face.png"), "-o", str(tmp_path / "face.json")]) == 0
    assert (tmp_path / "face.png").read_bytes() == CARTOON.read_bytes()
    assert Path(Face.load(tmp_path / "face.json").image).name == "face-prepared.png"


def test_nothing_else_is_said(tmp_path: Path) -> None:
    """MediaPipe and TensorFlow Lite log from C++, and complain at the interpreter's end about what is still open."""
    for command in (["detect", str(PHOTO), "-o", str(tmp_path / "face.json")], ["doctor"]):
        run = python("-m", "makeittalk", *command)
        told = [line for line in run.stderr.splitlines() if not line.endswith(" %")]  # how far a slow machine is
        assert (run.returncode, told) == (0, [])
    assert (tmp_path / "face.json").is_file()


def test_a_link_is_followed_by_landmarks_and_picture(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    link = tmp_path / "link.json"
    link.symlink_to("kept/face.json")
    assert main(["detect", str(CARTOON), "-o", str(link)]) == 0
    assert link.is_symlink() and {path.name for path in (tmp_path / "kept").iterdir()} == {"face.json", "face.png"}
    assert Path(Face.load(tmp_path / "kept" / "face.json").image).is_file()
