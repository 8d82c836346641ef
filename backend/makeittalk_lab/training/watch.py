"""Notices when another process of a training is gone, and ends this one with a sentence instead of waiting for it.

A process that dies takes the others with it: their next exchange of gradients fails, or never ends. On one machine that
is seen within a second. Between machines, processes beat, a number a second in a store that the first one keeps, and
who has not beaten for a minute counts as gone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import torch
from torch.distributed import TCPStore

if TYPE_CHECKING:
    from lightning_fabric import Fabric

LIMIT = 60.0  # s without a beat after which a process counts as gone: writing a checkpoint may take a while
STATUS = 1
_BEAT, _LOOK = 1.0, 0.2  # s
_SOON = 10.0  # s in which a failed exchange is explained by a process that is gone


class Watch:
    """Of one process over those it trains with.

    Args:
        fabric: not launched yet. what: is trained, for the sentence.
    """

    def __init__(self, fabric: Fabric, what: str) -> None:
        self._fabric, self._what = fabric, what
        self._children: list[subprocess.Popen[Any]] = []
        self._parent = os.getppid() if launched_by_fabric() else 0
        self._store: TCPStore | None = None
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._look, daemon=True)]
        self._threads[0].start()

    def start(self) -> None:
        """Begins to beat, once all processes have found each other."""
        fabric = self._fabric
        host = fabric.strategy.cluster_environment.main_address  # type: ignore[attr-defined]
        port = 0
        if fabric.global_rank == 0:
            self._store = TCPStore(host, 0, is_master=True, wait_for_workers=False)
            port = self._store.port
        port = fabric.broadcast(port)
        if fabric.global_rank:
            self._store = TCPStore(host, port, is_master=False)
        assert self._store is not None
        self._store.set(str(fabric.global_rank), "0")
        fabric.barrier()
        self._threads.append(threading.Thread(target=self._beat, daemon=True))
        self._threads[-1].start()

    def stop(self) -> None:
        """Ends the watch; to be called once nobody is waited for any more."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def explain(self, error: BaseException) -> None:
        """Waits for the sentence, which ends this process, where an exchange may have failed for want of another."""
        if isinstance(error, RuntimeError) and not isinstance(error, torch.OutOfMemoryError):
            several = self._fabric.strategy.num_nodes > 1  # type: ignore[attr-defined]
            time.sleep(LIMIT + 2 * _BEAT if several else _SOON)

    def end_children(self) -> None:
        """Ends the processes that this one has started, which would wait for it."""
        self._take_over()
        while self._children:
            child = self._children.pop()
            child.kill()
            child.wait()

    def _take_over(self) -> None:
        """Minds Fabric's children in its place: it would kill this process, too, without a word."""
        started = getattr(self._fabric.strategy.launcher, "procs", [])
        while started:
            self._children.append(started.pop(0))

    def _look(self) -> None:
        """Minds the processes of this machine: those that this one started, or the one that started it."""
        while not self._over.wait(_LOOK):
            self._take_over()
            for place, child in enumerate(self._children, 1):
                if child.poll():
                    self._end(self._first_of_machine() + place)
            if self._parent and os.getppid() != self._parent:
                self._end(self._first_of_machine())

    def _first_of_machine(self) -> int:
        strategy = self._fabric.strategy
        return int(strategy.node_rank) * int(strategy.num_processes)  # type: ignore[attr-defined]

    def _beat(self) -> None:
        """Minds the others."""
        store, mine = self._store, self._fabric.global_rank
        assert store is not None
        others = [rank for rank in range(self._fabric.world_size) if rank != mine]
        now = time.monotonic()
        seen, when = dict.fromkeys(others, b""), dict.fromkeys(others, now)
        count = 0
        while not self._over.wait(_BEAT):
            count += 1
            try:
                store.set(str(mine), str(count))
                beats = dict(zip(others, store.multi_get([str(rank) for rank in others]), strict=True))
            except RuntimeError:  # the first process kept the store
                if not self._over.is_set():
                    self._end(0)
                return
            now = time.monotonic()
            for rank, beat in beats.items():
                if beat != seen[rank]:
                    seen[rank], when[rank] = beat, now
                elif now - when[rank] > LIMIT:
                    self._end(rank)

    def _end(self, gone: int) -> None:
        """Ends this process and its children; one of each machine says why."""
        if self._over.is_set():
            return
        mine = self._fabric.global_rank
        first = min(rank for rank in range(self._fabric.world_size) if rank != gone)
        if mine == first or self._fabric.local_rank == 0:
            said = f"Process {gone + 1} of {self._fabric.world_size} is gone, so training {self._what} stopped"
            print(f"makeittalk: {said}; run it again to go on from the last checkpoint.", file=sys.stderr, flush=True)
        for child in self._children:
            child.kill()
        os._exit(STATUS)


def launched_by_fabric() -> bool:
    """Whether Lightning Fabric has started this process for another device of this machine."""
    return os.environ.get("LOCAL_RANK", "0") != "0" and "TORCHELASTIC_RUN_ID" not in os.environ
