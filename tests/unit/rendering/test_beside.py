"""Work in threads beside what it is fed with: in order, bounded, and over when it ends."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import pytest
from makeittalk.rendering.beside import beside


def working() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("beside")]


@pytest.mark.parametrize("threads", [1, 4])
def test_results_come_in_order_from_other_threads(threads: int) -> None:
    makers, workers = set(), set()

    def items() -> Iterator[int]:
        for item in range(40):
            makers.add(threading.get_ident())
            yield item

    def work(item: int) -> int:
        workers.add(threading.get_ident())
        time.sleep(0.002 * (item % 3))
        return item * item

    assert list(beside(work, items(), threads, 8)) == [item * item for item in range(40)]
    assert makers == {threading.get_ident()} and not makers & workers and 1 <= len(workers) <= threads
    assert not working()


def test_items_are_made_while_others_are_worked_on() -> None:
    second = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        second.set()  # while the first is in work, or it would wait for ever
        yield 2

    assert list(beside(lambda item: second.wait(20) and item, items(), 1, 2)) == [1, 2]


@pytest.mark.parametrize("room", [1, 2, 5])
def test_no_more_than_the_room_is_open(room: int) -> None:
    made, done, most = 0, [], 0

    def items() -> Iterator[int]:
        nonlocal made, most
        for item in range(30):
            made += 1
            most = max(most, made - len(done))
            yield item

    def work(item: int) -> None:
        time.sleep(0.003)
        done.append(item)

    assert len(list(beside(work, items(), 2, room))) == 30
    assert most == room


def test_what_work_raises_is_raised_soon_and_ends_it() -> None:
    made, worked = [], []

    def items() -> Iterator[int]:
        for item in range(1000):
            made.append(item)
            yield item

    def work(item: int) -> None:
        worked.append(item)
        if item == 3:
            raise OSError("full")
        time.sleep(0.001)

    with pytest.raises(OSError, match="full"):
        for _ in beside(work, items(), 1, 4):
            pass
    assert len(made) <= 8 and len(worked) <= 8 and not working()


def test_what_items_raise_leaves_no_work_behind() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        list(beside(time.sleep, (0.01 * item for item in items()), 2, 10))
    assert not working()


def test_who_leaves_early_leaves_no_work_behind() -> None:
    worked = []
    with contextlib.closing(beside(lambda item: worked.append(item), iter(range(100)), 1, 3)) as results:
        next(results)
    assert not working() and len(worked) < 100
