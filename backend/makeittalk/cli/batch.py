"""`makeittalk batch`: every shot of a list, side by side, on this machine or on a Ray cluster."""

from __future__ import annotations

import contextlib
import os
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..exchange.errors import InputError, MakeItTalkError, OutputError
from ..exchange.shot_options import SUFFIXES
from . import arguments
from .command import Command
from .output import check_parent
from .terminal import progress_bar, tell

if TYPE_CHECKING:
    from ..exchange.formats.shots import ShotList
    from ..jobs.batch import Pool
    from ..jobs.batch_folder import BatchFolder
    from ..jobs.batch_record import FileSums
    from ..jobs.batch_report import Row

LOOK = 0.5  # s between two looks at a folder that is watched
_MOST = 8  # workers that are started where nobody says how many; each holds its networks


def add_arguments(parser: ArgumentParser) -> None:
    """The list, who works on it, and where the report goes."""
    parser.add_argument("shots", type=Path, nargs="?", metavar="SHOTS.CSV", help="a line a shot; see docs/batch.md")
    text = "take lists, and pictures and recordings of one name, from a folder as they come, until Ctrl-C"
    parser.add_argument("--watch", type=Path, metavar="FOLDER", help=text)
    text = "with --watch: what is made of a picture and a recording of one name, in the folder `made` (default .mp4)"
    parser.add_argument("--make", choices=SUFFIXES, action="append", metavar="SUFFIX", help=text)
    text = "shots at a time (default: a processor each, 8 at most; on a cluster: what it has room for)"
    parser.add_argument("--workers", type=arguments.count, metavar="N", help=text)
    text = "processors a worker (default: those of this machine, shared out)"
    parser.add_argument("--threads", type=arguments.count, metavar="N", help=text)
    text = 'work on a Ray cluster: its address, such as ray://head:10001, 192.168.1.10:6379 or "auto"'
    parser.add_argument("--ray", metavar="ADDRESS", help=text)
    text = "keep records and report in this folder (default: beside the list, SHOTS.batch)"
    parser.add_argument("--report", type=Path, metavar="FOLDER", help=text)
    arguments.add_option(parser, "blender", "Blender that writes .blend files", "EXECUTABLE")


def run(options: Namespace) -> int:
    """Makes what is not there yet; 0 where every line has its files, else 2."""
    if (options.shots is None) == (options.watch is None):
        raise InputError("batch takes a list of shots or --watch FOLDER.", "Name one of them.")
    if options.watch is not None:
        return _watch(options)
    from ..exchange.formats.shots import read_shots
    from ..jobs.batch_folder import BatchFolder, batch_folder

    folder = BatchFolder(options.report) if options.report else batch_folder(options.shots)
    shots = read_shots(options.shots)
    check_parent(folder.path)
    if folder.path.exists() and not folder.path.is_dir():
        raise OutputError(f"{folder.path} is a file.", "Name another folder with --report.")
    with folder.held(), pool(options, folder) as workers:
        rows = make(options, folder, shots, workers)
    return 2 if any(row.failed for row in rows) else 0


def make(
    options: Namespace, folder: BatchFolder, shots: ShotList, workers: Pool, sums: FileSums | None = None
) -> list[Row]:
    """Makes the shots of a list and says what became of them."""
    from ..jobs.batch import Batch
    from ..jobs.batch_record import FileSums
    from ..jobs.batch_report import summary
    from ..jobs.blender import blender_command
    from .shot_outputs import check_outputs

    kept = [folder.path, *([shots.path] if shots.path.is_file() else [])]
    shots = check_outputs(shots, kept, lambda: blender_command(options.blender))
    batch = Batch(folder, shots.path.absolute().parent, sums or FileSums(), options.blender)
    with progress_bar() as progress:
        rows = batch.run(shots.path.name, shots, workers, progress, f" by {_said(options)}")
    tell(f"{shots.path.name}, line {row.line}: {row.message}" for row in rows if row.failed)
    print(f"{summary(rows)}: {folder.page}")
    return rows


def _watch(options: Namespace) -> int:
    """Makes what comes into a folder until somebody stops it."""
    from ..exchange.formats.shots import read_shots
    from ..jobs.batch_arrivals import PAIRS, Arrivals
    from ..jobs.batch_folder import BatchFolder, batch_folder
    from ..jobs.batch_record import FileSums

    watched: Path = options.watch
    if not watched.is_dir():
        raise InputError(f"{watched} is not a folder.", "Name a folder to watch.")
    suffixes = tuple(options.make or (".mp4",))
    folder = BatchFolder(options.report) if options.report else BatchFolder(watched / f"{PAIRS}.batch")
    check_parent(folder.path)
    arrivals, sums = Arrivals(watched, suffixes), FileSums()
    with folder.held(), pool(options, folder) as workers, contextlib.suppress(KeyboardInterrupt):
        tell([f"Watching {watched}; Ctrl-C stops it."])
        while True:
            pairs = arrivals.new_pairs()
            if pairs is not None:
                (watched / PAIRS).mkdir(exist_ok=True)
                make(options, folder, pairs, workers, sums)
            for path in arrivals.new_lists():
                try:
                    shots = read_shots(path)
                    if arrivals.still_growing(shots):
                        continue
                    arrivals.taken(path)
                    own = batch_folder(path)
                    with own.held():
                        rows = make(options, own, shots, workers, sums)
                    arrivals.wrote(shots, any(row.failed for row in rows))
                except MakeItTalkError as error:
                    arrivals.taken(path)
                    tell([str(error)])
            time.sleep(LOOK)
    tell(["Stopped watching."])
    return 0


@contextlib.contextmanager
def pool(options: Namespace, folder: BatchFolder) -> Iterator[Pool]:
    """The workers that were asked for, ended afterwards.

    Raises:
        MissingError: Ray is asked for and not installed, or its cluster is not there.
    """
    if options.ray:
        from ..jobs.batch_ray import RayPool

        with RayPool(options.ray, options.workers, options.threads or 1, folder.under_way) as cluster:
            yield cluster
        return
    from ..jobs.batch_pool import LocalPool

    workers, threads = _shares(options)
    with LocalPool(workers, threads, folder.under_way, folder.log) as processes:
        yield processes


def _shares(options: Namespace) -> tuple[int, int]:
    """Workers and threads each."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = options.workers or max(1, min(_MOST, processors // (options.threads or 1)))
    return workers, options.threads or max(1, processors // workers)


def _said(options: Namespace) -> str:
    if options.ray:
        return f"a cluster at {options.ray}"
    workers, threads = _shares(options)
    return f"{workers} worker{'s' * (workers > 1)} with {threads} thread{'s' * (threads > 1)} each"


COMMAND = Command("batch", "make many shots of a list, side by side", run, add_arguments)
