"""The face recogniser of development: it tells people apart, and knows one again who moves."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest
from makeittalk_lab.evaluation.identity import SAME_PERSON, identity_distances, main
from PIL import Image

pytest.importorskip("dlib")
if importlib.util.find_spec("face_recognition_models") is None:
    pytest.skip("the network that recognises faces is not installed", allow_module_level=True)


def load(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB").resize((480, 480)))


def test_one_person_in_another_light_and_a_stranger(astronaut: Path, cartoon: Path) -> None:
    rgb = load(astronaut)
    turn = cv2.getRotationMatrix2D((240, 240), 8, 0.9)
    moved = cv2.warpAffine(rgb, turn, (480, 480), borderMode=cv2.BORDER_REPLICATE)
    dark = (rgb * 0.6).astype(np.uint8)
    same_moved, same_dark, stranger = identity_distances(rgb, [moved, dark, load(cartoon)])
    assert max(same_moved, same_dark) < 0.4 < SAME_PERSON < stranger


def test_the_command(astronaut: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(load(astronaut)[:, ::-1]).save(tmp_path / "a.png")
    assert main([str(astronaut), str(tmp_path)]) == 0
    told = capsys.readouterr().out.split()
    assert told[0] == "mean" and float(told[1]) < SAME_PERSON and told[-5:] == ["1", "of", "1", "within", "0.6"]
    assert main([str(astronaut), str(tmp_path / "none.png")]) == 2 and "none.png" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([str(astronaut)])
