"""What the tests of several commands work on: a face and a motion, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from makeittalk.cli.main import main
from project import ASSETS

CARTOON, SPEECH = ASSETS / "portrait_cartoon.png", ASSETS / "speech.flac"


@pytest.fixture(scope="session")
def face_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detected face with its picture beside it."""
    path = tmp_path_factory.mktemp("face") / "face.json"
    assert main(["detect", str(CARTOON), "-o", str(path)]) == 0
    return path


@pytest.fixture(scope="session")
def motion_file(face_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A predicted motion for that face."""
    path = tmp_path_factory.mktemp("motion") / "motion.npz"
    assert main(["predict", str(SPEECH), "--face", str(face_file), "-o", str(path)]) == 0
    return path
