"""When the backend's process ends: with its input, with its parent, when it is told to; whatever it is doing."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from killing import heed_interrupts
from makeittalk.exchange import owner, temporary
from project import BACKEND

#: A backend whose greeting takes long: in steps that can be stopped, or in one that cannot.
SERVE = """
import sys, time
sys.path.insert(0, sys.argv[1])
from makeittalk.exchange import temporary
from makeittalk.jobs import parent_watch, server
from makeittalk.jobs.server import serve
parent_watch._LAST = 0.5
def steps(request, progress):
    temporary.new_folder()
    for step in range(600):
        progress(step / 600, "Working")
        time.sleep(0.1)
def deaf(request, progress):
    temporary.new_folder()
    progress(0.5, "Working")
    time.sleep(60)
def exits(request, progress):
    progress(0.5, "Working")
    sys.exit("as some library does")
if sys.argv[2] != "idle":
    server.hello = globals()[sys.argv[2]]
sys.exit(serve())
"""
#: Starts that backend, and a process that holds all of its pipes.
PARENT = """
import os, subprocess, sys, time
there = subprocess.Popen([sys.executable, "-c", *sys.argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
ends = (there.stdin.fileno(), there.stdout.fileno())
holder = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"], pass_fds=ends)
there.stdin.write(b'{"id": 1, "method": "hello"}\\n')
there.stdin.flush()
print(there.pid, holder.pid, flush=True)
print(there.stdout.readline().decode(), flush=True)
time.sleep(100)
"""
#: Starts a backend, and has a temporary folder.
MAKER = """
import subprocess, sys, time
from makeittalk.exchange import temporary
print(temporary.new_folder(), flush=True)
there = subprocess.Popen([sys.executable, *sys.argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
there.stdin.write(b"?\\n")
there.stdin.flush()
there.stdout.readline()
print(there.pid, flush=True)
time.sleep(100)
"""
HELLO = b'{"id": 1, "method": "hello"}\n'
WORKS = ["idle", "steps", "deaf"]


@contextlib.contextmanager
def backend(tmp_path: Path, work: str) -> Iterator[subprocess.Popen[bytes]]:
    """A backend; one at work when the block begins."""
    command = [sys.executable, "-c", SERVE, str(BACKEND), work]
    environment = os.environ | temporary.environment(tmp_path)
    running = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        preexec_fn=heed_interrupts if os.name == "posix" else None,
    )
    assert running.stdin is not None and running.stdout is not None
    try:
        if work == "idle":  # a line that is answered shows that it reads
            running.stdin.write(b"?\n")
        else:
            running.stdin.write(HELLO + HELLO.replace(b"1", b"2"))
        running.stdin.flush()
        assert json.loads(running.stdout.readline())
        yield running
    finally:
        running.kill()
        running.wait()


def said(running: subprocess.Popen[bytes]) -> list[tuple[int, str, str]]:
    assert running.stdout is not None
    replies = [json.loads(line) for line in running.stdout]
    return [(reply["id"], reply["kind"], reply["code"]) for reply in replies if reply["kind"] != "progress"]


@pytest.mark.parametrize("work", WORKS)
def test_the_end_of_its_input(tmp_path: Path, work: str) -> None:
    with backend(tmp_path, work) as running:
        running.stdin.close()
        status = running.wait(20)
        assert status == (1 if work == "deaf" else 0)
        if work == "steps":  # the one at work and the one that waited
            assert said(running) == [(n, k, c) for n in (1, 2) for k, c in (("error", "cancelled"), ("done", ""))]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("work", ["idle", "steps"])
@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_signal(tmp_path: Path, work: str, asked: signal.Signals) -> None:
    with backend(tmp_path, work) as running:
        running.send_signal(asked)
        assert running.wait(20) == 130
        if work == "steps":
            assert said(running) == [(1, "error", "cancelled"), (1, "done", "")]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are passed on otherwise")
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("work", ["steps", "deaf"])
def test_a_killed_parent_whose_pipes_another_process_holds(tmp_path: Path, work: str, named: bool) -> None:
    """The end of the input never comes: the backend sees that its parent is gone."""
    command = [sys.executable, "-c", PARENT, SERVE, str(BACKEND), work]
    environment = os.environ | temporary.environment(tmp_path)
    if named:
        environment["MAKEITTALK_PARENT"] = "no owner"
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    there, holder = map(int, parent.stdout.readline().split())
    try:
        assert '"progress"' in parent.stdout.readline()
        running = owner.of(there)
        assert not owner.is_gone(running) and len(list(tmp_path.iterdir())) == 1
        parent.kill()
        parent.wait()
        until = time.monotonic() + 20
        while not owner.is_gone(running):
            assert time.monotonic() < until
            time.sleep(0.05)
        assert not owner.is_gone(owner.of(holder))
        assert list(tmp_path.iterdir()) == []
    finally:
        for left in (there, holder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)


def test_what_a_killed_parent_has_left_goes_with_it(tmp_path: Path) -> None:
    """The job's folder is the add-on's: a Blender that is killed cannot remove it, its backend can."""
    environment = os.environ | {"PYTHONPATH": str(BACKEND)} | temporary.environment(tmp_path)
    command = [sys.executable, "-c", MAKER, "-I", str(BACKEND / "serve.py")]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    folder, there = Path(parent.stdout.readline().strip()), owner.of(int(parent.stdout.readline()))
    assert folder.is_dir() and folder.parent == tmp_path
    parent.kill()
    parent.wait()
    until = time.monotonic() + 20
    while not owner.is_gone(there):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []


def test_a_library_that_exits_is_an_error_of_its_request(tmp_path: Path) -> None:
    with backend(tmp_path, "exits") as running:
        running.stdin.close()
        assert running.wait(20) == 0
        answers = said(running)
        first, second = answers[:2], answers[2:]
        assert first == [(1, "error", "internal"), (1, "done", "")]
        assert second in ([], [(2, "error", "internal"), (2, "done", "")], [(2, "error", "cancelled"), (2, "done", "")])


def test_a_cancelled_request_that_waits_is_answered_at_once_and_an_id_in_use_is_nobody_s(tmp_path: Path) -> None:
    with backend(tmp_path, "steps") as running:  # 1 is at work, 2 waits
        lines = [
            {"id": 2, "method": "hello"},
            {"id": 1, "method": "format_disk"},
            {"id": 1, "method": "cancel", "params": {"target": 1}},
            {"id": 2, "method": "shutdown"},
            {"id": 5, "method": "cancel", "params": {"target": 2}},
            {"id": 6, "method": "cancel", "params": {"target": 2}},
            {"id": 7, "method": "cancel", "params": {"target": 7}},
            {"id": 8, "method": "cancel", "params": {"target": 1}},
        ]
        for line in lines:
            running.stdin.write(json.dumps(line).encode() + b"\n")
        running.stdin.close()
        assert running.wait(20) == 0
        protocol = [(0, "error", "protocol")] * 4
        cancelled = [(2, "error", "cancelled"), (2, "done", ""), (5, "done", "")]
        refused = [
            (6, "error", "protocol"),
            (6, "done", ""),
            (7, "error", "protocol"),
            (7, "done", ""),
            (8, "done", ""),
        ]
        answers = said(running)
        assert [reply for reply in answers if reply[0] != 1] == [*protocol, *cancelled, *refused]
        assert [reply for reply in answers if reply[0] == 1] == [(1, "error", "cancelled"), (1, "done", "")]
