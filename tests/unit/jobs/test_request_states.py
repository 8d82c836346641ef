"""The states of requests by themselves: no streams, no networks."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter

import pytest
from makeittalk.exchange.message import ProtocolError
from makeittalk.jobs import request_states
from makeittalk.jobs.request_states import RequestStates, State

SOON = 0.001


def running(states: RequestStates, number: int) -> None:
    states.accept(number, f"request {number}")
    assert states.next(SOON) == (number, f"request {number}")


def test_they_run_in_their_order_and_their_numbers_are_free_afterwards() -> None:
    states = RequestStates()
    for number in (3, 1, 2):
        states.accept(number, None)
    for number in (3, 1, 2):
        assert states.next(SOON) == (number, None) and states.is_open(number)
        states.end(number)
        assert not states.is_open(number)
        states.check_free(number)
    with pytest.raises(TimeoutError):
        states.next(SOON)


@pytest.mark.parametrize("runs", [False, True])
def test_a_number_in_use_is_refused_and_its_request_goes_on(runs: bool) -> None:
    states = RequestStates()
    states.accept(7, "first")
    if runs:
        states.next(SOON)
    for ask in (lambda: states.accept(7, "second"), lambda: states.check_free(7)):
        with pytest.raises(ProtocolError, match="under way") as caught:
            ask()
        assert caught.value.number == 7
    if not runs:
        assert states.next(SOON) == (7, "first")
    assert not states.is_cancelled(7)
    states.end(7)


def test_a_cancelled_request_that_waits_has_ended() -> None:
    states = RequestStates()
    for number in (1, 2, 3):
        states.accept(number, None)
    assert states.cancel(2) is State.WAITING
    assert states.cancel(2) is None and not states.is_open(2)
    assert [states.next(SOON), states.next(SOON)] == [(1, None), (3, None)]


def test_a_cancelled_request_that_runs_is_told_and_ends_once() -> None:
    states = RequestStates()
    running(states, 1)
    states.accept(2, None)
    assert states.cancel(1) is State.RUNNING
    assert states.cancel(1) is State.CANCELLED  # twice does no harm
    assert states.is_cancelled(1) and not states.is_cancelled(2)
    states.end(1)
    with pytest.raises(KeyError):
        states.end(1)
    assert states.next(SOON) == (2, None)
    states.end(2)
    running(states, 1)
    assert not states.is_cancelled(1)  # another request of that number


@pytest.mark.parametrize("target", [-1, 0, 1, 3, 2**63])
def test_cancels_of_the_past_and_of_the_future_cancel_nothing(target: int) -> None:
    states = RequestStates()
    running(states, 1)
    states.end(1)
    running(states, 2)
    assert states.cancel(target) is None
    assert not states.is_cancelled(2)
    running(states, 3)
    assert not states.is_cancelled(3)


def test_a_waiting_request_cannot_end_before_it_ran() -> None:
    states = RequestStates()
    states.accept(1, None)
    with pytest.raises(KeyError):
        states.end(1)
    assert states.next(SOON) == (1, None)


def test_after_the_close_what_is_there_comes_cancelled_and_nothing_new() -> None:
    states = RequestStates()
    running(states, 1)
    states.accept(2, None)
    states.close()
    states.close()
    assert states.is_cancelled(1)
    with pytest.raises(ProtocolError, match="about to end") as caught:
        states.accept(3, None)
    assert caught.value.number == 3 and not states.is_open(3)
    states.end(1)
    assert states.next(SOON) == (2, None) and states.is_cancelled(2)
    states.end(2)
    assert states.next(SOON) is None and states.next(SOON) is None


def test_the_close_is_heard_by_whoever_waits() -> None:
    states, heard = RequestStates(), []
    waiting = threading.Thread(target=lambda: heard.append(states.next(60.0)))
    waiting.start()
    time.sleep(0.05)
    states.close()
    waiting.join(10)
    assert heard == [None]


def test_a_flood_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_states, "_MOST", 3)
    states = RequestStates()
    for number in (1, 2, 3):
        states.accept(number, None)
    with pytest.raises(ProtocolError, match="3 requests wait"):
        states.accept(4, None)
    assert states.next(SOON) == (1, None)
    states.accept(4, None)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_each_accepted_request_ends_once(seed: int) -> None:
    """A random walk beside a model that says what has to come of every step."""
    rng, states = random.Random(seed), RequestStates()
    waiting: list[int] = []
    at_work: int | None = None
    told = False  # the one at work was cancelled
    accepted: Counter[int] = Counter()
    ended: Counter[int] = Counter()
    for _ in range(2000):
        number = rng.randrange(-1, 9)
        match rng.randrange(4):
            case 0:
                if number in waiting or number == at_work:
                    with pytest.raises(ProtocolError):
                        states.accept(number, number)
                else:
                    states.accept(number, number)
                    waiting.append(number)
                    accepted[number] += 1
            case 1 if at_work is None and waiting:
                at_work, told = waiting.pop(0), False
                assert states.next(SOON) == (at_work, at_work)
            case 2:
                was = states.cancel(number)
                if number in waiting:
                    assert was is State.WAITING
                    waiting.remove(number)
                    ended[number] += 1
                elif number == at_work:
                    assert was is (State.CANCELLED if told else State.RUNNING)
                    told = True
                else:
                    assert was is None
            case 3 if at_work is not None:
                assert states.is_cancelled(at_work) == told
                states.end(at_work)
                ended[at_work] += 1
                at_work = None
    states.close()
    if at_work is not None:
        states.end(at_work)
        ended[at_work] += 1
    while (found := states.next(SOON)) is not None:
        assert states.is_cancelled(found[0])
        states.end(found[0])
        ended[found[0]] += 1
    assert accepted == ended and sum(accepted.values()) > 100


def test_cancels_that_cross_with_the_end() -> None:
    """One thread reads and cancels, another works: each request has one end, said by exactly one of them."""
    states, ends = RequestStates(), Counter[int]()

    def work() -> None:
        while (found := states.next(10.0)) is not None:
            time.sleep(0)
            states.is_cancelled(found[0])
            states.end(found[0])
            ends[found[0]] += 1

    worker = threading.Thread(target=work)
    worker.start()
    most = 3000
    cancelled = []
    for number in range(most):
        states.accept(number, None)
        if states.cancel(number - number % 3) is State.WAITING:
            cancelled.append(number - number % 3)
        while number - len(ends) - len(cancelled) > 300:
            time.sleep(0.001)
    states.close()
    worker.join(20)
    ends.update(cancelled)
    assert ends == Counter(range(most))
