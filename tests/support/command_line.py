"""How tests look at the command line: the sentence of a refusal, and a Python with chosen packages."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from makeittalk.cli.main import main
from project import BACKEND


def sentences(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What a command said on standard error; how far it was is left out, a slow machine says more of that."""
    return [line for line in capsys.readouterr().err.splitlines() if line.strip() and not line.endswith(" %")]


def refused(capsys: pytest.CaptureFixture[str], arguments: Sequence[object], *words: str) -> None:
    """The command ends with status 2, one sentence that holds the words, and no traceback."""
    status = main([str(argument) for argument in arguments])
    told = sentences(capsys)
    assert status == 2, told
    assert len(told) == 1 and told[0].startswith("makeittalk: "), told
    assert "Traceback" not in told[0]
    for word in words:
        assert word in told[0], told[0]


def python(*arguments: str, path: Path = BACKEND) -> subprocess.CompletedProcess[str]:
    """Runs another Python that looks for packages in `path` first."""
    environment = dict(os.environ, PYTHONPATH=str(path))
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
