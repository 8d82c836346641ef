"""Does many jobs in processes of their own, one job after the other in each; what one of them breaks stops no other."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from typing import Any

from makeittalk.exchange.errors import InputError, MakeItTalkError

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_PATIENCE = 10.0  # s that a process is given to end by itself

#: Does a job. It is told the job's name and its argument, and answers with something that JSON can hold.
Work = Callable[[str, Any], Any]


@dataclass(frozen=True)
class Answer:
    """What became of a job.

    Attributes:
        name: of the job. value: what the work answered. fault: why nothing was made of it, empty where something was.
        died: whether the process died over it; another time it may not.
    """

    name: str
    value: Any = None
    fault: str = ""
    died: bool = False


class Unusable(InputError):
    """A job of which nothing is made, with what is known of it."""

    def __init__(self, message: str, value: Any) -> None:
        super().__init__(message)
        self.value = value


def answers(work: Work, jobs: Mapping[str, Any], workers: int) -> Iterator[Answer]:
    """Does every job and yields what became of it, in the order in which they end.

    With one worker all is done here. Otherwise each process has one thread for OpenCV, PyTorch and linear algebra, and
    ends when this one does, however this one ends.

    Args:
        work: a function of a module, or a `partial` of one; its InputErrors say what is wrong with a job.
        jobs: their arguments by name. workers: processes.

    Raises:
        MakeItTalkError: a worker met another error than a job's own: nothing can be written, or a part is missing.
    """
    if min(workers, len(jobs)) < 2:
        for name, argument in jobs.items():
            yield _answer(work, name, argument)
        return
    waiting = iter(jobs.items())
    processes = [_Process(work) for _ in range(min(workers, len(jobs)))]
    busy: dict[Any, _Process] = {}
    try:
        for process in processes:
            process.give(*next(waiting))
            busy[process.pipe] = process
        while busy:
            for pipe in connection.wait(list(busy)):
                process = busy.pop(pipe)
                answer = process.take()
                if isinstance(answer, MakeItTalkError):
                    raise answer
                if not process.alive:  # it died over this job; another one goes on with the next
                    process.end()
                    processes.remove(process)
                    processes.append(process := _Process(work))
                following = next(waiting, None)
                if following is not None:
                    process.give(*following)
                    busy[process.pipe] = process
                yield answer
    finally:
        for process in processes:
            process.end()


def _answer(work: Work, name: str, argument: Any) -> Answer:
    try:
        return Answer(name, work(name, argument))
    except InputError as error:
        return Answer(name, error.value if isinstance(error, Unusable) else None, error.message)
    except MakeItTalkError:
        raise
    except Exception as error:  # one odd file of a million must not end a campaign of days
        return Answer(name, fault=f"{type(error).__name__}: {error}")


class _Process:
    """A process that waits for jobs."""

    def __init__(self, work: Work) -> None:
        context = get_context("spawn")  # what was loaded here, MediaPipe and PyTorch, does not survive a fork
        self.pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(work, other), daemon=True)
        with _one_thread():
            self._process.start()
        other.close()
        self._name = ""
        self.alive = True

    def give(self, name: str, argument: Any) -> None:
        self._name = name
        with suppress(OSError):  # of a process that has died already: `take` says so
            self.pipe.send((name, argument))

    def take(self) -> Answer | MakeItTalkError:
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            self.alive = False
            self._process.join(_PATIENCE)
            status = self._process.exitcode
            return Answer(self._name, fault=f"The process that read it died (exit status {status}).", died=True)

    def end(self) -> None:
        self.pipe.close()
        self._process.terminate()
        self._process.join(_PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


@contextmanager
def _one_thread() -> Iterator[None]:
    """An environment in which a process that is started here computes with one thread."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _serve(work: Work, pipe: connection.Connection) -> None:
    """The life of a process."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the one that started this
    import cv2
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    while True:
        try:
            name, argument = pipe.recv()
        except EOFError:
            return
        try:
            answer: Answer | MakeItTalkError = _answer(work, name, argument)
        except MakeItTalkError as error:
            answer = _Failure.of(error)
        pipe.send(answer)


def _end_with_parent() -> None:
    """Ends this process with the one that started it, which may be killed: nobody would read what it makes."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class _Failure(MakeItTalkError):
    """An error of a worker's that can be sent: Python makes exceptions anew from their message alone."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _Failure, (self.message, self.hint, self.exit_status)

    def __init__(self, message: str, hint: str = "", status: int = 1) -> None:
        super().__init__(message, hint)
        self.exit_status = status

    @classmethod
    def of(cls, error: MakeItTalkError) -> _Failure:
        return cls(error.message, error.hint, error.exit_status)
