"""A Ray cluster of several nodes on this machine: a raylet each, which tests may kill."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from project import BACKEND

_MARK = "MAKEITTALK_TEST_NODE"


def ray_python() -> str | None:
    """A Python that has Ray and the backend's packages: the one that MAKEITTALK_RAY_PYTHON names, else this one."""
    python = os.environ.get("MAKEITTALK_RAY_PYTHON") or sys.executable
    found = subprocess.run([python, "-c", "import ray, torch"], capture_output=True, check=False)
    return python if found.returncode == 0 else None


class Cluster:
    """Nodes with one processor each.

    Attributes:
        address: of the cluster.
    """

    def __init__(self, python: str, folder: Path) -> None:
        self._python, self._folder, self._nodes = python, folder, 0
        self._mark = f"{os.getpid()}-{id(self)}"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"

    def add_node(self) -> int:
        """Starts a node and returns its number."""
        host, _, port = self.address.partition(":")
        number, self._nodes = self._nodes, self._nodes + 1
        role = ["--address", self.address] if number else ["--head", "--port", port, "--include-dashboard", "false"]
        size = ["--num-cpus", "1", "--object-store-memory", str(100 * 10**6)]
        where = ["--node-ip-address", host, *([] if number else ["--temp-dir", str(self._folder)])]
        environment = dict(os.environ, PYTHONPATH=str(BACKEND), RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0")
        environment[_MARK] = self._mark_of(number)
        done = subprocess.run(
            [Path(self._python).with_name("ray"), "start", *role, *where, *size, "--disable-usage-stats"],
            **{"env": environment, "text": True, "timeout": 120, "check": False},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout[-2000:]
        return number

    def kill_node(self, number: int) -> None:
        """Ends everything that a node has started, workers too, as a machine does that is switched off."""
        mark = f"{_MARK}={self._mark_of(number)}".encode()
        for process in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if process.name.isdigit() and mark in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)

    def stop(self) -> None:
        """Ends every node."""
        for _ in range(2):  # a worker may be on its way
            for number in range(self._nodes):
                self.kill_node(number)

    def _mark_of(self, number: int) -> str:
        return f"{self._mark}-{number}"
