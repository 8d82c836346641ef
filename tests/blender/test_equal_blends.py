"""Two equal runs write .blend files that hold the same; what Blender draws by chance is named in `blend_blocks`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from blend_blocks import BlendBlocks, digest
from project import ROOT


def write(job: Path, output: Path, **environment: str) -> Path:
    """Writes a .blend of a job that lies in a folder of its own, as two runs have it."""
    own = Path(shutil.copytree(job, output.parent / f"job-{output.stem}"))
    (output.parent / "tmp" / output.stem).mkdir(parents=True)
    command = [sys.executable, "-I", str(ROOT / "addon" / "write_blend.py"), str(own), str(output), "--name", "Zoë"]
    command += ["--audio", str(job / "speech.wav"), "--seed", "3"]
    changed = {**os.environ, **environment, "TMPDIR": str(output.parent / "tmp" / output.stem)}
    done = subprocess.run(command, capture_output=True, text=True, env=changed, check=False)
    assert done.returncode == 0, done.stderr
    return output


def test_two_equal_runs_write_the_same(job, tmp_path):
    first = write(job, tmp_path / "first.blend", PYTHONHASHSEED="1", OMP_NUM_THREADS="1")
    second = write(job, tmp_path / "second.blend", PYTHONHASHSEED="2", OMP_NUM_THREADS="2")
    one, two = BlendBlocks(first), BlendBlocks(second)
    assert one.differences(two) == []
    assert digest(first) == digest(second)
    # It names neither the temporary folder nor that of the job: both are gone when somebody opens it.
    held = b"".join(block.data for block in one.blocks)
    assert str(tmp_path / "tmp").encode() not in held and str(tmp_path / "job-first").encode() not in held


def test_a_difference_is_seen(job, tmp_path):
    first = write(job, tmp_path / "first.blend")
    (job / "portrait.png").write_bytes((job / "portrait.png").read_bytes() + b"\0")
    second = write(job, tmp_path / "second.blend")
    found = BlendBlocks(first).differences(BlendBlocks(second))
    assert found and digest(first) != digest(second)
