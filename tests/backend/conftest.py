"""What several tests of the backend share: the embedded portraits and recording, and the training data where it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from project import ASSETS, DATA

SOUNDS = (".wav", ".flac", ".ogg", ".mp3")

torch.set_num_threads(1)  # several small networks at once are slower on more


def _asset(stem: str, suffixes: tuple[str, ...]) -> Path:
    for suffix in suffixes:
        if (path := ASSETS / f"{stem}{suffix}").is_file():
            return path
    pytest.skip(f"the embedded {stem} is missing")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The training data, which is not part of the project."""
    if not DATA.is_dir():
        pytest.skip("MAKEITTALK_DATA names no folder with the training data")
    return DATA


@pytest.fixture(scope="session")
def speech_wav() -> Path:
    """The embedded recording: one spoken sentence."""
    return _asset("speech", SOUNDS)


@pytest.fixture(scope="session")
def cartoon() -> Path:
    """The embedded drawing."""
    return _asset("portrait_cartoon", (".png",))


@pytest.fixture(scope="session")
def astronaut() -> Path:
    """The embedded photograph: frontal, with an open smile."""
    return _asset("portrait_photo", (".jpg", ".png"))
