"""The backend runs with the packages of its lock alone: here everything else that is installed cannot be imported."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.constants import SAMPLE_RATE
from project import BACKEND

LOCK = BACKEND / "makeittalk" / "locks" / f"linux-x86_64-py3{sys.version_info.minor}.txt"
#: Runs the command line where only the packages that are named can be imported, and prints what was.
PROGRAM = """
import importlib.machinery, importlib.metadata, sys
allowed = set(sys.argv[2].split(","))
refused = {module for module, names in importlib.metadata.packages_distributions().items()
           if not {name.lower().replace("_", "-") for name in names} & allowed}

class Allowed(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in refused else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Allowed
sys.path.insert(0, sys.argv[1])
from makeittalk.cli.main import main
status = main(sys.argv[3:])
assert not {name for name in sys.modules if getattr(sys.modules[name], "__spec__", None)} & refused
sys.exit(status)
"""


def run(*arguments: str | Path) -> str:
    """What a command of makeittalk prints."""
    # The CUDA build brings packages of its own, among which torch looks for what it needs.
    allowed = {*re.findall(r"^([a-z0-9-]+)==", LOCK.read_text(), re.MULTILINE), "torch", "triton", "makeittalk"}
    command = [sys.executable, "-I", "-c", PROGRAM, str(BACKEND), ",".join(allowed), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def short(speech_wav: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of speech."""
    import soundfile

    path = tmp_path_factory.mktemp("speech") / "short.wav"
    soundfile.write(path, load_audio(speech_wav).samples[:SAMPLE_RATE], SAMPLE_RATE)
    return path


def test_the_doctor_finds_all_that_is_needed() -> None:
    assert "FAIL" not in run("doctor")


def test_a_drawing_speaks_and_is_tracked(cartoon: Path, short: Path, tmp_path: Path) -> None:
    run("animate", cartoon, short, "-o", tmp_path / "film.mp4", "-o", tmp_path / "motion.csv", "--fps", "8")
    run("track", tmp_path / "film.mp4", "-o", tmp_path / "tracked.npz")
    assert (tmp_path / "motion.csv").is_file() and (tmp_path / "tracked.npz").is_file()


def test_a_photograph_speaks(astronaut: Path, short: Path, tmp_path: Path) -> None:
    run("detect", astronaut, "-o", tmp_path / "face.json")
    run("predict", short, "--face", tmp_path / "face.json", "-o", tmp_path / "motion.npz", "--features", "autovc")
    film = tmp_path / "film.mp4"
    run("render", astronaut, tmp_path / "motion.npz", "-o", film, "--style", "photo", "--audio", short, "--fps", "4")
    assert film.is_file()


def test_a_voice_is_converted(short: Path, tmp_path: Path) -> None:
    run("voice-convert", short, "--to", short, "-o", tmp_path / "other.wav")
    assert (tmp_path / "other.wav").is_file()
