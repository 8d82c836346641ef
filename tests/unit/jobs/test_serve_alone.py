"""serve.py in a Python that lacks the backend's packages, as a wrong preference names one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from extension import part_outside
from project import BACKEND

client_module = part_outside("addon.core.client")
protocol = part_outside("backend.makeittalk.exchange.protocol")


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> str:
    """A Python without a single package."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", str(folder)], check=True)
    return str(folder / "bin" / "python")


def test_what_is_missing_is_said_with_the_button_to_press(bare, tmp_path) -> None:
    client = client_module.BackendClient([bare, "-I", str(BACKEND / "serve.py")], tmp_path / "backend.log")
    try:
        job = client.wait(client.submit(protocol.Animate()))
        assert "lacks numpy, torch" in job.error.message and bare in job.error.message
        assert job.error.hint == "Press Install Backend."
        assert "lacks numpy, torch" in client.complaint
    finally:
        client.close()


def test_lines_that_are_no_requests_are_passed_over(bare) -> None:
    lines = b'nonsense\n{"id": 99999999999999999999}\n{"id": 7, "method": "hello"}\n'
    done = subprocess.run([bare, "-I", str(BACKEND / "serve.py")], input=lines, capture_output=True)
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(reply["id"], reply["kind"]) for reply in replies] == [(7, "error"), (7, "done")]


def test_the_doctor_says_what_is_missing(bare) -> None:
    doctor = part_outside("addon.core.doctor")
    done = subprocess.run([bare, "-I", str(BACKEND / "serve.py"), "doctor"], capture_output=True, text=True)
    assert done.returncode and "No module named 'torch'" in doctor.fault(done.stdout + done.stderr)
