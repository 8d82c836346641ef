"""Serves the protocol over a pair of streams: one job at a time, cancelled between its steps."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import os
import platform
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, BinaryIO

from ..exchange import protocol, temporary
from ..exchange.errors import Cancelled, MakeItTalkError, OutputError, file_error
from ..exchange.progress import Progress
from ..exchange.version import VERSION
from .character_requests import animate, preview, rebake
from .idle_memory import IDLE_SECONDS, free_memory, keep_few_arenas
from .landmark_requests import detect, find_faces, place, reface, refine
from .parent_watch import parent_process, tidy_up, watch_parent
from .photoreal_requests import photoreal
from .request_states import RequestStates, State
from .viseme_requests import visemes
from .warm import warm_steps
from .weights_requests import import_weights

_REPORT_EVERY = 0.05  # s between two progress messages
_DAY = 86400.0  # s
_PAUSE = 0.1  # s without a request after which the next piece of what the first character needs is loaded
_LONGEST = 4000  # letters of a sentence


class Server:
    """Answers requests in their order; reads ahead, so that a cancel arrives while a job runs.

    Every request that has an id gets exactly one "done". A line without a readable one, and a line with that of a
    request under way, gets one "error" with the id 0: what is said about an id is about the request that has it.

    Args:
        requests: lines of JSON in. replies: lines of JSON out, unbuffered.
        idle_seconds: after so many without a request the memory of the networks is given back.
    """

    def __init__(self, requests: BinaryIO, replies: BinaryIO, idle_seconds: float = IDLE_SECONDS) -> None:
        self._requests = requests
        self._replies = replies
        self._idle_seconds = idle_seconds
        self._sending = threading.Lock()
        self._states = RequestStates()
        self._warming: Iterator[Callable[[], object]] | None = None  # what is still to be loaded after the greeting
        self.reader = threading.Thread(target=self._read, daemon=True, name="requests")
        self.over = threading.Event()  # whoever started this is gone or wants it gone
        self._handlers: dict[type, Callable[[Any, Progress], dict[str, Any]]] = {
            protocol.Hello: hello,
            protocol.Detect: detect,
            protocol.FindFaces: find_faces,
            protocol.Place: place,
            protocol.Refine: refine,
            protocol.Animate: animate,
            protocol.Rebake: rebake,
            protocol.Reface: reface,
            protocol.Visemes: visemes,
            protocol.Photoreal: photoreal,
            protocol.ImportWeights: import_weights,
        }

    def run(self) -> int:
        """Serves until the input ends or a shutdown is asked for; returns the exit status."""
        self.reader.start()
        rests = False  # memory was given back, and nothing was asked for since
        while True:
            try:
                job = self._states.next(_PAUSE if self._warming else _DAY if rests else self._idle_seconds)
            except TimeoutError:
                if self._warming is None:
                    free_memory()
                    rests = True
                else:
                    self._warm()
                continue
            rests = False
            if job is None:
                return 0
            self._answer(*job)
            if isinstance(job[1], protocol.Hello):
                self._warming = warm_steps()

    def end(self) -> None:
        """Has a running job stop at its next step, and `run` return then; from any thread."""
        self._states.close()
        self.over.set()

    def _warm(self) -> None:
        """Loads a little of what the first character needs; what fails is left to its request to say."""
        assert self._warming is not None
        try:
            next(self._warming)()
        except StopIteration:
            self._warming = None
        except Exception:
            traceback.print_exc(file=sys.stderr)
            self._warming = None

    def _read(self) -> None:
        """Takes in lines until there are no more; whatever they hold, the end of the input is always passed on."""
        try:
            for line in protocol.read_lines(self._requests):
                try:
                    if not self._take(line):
                        break
                except Exception as error:  # nothing that a line holds may end the reading
                    traceback.print_exc(file=sys.stderr)
                    self._send_error(0, "internal", f"A line could not be taken in: {type(error).__name__}.", "")
        except (OSError, ValueError):  # a broken pipe, or a stream that was closed
            traceback.print_exc(file=sys.stderr)
        finally:
            self.end()

    def _take(self, line: bytes) -> bool:
        """Accepts the request in a line, or answers it at once; False for a shutdown."""
        try:
            number, request = protocol.decode_request(line)
            if not isinstance(request, protocol.Cancel | protocol.Shutdown):
                self._states.accept(number, request)
                return True
            self._states.check_free(number)
        except protocol.ProtocolError as error:
            number = 0 if self._states.is_open(error.number) else error.number
            self._send_error(number, "protocol", str(error), "Install both from the same release.")
            if number:
                self._send(protocol.Reply(id=number))
            return True
        if isinstance(request, protocol.Cancel):
            self._cancel(number, request.target)
        self._send(protocol.Reply(id=number))
        return isinstance(request, protocol.Cancel)

    def _cancel(self, number: int, target: int) -> None:
        state = self._states.cancel(target)
        if state is State.WAITING:  # that was its end
            self._send_error(target, Cancelled.code, str(Cancelled()), "")
            self._send(protocol.Reply(id=target))
        elif state is None:  # it may just have ended
            self._send_error(number, "protocol", f"There is no request {target} to cancel.", "")

    def _answer(self, number: int, request: Any) -> None:
        """Does the work of a request and says what came of it."""
        try:
            progress = self._progress(number)
            if self._states.is_cancelled(number):
                raise Cancelled
            if isinstance(request, protocol.Preview):
                data = preview(request, progress, functools.partial(self._send_part, number))
            else:
                data = self._handlers[type(request)](request, progress)
            reply = protocol.Reply(id=number, kind="result", data=data)
            if len(protocol.encode_reply(reply)) > protocol.MAX_LINE:
                raise OutputError("The answer is too long for a message.", "Ask for less at once.")
            self._send(reply)
        except MakeItTalkError as error:
            self._send_error(number, error.code, error.message, error.hint)
        except ImportError as error:
            traceback.print_exc(file=sys.stderr)
            sentence = f"A package of this Python is missing or cannot be loaded: {error}."
            self._send_error(number, "missing", sentence, "Press Install Backend.")
        except KeyboardInterrupt:  # the process was asked to end
            self._send_error(number, Cancelled.code, str(Cancelled()), "")
            raise
        except BaseException as error:  # the add-on must hear of it, the log gets the trace; libraries exit, too
            traceback.print_exc(file=sys.stderr)
            told = file_error(error) or MakeItTalkError(
                f"The backend failed with {type(error).__name__}.", "The log file says where."
            )
            if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
                told.message = "The machine ran out of memory."
            self._send_error(number, told.code, told.message, told.hint)
        finally:
            self._states.end(number)  # before its "done": from then on the id is free
            self._send(protocol.Reply(id=number, kind="done"))

    def _progress(self, number: int) -> Progress:
        begun, last = time.monotonic(), 0.0

        def report(fraction: float, stage: str) -> None:
            nonlocal last
            if self._states.is_cancelled(number):
                raise Cancelled
            now = time.monotonic()
            if now - last < _REPORT_EVERY and fraction < 1.0:
                return
            last = now
            left = (now - begun) * (1.0 - fraction) / fraction if fraction > 0.05 else -1.0
            reply = protocol.Reply(id=number, kind="progress", fraction=fraction, stage=stage, seconds_left=left)
            self._send(reply)

        return report

    def _send_part(self, number: int, part: protocol.PreviewPart) -> None:
        self._send(protocol.Reply(id=number, kind="part", data=asdict(part)))

    def _send_error(self, number: int, code: str, message: str, hint: str) -> None:
        # A sentence may repeat what a request held, and what is too long for a message is never read.
        reply = protocol.Reply(id=number, kind="error", code=code, message=message[:_LONGEST], hint=hint[:_LONGEST])
        self._send(reply)

    def _send(self, reply: protocol.Reply) -> None:
        line = protocol.encode_reply(reply)
        try:
            with self._sending:
                self._replies.write(line)
        except (OSError, ValueError):  # nobody listens any more
            self.end()


def serve(idle_seconds: float = IDLE_SECONDS) -> int:
    """Serves standard input and output; returns the exit status.

    The protocol keeps its own copy of standard output; whatever a library prints goes to the log instead. The process
    ends with its input, with its parent, and when it is asked to by a signal.
    """
    keep_few_arenas()
    channel = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    with contextlib.suppress(ValueError):  # not the main thread: whoever has that handles signals
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    temporary.sweep()
    parent, server = parent_process(), Server(sys.stdin.buffer, channel, idle_seconds)
    watch_parent(parent, server.over, server.end)
    try:
        status = server.run()
    except KeyboardInterrupt:
        status = 130
    tidy_up(parent)
    if server.reader.is_alive():  # it holds standard input, over which the interpreter would stumble
        sys.stderr.flush()
        os._exit(status)
    return status


def hello(_request: protocol.Hello, _progress: Progress) -> dict[str, Any]:
    """Versions, devices, weights and detectors; loads torch, so that the first job need not."""
    from ..landmarks.detector import available_detectors
    from ..networks.device import available_devices
    from ..weights.files import list_weights

    return asdict(
        protocol.HelloData(
            version=protocol.VERSION,
            product=VERSION,
            python=platform.python_version(),
            torch=importlib.metadata.version("torch"),
            devices=available_devices(),
            weights=", ".join(file.name for file in list_weights()),
            detectors=available_detectors(),
        )
    )
