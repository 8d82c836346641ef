"""`makeittalk render`: a motion drawn by the mesh alone or by a network, as pictures or as a film."""

from __future__ import annotations

from pathlib import Path

import av
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
        assert plain.shape == made.shape
        assert np.abs(plain[:50].astype(int) - made[:50]).max() <= 1  # hair turns with a relief of its own
        assert 0 < np.abs(plain.astype(int) - made).mean() < 0.5

    def test_weights_that_are_not_there(self, short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "frames"
        refused(capsys, ["render", CARTOON, short, "-o", out, "--style", "photo", "--weights", "none"], "none")
        assert not out.exists()


def test_a_take_of_live_link_face_moves_a_portrait(tmp_path: Path) -> None:
    """The way round: a prediction written as the app writes its takes, and drawn from that file."""
    table, film, direct = tmp_path / "take.csv", tmp_path / "take.mp4", tmp_path / "direct.mp4"
    portrait, speech = ASSETS / "portrait_cartoon.png", ASSETS / "speech.flac"
    command = ["animate", str(portrait), str(speech), "--style", "cartoon", "--fps", "25"]
    assert main([*command, "-o", str(table), "-o", str(direct)]) == 0
    assert (
        main(["render", str(portrait), str(table), "-o", str(film), "--style", "cartoon", "--audio", str(speech)]) == 0
    )
    pictures = []
    for path in (film, direct):
        with av.open(str(path)) as container:
            assert container.streams.video[0].average_rate == 25
            pictures.append([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])
    assert len(pictures[0]) == len(pictures[1])
    first, second = (np.array(some[::10], np.float32) for some in pictures)
    apart = np.abs(first - second).mean()  # the keys that only refine, gaze and sway are in no such table
    still = np.abs(second - second[:1]).mean()
    print(f"apart {apart:.2f}, moved {still:.2f} of 255")
    assert still > 1.0 and apart < 0.6 * still


def test_a_table_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.csv").write_text("seconds,jawOpen\n0,1\n")
    command = ["render", ASSETS / "portrait_cartoon.png", tmp_path / "x.csv", "-o", tmp_path / "x.mp4"]
    refused(capsys, command, "x.csv", "Live Link Face")
    assert not (tmp_path / "x.mp4").exists()
