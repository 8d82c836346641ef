"""A running backend that is given every kind of line: each is answered once, and none ends the reading."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from makeittalk.exchange import protocol
from makeittalk.exchange.protocol import FindFaces, Photoreal, Rebake, Reply, Sound
from project import BACKEND

HUGE = "1" + "0" * 400
SECONDS = 30.0


class Backend:
    """A real serve.py; only requests that are refused before the networks are loaded are made of it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", str(BACKEND / "serve.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._replies: queue.Queue[Reply] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            assert len(line) < protocol.MAX_LINE
            self._replies.put(protocol.decode_reply(line))

    def send(self, line: bytes | str) -> None:
        self.process.stdin.write(line.encode() if isinstance(line, str) else line)
        self.process.stdin.flush()

    def replies(self, number: int = 900) -> list[Reply]:
        """What was said before the answer to one more request, which shows that the backend goes on."""
        self.send(protocol.encode_request(number, Photoreal()))
        said = []
        while (reply := self._replies.get(timeout=SECONDS)).id != number:
            said.append(reply)
        assert (reply.kind, reply.code) == ("error", "input")
        assert self._replies.get(timeout=SECONDS) == Reply(id=number)
        return said


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    running = Backend()
    yield running
    running.process.kill()
    running.process.wait()


def request(**values: Any) -> str:
    return json.dumps({"id": 7, "method": "animate", "params": {}} | values) + "\n"


@pytest.mark.parametrize(
    "line",
    [
        f'{{"id": 7, "method": "animate", "params": {{"fps": {HUGE}}}}}\n',
        f'{{"id": 7, "method": "animate", "params": {{"seed": {HUGE}}}}}\n',
        f'{{"id": 7, "method": "animate", "params": {{"seed": {"9" * 5000}}}}}\n',
        f'{{"id": 7, "method": "animate", "params": {{"amounts": {{"lip": {HUGE}}}}}}}\n',
        '{"id": 7, "method": "animate", "params": {"fps": 1e400}}\n',
        '{"id": 7, "method": "photoreal", "params": {"sounds": [{"at": NaN}]}}\n',
        '{"id": 7, "method": "photoreal", "params": {"sounds": ["a.wav"]}}\n',
        '{"id": 7, "method": "photoreal", "params": {"sounds": [{"audio": ["a.wav"]}]}}\n',
        '{"id": 7, "method": "photoreal", "params": {"first": 2147483648}}\n',
        '{"id": 7, "method": "detect", "params": {"portrait": "a\\u0000b"}}\n',
        '{"id": 7, "method": "detect", "params": {"portrait": "\\ud800"}}\n',
        request(method="format_disk"),
        request(method=3),
        request(params=[]),
        request(params={"seed": "1"}),
        request(params={"amounts": "all"}),
        request(method="cancel", params={"target": -1}),
        request(method="cancel", params={"target": 8}),
        request(method="cancel", params={"target": 7}),
    ],
    ids=lambda line: line[8:60].strip(),
)
def test_a_bad_request_gets_its_error_and_one_done(backend: Backend, line: str) -> None:
    backend.send(line)
    error, done = backend.replies()
    assert (error.id, error.kind, error.code) == (7, "error", "protocol") and len(error.message) < 200
    assert done == Reply(id=7)


@pytest.mark.parametrize(
    "line",
    [
        f'{{"id": {HUGE}, "method": "hello"}}\n',
        '{"id": 1e400, "method": "hello"}\n',
        '{"id": -1, "method": "hello"}\n',
        '{"id": 0, "method": "hello"}\n',
        '{"id": [[7]], "method": "hello"}\n',
        '{"method": "hello"}\n',
        "NaN\n",
        HUGE + "\n",
        "\n",
        "[" * 200_000 + "\n",
        '{"id": 7, "params": ' + '{"a": ' * 900 + "1" + "}" * 901 + "\n",
        '{"id": 7, "method": "hello", "params": {"x": "' + "x" * 3 * protocol.MAX_LINE + '"}}\n',
        "x" * protocol.MAX_LINE + "\n",
        b"\xff\xfe\x00\n",
    ],
    ids=lambda line: str(line)[:30].strip(),
)
def test_a_line_without_an_id_gets_one_error(backend: Backend, line: bytes | str) -> None:
    backend.send(line)
    (error,) = backend.replies()
    assert (error.id, error.kind, error.code) == (0, "error", "protocol") and len(error.message) < 200


def test_a_cancel_of_the_future_cancels_nothing(backend: Backend) -> None:
    backend.send(request(id=8, method="cancel", params={"target": 901}))
    backend.replies(901)  # is answered, and not as cancelled


def test_a_long_path_comes_back_in_a_message_that_is_read(backend: Backend) -> None:
    film = "ü" * 100_000
    backend.send(protocol.encode_request(11, Photoreal(output="x", film=film)))
    error, done = backend.replies()
    assert (error.id, error.code) == (11, "input") and len(error.message) < 5000 and done == Reply(id=11)


@pytest.mark.parametrize("asked", [FindFaces("a.png", "ü" * 300), Rebake("a", "b", "ü" * 100_000)])
def test_a_folder_that_no_disk_takes_is_a_bad_input(backend: Backend, asked: protocol.Fields) -> None:
    backend.send(protocol.encode_request(12, asked))
    error, done = backend.replies()
    assert (error.id, error.code) == (12, "input") and "too long" in error.message and len(error.message) < 400
    assert error.hint and done == Reply(id=12)


@pytest.mark.parametrize("ending", ["", '{"id": 3', request(id=9, method="shutdown"), "[" * 5000])
def test_the_end_is_always_passed_on(ending: str) -> None:
    running = Backend()
    running.send(f'{{"id": 7, "method": "animate", "params": {{"fps": {HUGE}}}}}\n' + ending)
    if "shutdown" not in ending:
        running.process.stdin.close()
    assert running.process.wait(timeout=SECONDS) == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"output": ""}, "No folder"),
        ({"film": "film.avi"}, "does not end in .mp4"),
        ({"film": "/dev/null"}, "does not end in .mp4"),
        ({"film": "speech.mp4", "sounds": [Sound("./speech.mp4")]}, "is the recording"),
    ],
)
def test_frames_and_films_go_where_such_things_belong(backend: Backend, changes: dict[str, Any], words: str) -> None:
    backend.send(protocol.encode_request(12, Photoreal(**({"output": "frames"} | changes))))
    error, _done = backend.replies()
    assert error.code == "input" and words in error.message
