"""The program that measures the seam of a pasted face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from makeittalk_lab.evaluation.seam import main
from PIL import Image


def test_a_pasted_square_shows_and_equal_pictures_do_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warp = np.full((120, 120, 3), 90, np.uint8)
    frame = warp.copy()
    frame[40:80, 40:80] += 60
    for name, picture in (("warp", warp), ("frame", frame), ("small", warp[:60])):
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    assert main([str(tmp_path / "frame.png"), str(tmp_path / "warp.png")]) == 0
    assert float(capsys.readouterr().out.split()[-1]) > 10
    for other, complaint in (("warp", "show the same"), ("small", "differ in size"), ("none", "none.png")):
        assert main([str(tmp_path / "warp.png"), str(tmp_path / f"{other}.png")]) == 2
        told = capsys.readouterr().err
        assert complaint in told and told.count("\n") == 1
