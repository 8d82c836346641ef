"""The folder that a batch keeps beside its list: records, the report, a log, and files under way."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..exchange import storage
from ..exchange.errors import OutputError
from ..exchange.file_lock import lock_file

SUFFIX = ".batch"


@dataclass(frozen=True)
class BatchFolder:
    """Where a batch keeps what it knows.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def records(self) -> Path:
        """A file a finished shot."""
        return self.path / "shots"

    @property
    def under_way(self) -> Path:
        """Files of shots that are not finished; nothing in it outlives a run."""
        return self.path / "under_way"

    @property
    def log(self) -> Path:
        """What the libraries of the workers print."""
        return self.path / "workers.log"

    @property
    def table(self) -> Path:
        """The report as CSV."""
        return self.path / "report.csv"

    @property
    def page(self) -> Path:
        """The report to look at."""
        return self.path / "report.html"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Makes the folder and keeps other runs out; what an interrupted run left under way is removed.

        Raises:
            OutputError: another run has it, or it cannot be made.
        """
        try:
            self.records.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise storage.output_error(self.path, error) from error
        try:
            try:
                lock_file(descriptor)
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                    raise storage.output_error(self.path, error) from error
                raise OutputError(
                    f"Another batch is at work in {self.path}.", "Wait for it, or name another folder with --report."
                ) from error
            self._empty()
            try:
                self.under_way.mkdir()
                self.log.write_bytes(b"")
                yield
            finally:
                self._empty()
        finally:
            os.close(descriptor)

    def _empty(self) -> None:
        shutil.rmtree(self.under_way, ignore_errors=True)
        for folder in (self.path, self.records):  # what was about to be renamed when a run was killed
            for left in folder.glob(".mit-*"):
                with contextlib.suppress(OSError):
                    left.unlink()


def batch_folder(source: Path) -> BatchFolder:
    """The folder that belongs to a list, beside it."""
    return BatchFolder(source.with_name(f"{source.stem}{SUFFIX}"))


def put_in_place(staged: Path, target: Path, key: str) -> None:
    """Moves a finished file to where it was asked for, whole or not at all.

    A file of another file system is copied first, under a name that follows from `key`: what a killed run has left of
    it is overwritten by the next one.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        real = storage.real_target(target)
        try:
            os.replace(staged, real)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            beside = real.parent / f".mit-{key[:12]}{real.suffix}"
            try:
                shutil.copyfile(staged, beside)
                os.replace(beside, real)
            finally:
                beside.unlink(missing_ok=True)
    except OSError as error:
        raise storage.output_error(target, error) from error
