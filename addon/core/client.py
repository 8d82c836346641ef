"""The backend process seen from Blender: start it, talk to it, stop it. No bpy here.

One JSON message a line on the child's stdin and stdout. A thread reads; everything else happens in `poll`, on the
thread that calls it, so that Blender's data is never touched from anywhere else.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import textwrap
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ...backend.makeittalk.exchange import owner, protocol
from ...backend.makeittalk.exchange.version import VERSION
from .errors import AddonError
from .quiet import QUIET, clean_environment

CANCEL_GRACE = 2.0  # s between asking for a cancel and ending the process
KILL_GRACE = 1.0  # s between ending and killing it
_TURN = 0.02  # s that `poll` takes in what has arrived: Blender stands still meanwhile
_MOST_WAITING = 1 << 26  # bytes of replies that wait to be taken in; a backend that says more waits itself
_TAIL = 12  # lines of the log that a dead backend's message may draw on
_TAIL_LETTERS = 90  # of them, so that the message stays a sentence


@dataclass
class Job:
    """One request and what has come back.

    Attributes:
        fraction, stage, seconds_left: progress; seconds are negative while unknown.
        data: the result. error: why there is none. cancelled: it was stopped as asked.
        finished: nothing more will come.
        parts: what a preview has shown so far and `take_parts` has not taken.
    """

    number: int
    request: Any
    fraction: float = 0.0
    stage: str = ""
    seconds_left: float = -1.0
    data: dict[str, Any] = field(default_factory=dict)
    error: AddonError | None = None
    cancelled: bool = False
    finished: bool = False
    cancel_asked: float | None = None
    parts: deque[protocol.PreviewPart] = field(default_factory=deque)

    def take_parts(self) -> list[protocol.PreviewPart]:
        """The parts that have come since the last call, in their order; from any thread."""
        taken = []
        with contextlib.suppress(IndexError):
            while True:
                taken.append(self.parts.popleft())
        return taken

    def result(self) -> dict[str, Any]:
        """The result's values.

        Raises:
            AddonError: the job failed or was cancelled.
        """
        if self.error is not None:
            raise self.error
        if self.cancelled:
            raise AddonError("Cancelled.")
        return self.data


class BackendClient:
    """A running backend.

    Args:
        command: what to run. log: the file that takes its stderr. environment: its variables, cleaned here.

    Raises:
        AddonError: the process cannot be started.
    """

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.command = list(command)
        self.hello: protocol.HelloData | None = None
        self.last_used = time.monotonic()
        self._jobs: dict[int, Job] = {}
        self._next = 1
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._room = threading.Condition()
        self._waiting = 0  # bytes in `_lines`
        self._buried = False  # all that a dead process had said has been taken in
        self._ending: float | None = None  # when the process was told to end
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            self.log, errors = _new_log(log)
            with errors:
                self.process = subprocess.Popen(
                    self.command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=clean_environment(environment) | {owner.PARENT: owner.mine()},
                    cwd=str(log.parent),
                    **QUIET,
                )
        except OSError as error:
            reason = error.strerror or str(error)
            raise AddonError(
                f"The backend's Python could not be started: {reason} ({command[0]}).",
                "Press Install Backend, or name a working Python in the add-on's preferences.",
            ) from error
        self._reader = threading.Thread(target=self._read, name="makeittalk-backend", daemon=True)
        self._reader.start()
        self._greeting = self.submit(protocol.Hello())

    @property
    def alive(self) -> bool:
        """Whether the process runs and has not been told to end."""
        return self.process.poll() is None and self._ending is None

    @property
    def busy(self) -> bool:
        """Whether a request other than the greeting is under way."""
        return any(job is not self._greeting for job in self._jobs.values())

    @property
    def ready(self) -> bool:
        """Whether the greeting has been answered, well or not."""
        return self._greeting.finished

    @property
    def complaint(self) -> str:
        """What the backend found wrong with its own installation; empty for nothing."""
        return self._greeting.error.message if self._greeting.error is not None else ""

    @property
    def devices(self) -> list[str]:
        """What the backend can compute on, as it said in its greeting."""
        return self.hello.devices if self.hello is not None else []

    def submit(self, request: Any) -> Job:
        """Sends a request and returns its job, which `poll` keeps up to date; one that cannot be sent has failed."""
        job = Job(self._next, request)
        self._next += 1
        self._jobs[job.number] = job
        if not self._send(job.number, request):
            job.error = AddonError("That is too much, or no number, for a message to the backend.", "Ask for less.")
            self._finish(job)
        return job

    def cancel(self, job: Job) -> None:
        """Asks the backend to stop a job; `poll` ends the process if it does not listen."""
        if job.finished or job.cancel_asked is not None:
            return
        job.cancel_asked = time.monotonic()
        self._next += 1
        self._send(self._next - 1, protocol.Cancel(target=job.number))

    def poll(self) -> None:
        """Takes in what has arrived and sees to cancels that were not heard and to a process that died."""
        self.last_used = time.monotonic() if self._jobs else self.last_used
        ended = self._drain()
        now = time.monotonic()
        unheard = [job for job in self._jobs.values() if job.cancel_asked is not None]
        if unheard and self._ending is None and now - min(job.cancel_asked or now for job in unheard) > CANCEL_GRACE:
            self._ending = now
            self.process.terminate()
        if self._ending is not None and now - self._ending > KILL_GRACE and self.process.poll() is None:
            self.process.kill()
        if ended or self.process.poll() is not None:
            self._bury()

    def wait(self, job: Job, interval: float = 0.02) -> Job:
        """Blocks until a job is finished."""
        while not job.finished:
            self.poll()
            if not job.finished:
                time.sleep(interval)
        return job

    def close(self, grace: float = 0.5) -> None:
        """Ends the process, by force after `grace` seconds, and reaps it."""
        self._ending = time.monotonic()
        with contextlib.suppress(OSError, ValueError):
            assert self.process.stdin is not None
            self.process.stdin.close()  # end of input ends the backend
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._bury()

    def log_tail(self) -> str:
        """The last line of the log that says something, for the user."""
        try:
            with open(self.log, "rb") as stream:
                stream.seek(0, os.SEEK_END)
                stream.seek(max(0, stream.tell() - 8192))
                lines = stream.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return ""
        said = [line.strip() for line in lines[-_TAIL:] if line.strip()]
        return textwrap.shorten(said[-1], _TAIL_LETTERS, placeholder=" …") if said else ""

    def _send(self, number: int, request: Any) -> bool:
        """Writes a request to the backend; False for one that no backend would take."""
        assert self.process.stdin is not None
        try:
            line = protocol.encode_request(number, request)
        except ValueError:  # infinite or no number
            return False
        if len(line) > protocol.MAX_LINE:
            return False
        with contextlib.suppress(OSError, ValueError):  # it is dead: the next poll says so
            self.process.stdin.write(line)
            self.process.stdin.flush()
        return True

    def _read(self) -> None:
        assert self.process.stdout is not None
        try:
            for line in protocol.read_lines(self.process.stdout):
                with self._room:
                    self._room.wait_for(lambda: self._waiting < _MOST_WAITING)
                    self._waiting += len(line)
                self._lines.put(line)
        except (OSError, ValueError):  # a broken pipe, or a stream that was closed
            pass
        finally:
            self._lines.put(None)

    def _drain(self) -> bool:
        """Handles what the reader has queued, for `_TURN` at most; True once the backend's output has ended."""
        until = time.monotonic() + _TURN
        while time.monotonic() < until:
            try:
                line = self._lines.get_nowait()
            except queue.Empty:
                return False
            if line is None:
                self._lines.put(None)  # whoever asks again is told again
                return True
            with self._room:
                self._waiting -= len(line)
                self._room.notify()
            try:
                reply = protocol.decode_reply(line)
            except protocol.ProtocolError as error:
                # A stray line of some library is no reason to lose a job; a broken answer to it is.
                if error.number in self._jobs:
                    self._jobs[error.number].error = _unreadable()
                continue
            job = self._jobs.get(reply.id)
            if job is not None:
                self._take(job, reply)
        return False

    def _take(self, job: Job, reply: protocol.Reply) -> None:
        if reply.kind == "progress":
            job.fraction, job.stage, job.seconds_left = reply.fraction, reply.stage, reply.seconds_left
        elif reply.kind == "part":
            try:
                job.parts.append(protocol.PreviewPart.from_dict(reply.data))
            except protocol.ProtocolError:
                job.error = _unreadable()
        elif reply.kind == "result":
            job.data = reply.data
        elif reply.kind == "error":
            if reply.code == "cancelled":
                job.cancelled = True
            else:
                job.error = AddonError(reply.message or "The backend failed.", reply.hint)
        elif reply.kind == "done":
            if not job.data and job.error is None and not job.cancelled:  # it ended without a word
                job.cancelled = job.cancel_asked is not None
                job.error = None if job.cancelled else _unreadable()
            self._finish(job)

    def _finish(self, job: Job) -> None:
        job.finished = True
        self._jobs.pop(job.number, None)
        if job is self._greeting and job.data:
            with contextlib.suppress(protocol.ProtocolError):
                self.hello = protocol.HelloData.from_dict(job.data)
            if self.hello is None or self.hello.version != protocol.VERSION or self.hello.product not in ("", VERSION):
                other = AddonError(
                    "The backend is of another version than the add-on.",
                    "Press Restart Backend; if that does not help, Install Backend.",
                )
                for waiting in list(self._jobs.values()):
                    waiting.error = other
                    self._finish(waiting)

    def _bury(self) -> None:
        """Reaps the ended process and fails what it left undone."""
        try:
            self.process.wait(KILL_GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()  # its output has ended, so it can answer nobody any more
            self.process.wait()
        until = time.monotonic() + KILL_GRACE  # a child of its own may hold its output, which does not end then
        while not self._buried and not self._drain() and time.monotonic() < until:
            self._reader.join(0.005)
        self._buried = True
        for job in list(self._jobs.values()):
            if job.cancel_asked is not None:
                job.cancelled = True
            else:
                tail = self.log_tail()
                said = f" Its log ends with: {tail}" if tail else ""
                job.error = AddonError(f"The backend stopped unexpectedly.{said}", "Press Restart and try again.")
            self._finish(job)
        for stream in (self.process.stdin, self.process.stdout):
            reading = stream is self.process.stdout and self._reader.is_alive()  # closing would wait for the reader
            if stream is not None and not stream.closed and not reading:
                with contextlib.suppress(OSError, ValueError):
                    stream.close()


def _new_log(log: Path) -> tuple[Path, BinaryIO]:
    """A log to write that nobody else has made, and its path; the last run's is kept beside it, the one before is not.

    Raises:
        OSError: it cannot be made.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)  # a link is not followed
    # On Windows a log cannot be moved that another Blender's backend writes.
    for path in (log, log.with_name(f"{log.stem}-{os.getpid()}{log.suffix}")):
        with contextlib.suppress(OSError):
            os.replace(path, path.with_suffix(f".old{log.suffix}"))
        with contextlib.suppress(FileExistsError):
            return path, os.fdopen(os.open(path, flags, 0o600), "wb")
    raise FileExistsError(f"Something stands where the log should be: {log}")


def _unreadable() -> AddonError:
    return AddonError("The backend's answer cannot be read.", "Install both from the same release.")
