"""Work on pictures in threads of its own, while the next ones are made."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def beside(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int, room: int
) -> Generator[Result, None, None]:
    """The results of work on items, in their order; the items are made in the caller's thread.

    When this ends, well or not, none of the work goes on; who may leave before the end closes it.

    Args:
        work: called in another thread; with one thread, for one item after the other. items: what it is called with.
        threads: how many.
        room: how many items may be in work, wait for it or be in the making together; 1 is one thing after the other.

    Raises:
        what `work` or `items` raise; of the work that is not begun, none is done then.
    """
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="beside")
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            del item  # not held longer than it takes
            while len(waiting) >= room or (waiting and waiting[0].done()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
