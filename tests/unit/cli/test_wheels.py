"""`makeittalk-wheels`: what pip is asked for, and what is said when it cannot be had."""

from __future__ import annotations

import subprocess
import sys

import pytest
from makeittalk.cli import wheels
from makeittalk.exchange import locks
from project import BACKEND


@pytest.fixture
def pip(monkeypatch):
    """Keeps what pip would be asked for; it answers with what is set."""
    asked, answers = [], {"status": 0, "stderr": ""}

    def run(command, **_options):
        asked.append(command[command.index("--dest") + 2 :])
        return subprocess.CompletedProcess(command, answers["status"], "", answers["stderr"])

    monkeypatch.setattr(wheels.subprocess, "run", run)
    monkeypatch.setattr(wheels.wheels, "lacking", lambda *_about: [])
    return asked, answers


def test_another_machine_is_asked_for_by_its_tags(pip, tmp_path):
    wheels.fill(tmp_path, "windows-x86_64", (3, 13), "cpu")
    asked, _answers = pip
    assert [command[-1] for command in asked] == [
        str(locks.FOLDER / "pip.txt"),
        str(locks.lock_path("windows-x86_64", (3, 13))),
        f"torch=={locks.TORCH}+cpu",
    ]
    for command in asked:
        text = " ".join(command)
        assert "--platform win_amd64" in text and "--python-version 313" in text and "--abi cp313 --abi abi3" in text
    assert all("--require-hashes" in command for command in asked[:2]) and "--no-deps" in asked[2]


def test_this_machine_needs_no_tags(pip, tmp_path):
    platform = locks.platform_name()
    wheels.fill(tmp_path, platform, sys.version_info[:2], locks.builds(platform)[0].name)
    assert not any("--platform" in command for command in pip[0])


def test_a_card_brings_its_libraries(pip, tmp_path):
    wheels.fill(tmp_path, "linux-x86_64", (3, 12), "cu130")
    assert "--no-deps" not in pip[0][2] and pip[0][2][-1].endswith("+cu130")


def test_pytorchs_index_is_asked_where_the_own_one_has_no_such_build(pip, tmp_path, monkeypatch):
    asked, answers = pip
    run = wheels.subprocess.run

    def first_without(command, **options):
        torch = any("torch==" in word for word in command)
        answers["status"] = int(torch and "--extra-index-url" not in command)
        answers["stderr"] = "ERROR: No matching distribution found for torch"
        return run(command, **options)

    monkeypatch.setattr(wheels.subprocess, "run", first_without)
    wheels.fill(tmp_path, "linux-x86_64", (3, 12), "cpu")
    assert asked[-1][-2:] == ["--extra-index-url", "https://download.pytorch.org/whl/cpu"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--build", "cu999"], "no build cu999"),
        (["--platform", "macos-arm64", "--build", "cpu"], "use one of: apple"),
    ],
)
def test_what_there_is_not_is_a_sentence(tmp_path, arguments, said):
    command = [sys.executable, "-I", str(BACKEND / "wheels.py"), str(tmp_path / "w"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and said in done.stderr + done.stdout and "Traceback" not in done.stderr
    assert not (tmp_path / "w").exists()


def test_a_failing_pip_is_a_sentence(pip, tmp_path, capsys):
    pip[1].update(status=1, stderr="WARNING: retrying\nERROR: Could not install packages\n")
    assert wheels.main([str(tmp_path)]) == 2
    assert "pip could not get everything: Could not install packages" in capsys.readouterr().err
