"""`makeittalk predict`: the motion of a face from its landmarks and a recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command_line import refused
from makeittalk.animation.predict import PredictOptions
from makeittalk.audio.loading import load_audio
from makeittalk.cli.main import main
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.formats import Face
from makeittalk.landmarks.landmark_motion import load_motion
from makeittalk.landmarks.measures import opening
from predicted import predict_motion
from project import ASSETS

SPEECH = ASSETS / "speech.flac"


def test_the_seed_moves_the_head_and_not_the_lips(face_file: Path, motion_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "other.npz"
    assert main(["predict", str(SPEECH), "--face", str(face_file), "-o", str(out), "--seed", "7"]) == 0
    first, other = load_motion(motion_file), load_motion(out)
    assert np.array_equal(first.parts.content, other.parts.content)
    assert np.abs(first.head_rotation - other.head_rotation).max() > np.radians(0.5)


def test_the_paper_s_own_way_moves_the_lips_otherwise(face_file: Path, motion_file: Path, tmp_path: Path) -> None:
    command = ["predict", str(SPEECH), "--face", str(face_file), "-o"]
    assert main([*command, str(tmp_path / "autovc.npz"), "--features", "autovc"]) == 0
    whisper, autovc = load_motion(motion_file), load_motion(tmp_path / "autovc.npz")
    assert np.array_equal(whisper.head_rotation, autovc.head_rotation)
    first, second = (opening(motion.neutral + motion.expression) for motion in (whisper, autovc))
    assert not np.allclose(first, second, atol=0.5) and np.corrcoef(first, second)[0, 1] > 0.4  # one sentence
    # Named weights count, whatever they hear.
    assert main([*command, str(tmp_path / "named.npz"), "--weights", "content_autovc"]) == 0
    assert np.array_equal(load_motion(tmp_path / "named.npz").parts.content, autovc.parts.content)


def test_lips_are_predicted_from_nothing_else(
    face_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["predict", SPEECH, "--face", face_file, "-o", tmp_path / "m.npz", "--features", "smell"]
    refused(capsys, command, "smell", "whisper", "autovc")
    with pytest.raises(InputError, match="predicted from 'smell'; use whisper or autovc"):
        predict_motion(load_audio(SPEECH), Face.load(face_file), PredictOptions(features="smell"))
