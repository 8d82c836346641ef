"""Many shots: what is made already is left alone, the rest goes to workers, and what became of each is written down."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..exchange.errors import MakeItTalkError
from ..exchange.formats.shots import Problem, ShotList
from ..exchange.progress import Progress
from . import batch_report as report
from .batch_folder import BatchFolder, put_in_place
from .batch_pool import Watching
from .batch_record import FileSums, Records, key_of
from .batch_report import Row
from .batch_work import Outcome, Task


class Pool(Protocol):
    """Workers, wherever they are."""

    def run(self, tasks: Sequence[Task], watching: Watching) -> Iterator[Outcome]:
        """Makes shots; yields each outcome as it comes, in no order. See `batch_pool.LocalPool`."""


@dataclass(frozen=True)
class Batch:
    """A run over lists.

    Attributes:
        folder: where it keeps what it knows; held while this runs. base: of the paths in the lists.
        sums: of files. blender: for .blend files.
    """

    folder: BatchFolder
    base: Path
    sums: FileSums
    blender: str = ""

    def plan(self, shots: ShotList) -> tuple[list[Row], list[Task]]:
        """What is there already and what cannot be used, as rows; and the shots that have to be made."""
        records = Records(self.folder.records, self.sums)
        rows, tasks = [report.row_of_problem(problem) for problem in shots.problems], []
        for shot in shots.shots:
            try:
                task = Task(key_of(shot, self.sums, self.base), shot, self.blender)
            except MakeItTalkError as error:
                outputs = "; ".join(map(str, shot.outputs))
                said = Problem(shot.line, str(error), str(shot.portrait), str(shot.audio), outputs)
                rows.append(report.row_of_problem(said))
                continue
            made = records.find(task.key, shot)
            if made is None:
                tasks.append(task)
            else:
                rows.append(report.row_of(task, report.KEPT, made))
        return rows, tasks

    def run(self, title: str, shots: ShotList, pool: Pool, progress: Progress, workers: str = "") -> list[Row]:
        """Makes the shots of a list that are not there yet and writes the report, of an interrupted run as well.

        Args:
            title: of the report. pool: who makes them. workers: what is said of it in the report.

        Raises:
            MissingError: no worker can work. OutputError: the report or a record cannot be written.
            Cancelled, KeyboardInterrupt: the run was stopped; what is finished stays.
        """
        begun = time.monotonic()
        progress(0.0, "Comparing")
        rows, tasks = self.plan(shots)
        known, total = len(rows), max(1, len(tasks))
        left = {task.key: task for task in tasks}
        # Two lines may ask for the same contents: each has files of its own, and so a key of its own.
        try:
            for outcome in pool.run(
                tasks, lambda done, stage: progress(done / total, f"{int(done)} of {len(tasks)}: {stage}")
            ):
                rows.append(self._take(outcome))
                del left[outcome.task.key]
        finally:
            rows += [
                report.row_of(task, report.OPEN, message="The run was stopped before it.") for task in left.values()
            ]
            rows.sort(key=lambda row: row.line)
            took = f"{len(rows) - known - len(left)} in {time.monotonic() - begun:.0f} s{workers}."
            self.report(title, rows, took)
        return rows

    def report(self, title: str, rows: list[Row], took: str) -> None:
        """Writes the report.

        Raises:
            OutputError: it cannot be written.
        """
        report.write_table(self.folder.table, rows)
        report.write_page(self.folder.page, title, rows, took)

    def _take(self, outcome: Outcome) -> Row:
        """Puts a shot's files in their places and writes down that they are there."""
        task, made = outcome.task, outcome.made
        if made is None:
            return report.row_of(task, report.FAILED, message=outcome.sentence)
        try:
            for staged, output in zip(made.files, task.shot.outputs, strict=True):
                put_in_place(staged.path, output, task.key)
            Records(self.folder.records, self.sums).keep(task, made)
        except MakeItTalkError as error:
            return report.row_of(task, report.FAILED, message=str(error))
        return report.row_of(task, report.MADE, made)
