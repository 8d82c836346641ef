"""Prepares many recordings or films so that any kill only delays it, and keeps book of what became of each.

`done.jsonl` in the prepared folder holds a line for every job that has ended: what was made, or why it was left out. A
job is done when its line is written, which is after its files are; whatever else is killed is done again, and gives the
same files again. What was left out is listed in `left_out.tsv` as well, name and reason.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from makeittalk.exchange import bounded_json, storage
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.file_lock import lock_file
from makeittalk.exchange.progress import Progress

from .pool import Answer, Work, answers

BOOK = "done.jsonl"
LEFT_OUT = "left_out.tsv"
_MAX_BOOK = 128 * 2**20  # bytes


@dataclass(frozen=True)
class Job:
    """Something to prepare.

    Attributes:
        argument: what the work is told. files: what it reads; a job whose files changed is done again.
    """

    argument: Any
    files: tuple[Path, ...]

    def stamp(self) -> list[list[int]]:
        """Size and date of each file, -1 of missing ones."""
        found = [file.stat() if file.is_file() else None for file in self.files]
        return [[-1, -1] if item is None else [item.st_size, item.st_mtime_ns] for item in found]

    def is_done(self, line: dict[str, Any]) -> bool:
        """Whether a line of the book still tells what becomes of the job.

        Of what was left out the dates count, too: a damaged file may have been as long as the whole one. Of the rest
        they do not: corpora are copied about.
        """
        known, now = line.get("stamp"), self.stamp()
        if line.get("fault") or not isinstance(known, list):
            return known == now
        return [part[:1] for part in known] == [part[:1] for part in now]


@dataclass(frozen=True)
class Campaign:
    """The preparation of a folder.

    Attributes:
        dest: the folder. settings: kind of corpus and whatever else the clips depend on besides their source.
        stage: for the progress. workers: processes, 0 for as many as there are cores.
    """

    dest: Path
    settings: dict[str, Any]
    stage: str
    workers: int = 0

    def run(self, work: Work, jobs: Mapping[str, Job], progress: Progress) -> dict[str, Answer]:
        """Does the jobs that are not done yet.

        Args:
            work: writes a job's files whole or not at all (`storage.replacing`); see `pool.answers`.
            jobs: by name. progress: told after every job; may raise Cancelled, what is done stays.

        Returns:
            What became of each job, in the order of `jobs`, of those done before too.

        Raises:
            InputError: the folder was prepared with other settings, or is being prepared right now.
            OutputError: it cannot be written.
        """
        try:
            self.dest.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage.output_error(self.dest, error) from error
        with self._open() as (book, known):
            found = {
                name: Answer(name, known[name].get("value"), str(known[name].get("fault", "")))
                for name, job in jobs.items()
                if name in known and job.is_done(known[name])
            }
            left = {name: job.argument for name, job in jobs.items() if name not in found}
            for answer in answers(work, left, self.workers or cores()):
                found[answer.name] = answer
                if not answer.died:
                    # Taken behind the work, which may have made one of them: phones that were aligned.
                    stamp = jobs[answer.name].stamp()
                    line = {"name": answer.name, "stamp": stamp, "value": answer.value}
                    _write_line(book, line | ({"fault": answer.fault} if answer.fault else {}))
                progress(len(found) / len(jobs), f"{self.stage} {len(found)}/{len(jobs)}")
            ordered = {name: found[name] for name in jobs}
            rows = [f"{name}\t{' '.join(item.fault.split())}\n" for name, item in ordered.items() if item.fault]
            storage.write_text(self.dest / LEFT_OUT, "".join(["name\treason\n", *rows]))
        return ordered

    @contextmanager
    def _open(self) -> Iterator[tuple[IO[str], dict[str, dict[str, Any]]]]:
        """The book, for this process alone, and what stands in it by name."""
        path = self.dest / BOOK
        try:
            stream = open(path, "a+", encoding="utf-8")  # noqa: SIM115 - closed below, once its errors are told apart
        except OSError as error:
            raise storage.output_error(path, error) from error
        with stream:
            if not _lock(stream):
                raise InputError(f"{self.dest} is being prepared by another process.", "Wait for it or end it.")
            storage.remove_leftovers(self.dest)
            lines = _lines(path)
            if not lines:
                stream.truncate(0)
                _write_line(stream, self.settings)
            elif lines[0] != bounded_json.loads(json.dumps(self.settings)):
                raise InputError(f"{self.dest} was prepared in another way.", "Name another folder, or delete it.")
            else:
                _end_last_line(path, stream)
            yield stream, {line["name"]: line for line in lines[1:] if isinstance(line.get("name"), str)}


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def left_out(results: Mapping[str, Answer], source: Path) -> dict[str, str]:
    """Why jobs were left out, by name.

    Raises:
        InputError: all were.
    """
    skipped = {name: answer.fault for name, answer in results.items() if answer.fault}
    if results and len(skipped) == len(results):
        raise InputError(f"Nothing in {source} could be used: {next(iter(skipped.values()))}", "Check the corpus.")
    return skipped


def _lines(path: Path) -> list[dict[str, Any]]:
    """The objects in a book; a line that a kill cut off is left out."""
    if not path.is_file() or not path.stat().st_size:
        return []
    return list(storage.json_lines(path, _table, _MAX_BOOK))


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("no object")
    return value


def _write_line(stream: IO[str], value: dict[str, Any]) -> None:
    try:
        stream.write(json.dumps(value) + "\n")
        stream.flush()
    except OSError as error:
        raise storage.output_error(stream.name, error) from error


def _end_last_line(path: Path, stream: IO[str]) -> None:
    """Ends a line that a kill cut off, so that the next one stands by itself."""
    with open(path, "rb") as book:
        book.seek(-1, os.SEEK_END)
        if book.read(1) != b"\n":
            stream.write("\n")
            stream.flush()


def _lock(stream: IO[str]) -> bool:
    """Takes the file for this process; on Windows by a byte far behind its end, as what is locked nobody may read."""
    try:
        lock_file(stream.fileno(), _MAX_BOOK)
    except OSError:
        return False
    return True
