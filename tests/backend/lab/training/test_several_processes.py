"""Trainings in several processes, on one machine and as if on two: what they learn, and what happens when one dies."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from made_clips import write_clips, write_config
from makeittalk_lab.training import watch
from makeittalk_lab.training.log import Log
from safetensors.torch import load_file

PROGRAM = [sys.executable, "-m", "makeittalk"]
ENVIRONMENT = dict(os.environ, MAKEITTALK_DEBUG="1")
STEPS = 20
SOON = 15.0  # s in which processes of one machine have to end; they take less than one where nothing else runs


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("data"))


def command(folder: Path, data: Path, *more: str, steps: int = STEPS) -> list[str]:
    folder.mkdir(exist_ok=True)
    return ["train", "content", str(write_config(folder, data, steps)), "--device", "cpu", *more]


def run(folder: Path, data: Path, *more: str, steps: int = STEPS) -> list[dict[str, float]]:
    """Trains to the end; the log."""
    line = [*PROGRAM, *command(folder, data, *more, steps=steps)]
    done = subprocess.run(line, env=ENVIRONMENT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return Log(folder / "out").read()


def curve(log: list[dict[str, float]]) -> np.ndarray:
    return np.array([entry["loss"] for entry in log])


@pytest.fixture(scope="module")
def alone(data: Path, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """The loss of every step of a single process."""
    return curve(run(tmp_path_factory.mktemp("alone") / "one", data))


def test_two_processes_learn_as_one_does(data: Path, alone: np.ndarray, tmp_path: Path) -> None:
    """Six examples a step, shared out: the same six, so the same loss but for the order in which sums are taken."""
    log = run(tmp_path / "two", data, "--devices", "2")
    assert len(log) == STEPS and alone[-1] < 0.2 * alone[0]
    assert np.abs(curve(log) / alone - 1.0).max() < 1e-3


def test_torchrun_is_recognised(data: Path, alone: np.ndarray, tmp_path: Path) -> None:
    """It says how many processes there are, whatever the command line does; one of them writes."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(free())]
    line = [*torchrun, "-m", "makeittalk", *command(tmp_path / "run", data)]
    done = subprocess.run(line, env=ENVIRONMENT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    log = Log(tmp_path / "run" / "out").read()
    assert [entry["step"] for entry in log] == list(range(1, STEPS + 1))
    assert np.abs(curve(log) / alone - 1.0).max() < 1e-3


def free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_two_machines_learn_as_one_does(data: Path, alone: np.ndarray, tmp_path: Path) -> None:
    """Two command lines that find each other by the environment."""
    line = [*PROGRAM, *command(tmp_path / "run", data, "--nodes", "2", "--devices", "1")]
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free())}
    machines = [
        subprocess.Popen(
            line, env=ENVIRONMENT | meeting | {"NODE_RANK": str(number)}, stderr=subprocess.PIPE, text=True
        )
        for number in range(2)
    ]
    told = [machine.communicate(timeout=240)[1] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], told
    log = Log(tmp_path / "run" / "out").read()
    assert len(log) == STEPS and np.abs(curve(log) / alone - 1.0).max() < 1e-3


def test_machines_that_cannot_meet_are_one_sentence(data: Path, tmp_path: Path) -> None:
    line = [*PROGRAM, *command(tmp_path / "run", data, "--nodes", "2")]
    done = subprocess.run(line, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "lacks MASTER_ADDR, MASTER_PORT, NODE_RANK" in done.stderr


def begin(folder: Path, data: Path, step: int, steps: int) -> tuple[subprocess.Popen[str], int]:
    """Two processes that train, once they have come to a step, and the second one's number."""
    line = [*PROGRAM, *command(folder, data, "--devices", "2", steps=steps)]
    # Behind what the run before has logged, which stands there until this one goes on.
    step = max([step, *(int(entry["step"]) + 1 for entry in Log(folder / "out").read())])
    process = subprocess.Popen(line, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 200
    while not any(entry["step"] == step for entry in Log(folder / "out").read()):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    [second] = map(
        int, subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    )
    return process, second


def alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return bool(state.strip()) and not state.startswith("Z")


@pytest.mark.parametrize("rounds", [1, pytest.param(10, marks=pytest.mark.slow)])
@pytest.mark.timeout(3600)
def test_when_one_dies_the_other_ends_with_a_sentence_and_the_next_run_goes_on(
    data: Path, tmp_path: Path, rounds: int
) -> None:
    steps = 60 * rounds
    whole = run(tmp_path / "whole", data, "--devices", "2", steps=steps)
    folder = tmp_path / "broken"
    for turn in range(rounds):
        for place, dies in enumerate(("second", "first")):
            step = 12 + (steps - 20) * (2 * turn + place) // (2 * rounds)
            process, second = begin(folder, data, step, steps)
            os.kill(second if dies == "second" else process.pid, signal.SIGKILL)
            began = time.monotonic()
            assert process.stderr is not None
            told = process.stderr.read()  # until both have closed it
            status = process.wait()
            while alive(second):
                time.sleep(0.02)
                assert time.monotonic() - began < SOON
            assert time.monotonic() - began < SOON
            assert status == (watch.STATUS if dies == "second" else -signal.SIGKILL)
            number = 2 if dies == "second" else 1
            assert told == (
                f"makeittalk: Process {number} of 2 is gone, so training content stopped; "
                "run it again to go on from the last checkpoint.\n"
            )
            assert not (folder / "out" / "content.safetensors").exists()
    log = run(folder, data, "--devices", "2", steps=steps)
    first, last = (load_file(tmp_path / name / "out" / "content.safetensors") for name in ("whole", "broken"))
    assert all(torch.allclose(first[name], last[name], rtol=0.0, atol=1e-6) for name in first)
    assert [json.dumps(entry["loss"]) for entry in log] == [json.dumps(entry["loss"]) for entry in whole]


def test_what_both_processes_meet_is_told_once(data: Path, tmp_path: Path) -> None:
    """A damaged checkpoint: one sentence, and nobody waits for the other."""
    line = [*PROGRAM, *command(tmp_path / "run", data, "--devices", "2")]
    (tmp_path / "run" / "out").mkdir()
    (tmp_path / "run" / "out" / "checkpoint.safetensors").write_bytes(b"\xff" * 100)
    done = subprocess.run(line, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "does not fit this training" in done.stderr
