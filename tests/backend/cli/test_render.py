"""`makeittalk render`: a motion drawn by the mesh alone or by a network, as pictures or as a film."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import refused, sentences
from makeittalk.cli.main import main
from makeittalk.networks.correction import CorrectionConfig, CorrectionNet
from makeittalk.networks.image_inference import save_image
from PIL import Image
from project import ASSETS

CARTOON = ASSETS / "portrait_cartoon.png"


def test_pictures_of_a_motion(motion_file: Path, tmp_path: Path) -> None:
    arrays = dict(np.load(motion_file))
    bare = {name: arrays[name] for name in ("format", "neutral", "fps")} | {"landmarks": arrays["landmarks"][:40]}
    np.savez(tmp_path / "bare.npz", **bare)
    out = tmp_path / "frames"
    assert main(["render", str(CARTOON), str(tmp_path / "bare.npz"), "-o", str(out), "--fps", "12.5"]) == 0
    pictures = sorted(out.glob("*.png"))
    assert len(pictures) == 8
    with Image.open(pictures[0]) as picture, Image.open(CARTOON) as portrait:
        assert picture.size == portrait.size


class TestStyle:
    """Photoreal frames for photographs, the mesh alone for drawings."""

    @pytest.fixture
    def short(self, motion_file: Path, tmp_path: Path) -> Path:
        arrays = dict(np.load(motion_file))
        kept = {name: arrays[name] for name in ("format", "neutral", "fps", "image_size")}
        np.savez(tmp_path / "short.npz", **kept, landmarks=arrays["landmarks"][:3])
        return tmp_path / "short.npz"

    def test_auto_says_which(self, short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["render", str(CARTOON), str(short), "-o", str(tmp_path / "frames")]) == 0
        told = sentences(capsys)
        assert len(told) == 1 and "drawing" in told[0] and "cartoon" in told[0]
        assert len(list((tmp_path / "frames").iterdir())) == 2

    def test_a_drawing_may_be_photoreal_if_asked(self, short: Path, tmp_path: Path) -> None:
        weights = tmp_path / "own.safetensors"
        network = CorrectionNet(CorrectionConfig((8, 16), 0))
        with torch.no_grad():
            network.out.bias += 0.05  # brighter all over: a cast, which is taken out
        save_image(weights, network, "correction", {})
        for style, more in (("cartoon", []), ("photo", ["--weights", str(weights)])):
            out = tmp_path / style
            assert main(["render", str(CARTOON), str(short), "-o", str(out), "--style", style, *more]) == 0
        plain, made = (np.asarray(Image.open(tmp_path / style / "frame_00002.png")) for style in ("cartoon", "photo"))
        assert plain.shape == made.shape and np.array_equal(plain[:50], made[:50])
        assert 0 < np.abs(plain.astype(int) - made).mean() < 0.5

    def test_weights_that_are_not_there(self, short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "frames"
        refused(capsys, ["render", CARTOON, short, "-o", out, "--style", "photo", "--weights", "none"], "none")
        assert not out.exists()
