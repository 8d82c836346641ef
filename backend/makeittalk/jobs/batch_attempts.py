"""Which shots wait for a worker, and how often each has lost one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from .batch_work import Outcome, Task

MOST = 2  # workers that a shot may end
MOST_LOST = 5  # times that a shot may be begun where its workers were lost with their machine


class Attempts:
    """The shots that wait.

    Args:
        tasks: in their order.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._waiting = deque(tasks)
        self._ended: dict[str, int] = {}
        self._lost: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def next(self) -> Task:
        """The next one."""
        return self._waiting.popleft()

    def give_back(self, task: Task) -> None:
        """Puts a task back that nobody has begun."""
        self._waiting.appendleft(task)

    def worker_ended(self, task: Task, how: str) -> Outcome | None:
        """Takes a task back whose worker has ended over it; the outcome where that was once too often.

        Args:
            how: what became of the worker, such as "killed by signal 9".
        """
        ended = self._ended[task.key] = self._ended.get(task.key, 0) + 1
        if ended >= MOST:
            return Outcome(task, None, f"It ended its worker {ended} times ({how}), so it was given up.")
        self._waiting.append(task)  # last: the others are made whatever it does
        return None

    def machine_lost(self, task: Task) -> Outcome | None:
        """Takes a task back whose worker was lost with its machine, which is not the shot's fault."""
        lost = self._lost[task.key] = self._lost.get(task.key, 0) + 1
        if lost >= MOST_LOST:
            return Outcome(task, None, f"{lost} machines were lost while they made it, so it was given up.")
        self._waiting.appendleft(task)
        return None
