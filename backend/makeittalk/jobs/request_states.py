"""What becomes of requests, without streams and without work: each is taken in, waits, runs and ends, exactly once.

    accept → WAITING → next → RUNNING → end
                │                │
              cancel           cancel
                ↓                ↓
             (ended)          CANCELLED → end

A number is free again once its request has ended. After `close` nothing is accepted, and everything that was waiting or
running counts as cancelled. May be called from any thread.
"""

from __future__ import annotations

import enum
import threading
from collections import deque
from typing import Any

from ..exchange.message import ProtocolError

_MOST = 1000  # requests that may wait


class State(enum.Enum):
    """Where a request is that has not ended."""

    WAITING = enum.auto()
    RUNNING = enum.auto()
    CANCELLED = enum.auto()  # it still runs, until it notices


class RequestStates:
    """The requests that have not ended."""

    def __init__(self) -> None:
        self._changed = threading.Condition()  # its lock may be taken twice by one thread
        self._states: dict[int, State] = {}
        self._waiting: deque[tuple[int, Any]] = deque()
        self._closed = False

    def check_free(self, number: int) -> None:
        """Sees to it that no request is open under a number: what is said about it could be about either.

        Raises:
            ProtocolError: one is.
        """
        if self.is_open(number):
            raise ProtocolError(f"The id {number} is that of a request under way.", number)

    def is_open(self, number: int) -> bool:
        """Whether a request with this number waits or runs."""
        with self._changed:
            return number in self._states

    def accept(self, number: int, request: Any) -> None:
        """Takes in a request.

        Raises:
            ProtocolError: its number is taken, too many wait, or everything is about to end.
        """
        with self._changed:
            self.check_free(number)
            if self._closed:
                raise ProtocolError("The backend is about to end.", number)
            if len(self._waiting) >= _MOST:
                raise ProtocolError(f"{_MOST} requests wait already.", number)
            self._states[number] = State.WAITING
            self._waiting.append((number, request))
            self._changed.notify()

    def next(self, timeout: float) -> tuple[int, Any] | None:
        """The request that has waited the longest, which runs from now on; None after `close`, when none waits.

        Those that were still waiting when it was closed come as well, cancelled.

        Raises:
            TimeoutError: none has come for `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._waiting or self._closed, timeout):
                raise TimeoutError
            if not self._waiting:
                return None
            number, request = self._waiting.popleft()
            self._states[number] = State.RUNNING
            return number, request

    def cancel(self, number: int) -> State | None:
        """Cancels a request: one that waits has ended by that, one that runs is told by `is_cancelled`.

        Returns:
            the state that it was in, None where there is no such request.
        """
        with self._changed:
            was = self._states.get(number)
            if was is State.WAITING:
                self._waiting = deque(item for item in self._waiting if item[0] != number)
                del self._states[number]
            elif was is State.RUNNING:
                self._states[number] = State.CANCELLED
            return was

    def is_cancelled(self, number: int) -> bool:
        """Whether a request that runs should stop."""
        with self._changed:
            return self._closed or self._states.get(number) is State.CANCELLED

    def end(self, number: int) -> None:
        """Ends a request that runs; from now on its number is free, and what cancels it cancels nothing.

        Raises:
            KeyError: no such request runs.
        """
        with self._changed:
            if self._states.get(number) is State.WAITING:
                raise KeyError(number)
            del self._states[number]

    def close(self) -> None:
        """Accepts nothing more and cancels everything; more than once does no harm."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
