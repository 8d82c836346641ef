"""Two equal runs write equal bytes: in other folders, with other temporary folders, another order of hashes and another
number of threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import python
from job_table import write_inputs
from project import BACKEND

COMMANDS = {
    "animate": "animate drawing.png speech.wav -o a.npz -o a.csv -o a.json -o a.mp4 --style cartoon",
    "photoreal": "animate photo.png speech.wav -o p.mp4 --style photo",
    "detect": "detect photo.png -o face.json --overlay over.png",
    "predict": "predict speech.wav --face face.json -o motion.npz",
    "render": "render drawing.png a.npz -o frames",
    "track": "track p.mp4 -o track.npz",
    "visemes": "visemes speech.wav -o v.tsv -o v.xml -o v.json -o v.dat",
    "voice-convert": "voice-convert speech.wav --to other.wav -o said.wav",
}


def run_all(folder: Path, seed: int, threads: int) -> dict[str, bytes]:
    """Runs every command in a folder of its own and returns what they wrote, by name."""
    (folder / "tmp").mkdir(parents=True)
    write_inputs(folder)
    given = {path.name for path in folder.iterdir()}
    environment = {**os.environ, "PYTHONPATH": str(BACKEND), "PYTHONHASHSEED": str(seed), "TMPDIR": str(folder / "tmp")}
    environment |= {"OMP_NUM_THREADS": str(threads), "TZ": f"XST{seed}"}
    program = (
        "import sys\nfrom makeittalk.cli.main import main\n"
        "for line in sys.argv[1:]: assert main(line.split()) == 0, line"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *COMMANDS.values()],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.name not in given}


@pytest.mark.timeout(900)
def test_two_equal_runs_write_equal_bytes(tmp_path: Path) -> None:
    first = run_all(tmp_path / "one", seed=1, threads=1)
    second = run_all(tmp_path / "a longer name", seed=2, threads=2)
    # What Rhubarb Lip Sync writes into these names the recording in full.
    for found, folder in ((first, "one"), (second, "a longer name")):
        for name in ("v.xml", "v.json"):
            found[name] = found[name].replace(str(tmp_path / folder).encode(), b"FOLDER")
    assert {Path(name).suffix for name in first} == {
        *(".npz", ".csv", ".json", ".mp4", ".png", ".tsv", ".xml", ".dat", ".wav")
    }
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []


def test_weights_are_written_the_same_in_every_process(tmp_path: Path) -> None:
    """The safetensors library writes a file's notes in an order that is drawn anew in every process."""
    code = (
        "import sys, pathlib\nfrom makeittalk.networks.correction import CorrectionConfig, CorrectionNet\n"
        "from makeittalk.networks.image_inference import save_image\nimport torch\ntorch.manual_seed(1)\n"
        "net = CorrectionNet(CorrectionConfig(widths=(4, 4), blocks=0))\n"
        "save_image(pathlib.Path(sys.argv[1]), net, 'correction', {'a note': 'ä\\n\"', 'b': 2})"
    )
    written = []
    for number in range(4):
        path = tmp_path / f"{number}.safetensors"
        done = python("-c", code, str(path))
        assert done.returncode == 0, done.stderr
        written.append(path.read_bytes())
    assert len(set(written)) == 1
    from makeittalk.networks.image_inference import load_image

    assert load_image(str(tmp_path / "0.safetensors"), "cpu") is not None
