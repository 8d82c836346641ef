"""`makeittalk predict`: the motion of a face from its landmarks and a recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from makeittalk.cli.main import main
from makeittalk.landmarks.landmark_motion import load_motion
from project import ASSETS

SPEECH = ASSETS / "speech.flac"


def test_the_seed_moves_the_head_and_not_the_lips(face_file: Path, motion_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "other.npz"
    assert main(["predict", str(SPEECH), "--face", str(face_file), "-o", str(out), "--seed", "7"]) == 0
    first, other = load_motion(motion_file), load_motion(out)
    assert np.array_equal(first.parts.content, other.parts.content)
    assert np.abs(first.head_rotation - other.head_rotation).max() > np.radians(0.5)
