"""Finding a Python, and proposing a build of torch."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from extension import part_outside

pythons = part_outside("addon.core.pythons")
locks = part_outside("backend.makeittalk.exchange.locks")


def program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_this_python_is_understood() -> None:
    found = pythons.examine(Path(sys.executable))
    assert found.version == sys.version_info[:2] and found.platform == locks.platform_name()
    assert found.usual and found.makes_environments and found.fits


@pytest.mark.parametrize("script", ["exit 1", "echo nonsense", 'echo "[[2, 7]]"', "echo '{}'"])
def test_what_is_no_python_is_none(tmp_path, script) -> None:
    assert pythons.examine(program(tmp_path, "python3", script)) is None
    assert pythons.examine(tmp_path / "missing") is None


@pytest.mark.parametrize(
    "answer",
    [
        *('[1, "linux", "x86_64", true, true, true, true, ""]', '[[3], "linux", "x86_64", true, true, true, true, ""]'),
        *('[["3", 11], "linux", "x86_64", true, true, true, true, ""]', "[" * 40_000),
        *(
            '[[3, 11], 5, "x86_64", true, true, true, true, ""]',
            '[[3, 1e400], "linux", "x", true, true, true, true, 5]',
        ),
    ],
)
def test_what_no_python_answers_is_none(answer: str) -> None:
    assert pythons.understood(answer, Path("/x")) is None


def answer(**changes: object) -> str:
    values = {"version": "[3, 12]", "system": '"linux"', "machine": '"x86_64"', "wide": "true", "usual": "true"}
    values |= {"venv": "true", "pip": "true", "executable": '"/x/python3.12"'} | changes
    return f"echo '[{', '.join(map(str, values.values()))}]'"


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({}, True),
        ({"version": "[3, 10]"}, False),
        ({"version": "[3, 14]"}, False),
        ({"machine": '"i686"'}, False),
        ({"wide": "false"}, False),
        ({"usual": "false"}, False),  # PyPy, or a Python without the GIL
        ({"venv": "false"}, False),
        ({"pip": "false"}, True),  # pip comes from its wheel
    ],
)
def test_which_pythons_fit(tmp_path, monkeypatch, changes, fits) -> None:
    monkeypatch.setattr(pythons.locks, "platform_name", lambda *of: "-".join(of) if of else "linux-x86_64")
    found = pythons.examine(program(tmp_path, "python3", answer(**changes)))
    assert found.path == Path("/x/python3.12") and found.fits is fits


def test_blenders_own_comes_first_and_links_count_once(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    real = program(tmp_path, "python3.12", "exit 0")
    os.symlink(real, tmp_path / "python3")
    own = program(tmp_path, "python3.11-blender", "exit 0")
    found = [path for path in pythons.candidates(own) if path.parent == tmp_path]
    assert found == [own, real]


@pytest.mark.parametrize(
    ("answer", "build"),
    [
        ("580.65.06, 8.9", "cu130"),
        ("580.65.06, 6.1", "cu126"),
        ("535.10, 9.0", "cu126"),
        ("470.1, 8.6", "cpu"),
        ("535.10, 3.5\n535.10, 8.0", "cu126"),
        ("No devices were found", "cpu"),
    ],
)
def test_the_build_that_fits_the_card(tmp_path, monkeypatch, answer, build) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    program(tmp_path, "nvidia-smi", f"echo '{answer}'")
    monkeypatch.setattr(pythons.os.path, "isdir", lambda path: False)
    assert pythons.proposed_build("linux-x86_64") == build


def test_other_machines_get_what_there_is_for_them(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert pythons.proposed_build("macos-arm64") == "apple"
    assert pythons.proposed_build("windows-x86_64") == "cpu"
    monkeypatch.setattr(pythons.os.path, "isdir", lambda path: path == "/opt/rocm")
    assert pythons.proposed_build("linux-x86_64") == "rocm7.2"
