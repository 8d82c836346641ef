"""A running backend for tests, as the add-on has one."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

from makeittalk.exchange import protocol
from project import ROOT


class Backend:
    """A real serve.py; replies are collected as they come."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", str(ROOT / "backend" / "serve.py")]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.replies: list[protocol.Reply] = []
        self.lines: list[bytes] = []
        self._number = 0
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line)
                self.replies.append(protocol.decode_reply(line))
                self.changed.notify_all()

    def send(self, request: protocol.Fields) -> int:
        self._number += 1
        self.raw(protocol.encode_request(self._number, request))
        return self._number

    def raw(self, line: bytes) -> None:
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def of(self, number: int, kind: str) -> list[protocol.Reply]:
        return [reply for reply in list(self.replies) if reply.id == number and reply.kind == kind]

    def wait(self, number: int, kind: str = "done", seconds: float = 200.0) -> protocol.Reply:
        end = time.monotonic() + seconds
        with self.changed:
            while not self.of(number, kind):
                assert self.changed.wait(end - time.monotonic()), f"no {kind} for {number}: {self.replies[-3:]}"
        return self.of(number, kind)[0]

    def answer(self, request: protocol.Fields, kind: str = "result") -> protocol.Reply:
        """What a request is answered with, once it is done."""
        number = self.send(request)
        self.wait(number)
        replies = self.of(number, kind)
        assert replies, self.of(number, "error") or self.replies[-3:]
        return replies[0]
