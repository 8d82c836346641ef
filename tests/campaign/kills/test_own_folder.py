"""The harness does its destruction in folders that it made itself, and nowhere else."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest
from job_runs import Bench
from job_table import JOBS
from own_folder import MARK, NotOurs, OwnFolder


@pytest.fixture
def own(tmp_path: Path) -> OwnFolder:
    return OwnFolder(tmp_path)


@pytest.mark.parametrize(
    "target", ["/", "/dev/null", "/dev/full", "/dev", "/etc/passwd", "/proc/self", "~", "/tmp", "."]
)
def test_what_it_did_not_make_is_refused(own: OwnFolder, target: str) -> None:
    with pytest.raises(NotOurs, match="leaves it alone"):
        own.check(Path(target).expanduser())


def test_its_own_is_taken(own: OwnFolder, tmp_path: Path) -> None:
    assert own.check(own.path / "new") == own.path / "new"
    assert own.folder("a", "b").is_dir()
    (tmp_path / own.path.name / "file").write_text("")
    assert own.check(own.path / "file").is_file()


def test_what_lies_beside_it_is_refused(own: OwnFolder, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    for target in (
        tmp_path,
        tmp_path / "precious",
        own.path / ".." / "precious",
        own.path.with_name(own.path.name + "x"),
    ):
        with pytest.raises(NotOurs):
            own.check(target)


def test_links_out_of_it_and_what_is_no_file_are_refused(own: OwnFolder, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (own.path / "link").symlink_to(tmp_path / "precious")
    (own.path / "device").symlink_to("/dev/null")
    for name in ("link", "device", "link/inside"):
        with pytest.raises(NotOurs):
            own.check(own.path / name)
    if hasattr(os, "mkfifo"):
        os.mkfifo(own.path / "pipe")
        with pytest.raises(NotOurs, match="no regular file"):
            own.check(own.path / "pipe")
    if hasattr(socket, "AF_UNIX"):
        place = os.open(own.path, os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(f"/proc/self/fd/{place}/socket" if os.path.exists("/proc/self/fd") else str(own.path / "socket"))
        os.close(place)
        with pytest.raises(NotOurs, match="no regular file"):
            own.check(own.path / "socket")


def test_another_folder_in_its_place_is_refused(own: OwnFolder) -> None:
    shutil.rmtree(own.path)
    own.path.mkdir()
    (own.path / MARK).write_text("somebody else's")
    with pytest.raises(NotOurs, match="not the folder that the harness made"):
        own.check(own.path / "out")


def test_jobs_are_not_run_where_the_harness_was_led_away(tmp_path: Path) -> None:
    """A link in the place of the output folder: nothing is run, nothing is emptied."""
    job = next(job for job in JOBS if job.name == "weights import")
    bench = Bench(job, tmp_path)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("kept")
    shutil.rmtree(bench.out)
    bench.out.symlink_to(tmp_path / "precious")
    for action in (bench.run, lambda: bench.reset(old=False)):
        with pytest.raises(NotOurs):
            action()
    assert (tmp_path / "precious" / "file").read_text() == "kept"
