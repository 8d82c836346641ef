"""A worker process of a batch: takes shots through a pipe until it closes. Nothing heavy is imported before `serve`."""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

from ..exchange.blas import wait_asleep
from ..exchange.progress import Progress

_REPORTS = 0.2  # s between two messages about how far it is
_LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def serve(pipe: Connection, threads: int, log: str) -> None:
    """Answers tasks with ("made", Made) or ("failed", sentence); says ("progress", fraction, stage) meanwhile.

    Args:
        pipe: its first message is ("ready",), or ("broken", sentence) where this Python cannot work. threads: that
            numpy and torch may take. log: a file that takes what libraries print.
    """
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; whoever started this ends it
    _print_into(log)
    _end_with_parent()
    for name in _LIBRARIES:
        os.environ[name] = str(threads)
    wait_asleep()
    try:
        import torch

        torch.set_num_threads(threads)
        from . import shot  # noqa: F401
        from .batch_work import do_shot, sentence_of
    except Exception as error:
        pipe.send(("broken", f"A worker cannot start: {type(error).__name__}: {' '.join(str(error).split())[:300]}."))
        return
    pipe.send(("ready",))
    with contextlib.suppress(EOFError, OSError):
        while True:
            task, folder = pipe.recv()
            place = Path(folder)
            try:
                answer: tuple[object, ...] = ("made", do_shot(task, place, _reports(pipe)))
            except Exception as error:  # a shot that fails takes no other one along
                answer = ("failed", sentence_of(error))
            shutil.rmtree(place / "character", ignore_errors=True)
            pipe.send(answer)


def _reports(pipe: Connection) -> Progress:
    last = 0.0

    def report(fraction: float, stage: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _REPORTS:
            last = now
            pipe.send(("progress", fraction, stage))

    return report


def _print_into(log: str) -> None:
    """Has everything printed go to a file, that of C libraries too; so that the terminal shows the progress alone."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.close(descriptor)
    faulthandler.enable(sys.stderr)


def _end_with_parent() -> None:
    """Ends this process once whoever started it is gone, however that was: nobody else takes what it makes."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
