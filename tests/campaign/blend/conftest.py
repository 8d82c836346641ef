"""Cases of hostile .blend files, each in a Blender of its own, with the real backend."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path

import pytest
from hostile_blend_campaign import Campaign
from project import ASSETS, ROOT


@pytest.fixture(scope="session")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """A folder with the character that is spoilt: the drawn portrait, which says two seconds."""
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("Blender's module is not in this Python.")
    backend = os.environ.get("MAKEITTALK_PYTHON") or str(ROOT / ".venv" / "bin" / "python")
    assert os.path.isfile(backend), f"{backend} is missing: name the backend's Python in MAKEITTALK_PYTHON"
    found = Campaign(tmp_path_factory.mktemp("hostile"), backend)
    found.make(ASSETS / "portrait_cartoon.png", _speech(backend, tmp_path_factory.mktemp("speech")))
    return found


def _speech(backend: str, folder: Path) -> Path:
    """The first two seconds of the demo's recording; only the backend's Python reads FLAC."""
    cut = (
        "import soundfile, sys; data, rate = soundfile.read(sys.argv[1]);"
        "soundfile.write(sys.argv[2], data[:2 * rate], rate)"
    )
    subprocess.run([backend, "-c", cut, str(ASSETS / "speech.flac"), str(folder / "speech.wav")], check=True)
    return folder / "speech.wav"
