"""`--face N`: which of several faces the command line takes."""

import json

import numpy as np
import pytest
from makeittalk.cli.main import main
from PIL import Image


@pytest.fixture(scope="module")
def pair(astronaut, tmp_path_factory):
    """A large face on the left and a smaller one on the right."""
    photo = Image.open(astronaut).convert("RGB")
    picture = Image.new("RGB", (900, 512), (120, 120, 120))
    picture.paste(photo.resize((512, 512)), (0, 0))
    picture.paste(photo.resize((360, 360)), (530, 60))
    path = tmp_path_factory.mktemp("pair") / "pair.png"
    picture.save(path)
    return path


@pytest.mark.parametrize("options, left", [([], True), (["--face", "1"], True), (["--face", "2"], False)])
def test_detect(pair, tmp_path, capfd, options, left):
    assert main(["detect", str(pair), "-o", str(tmp_path / "face.json"), *options]) == 0
    landmarks = np.array(json.loads((tmp_path / "face.json").read_text())["landmarks"])
    assert (landmarks[:, 0].mean() < 512) == left
    told = capfd.readouterr().err
    assert "2 faces were found in" in told
    assert ("the largest one was taken" if left else "number 2 by size was taken") in told


def test_fewer_faces(pair, tmp_path, capfd):
    assert main(["detect", str(pair), "-o", str(tmp_path / "face.json"), "--face", "9"]) == 2
    assert "There is no face 9 in" in capfd.readouterr().err and not (tmp_path / "face.json").exists()


def test_no_number(pair, tmp_path, capfd):
    assert main(["detect", str(pair), "-o", str(tmp_path / "face.json"), "--face", "0"]) == 2
    assert len(capfd.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("face, left", [(1, True), (2, False)])
def test_animate(pair, tmp_path, speech_wav, face, left):
    """The motion is that of the face which was asked for."""
    output = tmp_path / "motion.npz"
    assert main(["animate", str(pair), str(speech_wav), "-o", str(output), "--face", str(face)]) == 0
    with np.load(output) as motion:
        assert (motion["neutral"][:, 0].mean() < 512) == left
