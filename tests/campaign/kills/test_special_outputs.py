"""Outputs that are devices, pipes, sockets or links: all but links stay what they are, and links are followed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from job_runs import Bench, lacking, sentences
from job_table import JOBS, Job

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no such files")

#: Files that a job writes beside those it is asked for, or that it keeps its state in, and what it may do about them.
KEPT = {
    "serve photoreal": ("photoreal_00001.png", "photoreal_00000.png", "frames.jsonl", "film.mp4"),
    "batch": ("report/report.csv", "report/report.html", "report/workers.log", "speech.npz"),
    "train": ("log.jsonl", "checkpoint.safetensors", "content.safetensors"),
    "prepare": ("done.jsonl", "left_out.tsv", "prepared.json"),
    "weights import": ("weights/.lock",),
    "install": ("install.log", "install.lock"),
}
LONGEST = 120.0  # s: whoever opens a pipe waits for ever


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    """Bound by a short name: there is little room for longer ones."""
    folder = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(f"/proc/self/fd/{folder}/{path.name}")
    os.close(folder)


def make_device(path: Path) -> None:
    """A device of nothing in the test's own folder: whoever replaces it harms no system."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except OSError as error:
        pytest.skip(f"devices cannot be made here: {error.strerror}")


def make_link_to_pipe(path: Path) -> None:
    os.mkfifo(path.with_name(f"behind-{path.name}"))
    path.symlink_to(f"behind-{path.name}")


MAKERS: dict[str, Callable[[Path], None]] = {
    "pipe": make_pipe,
    "socket": make_socket,
    "device": make_device,
    "link to a pipe": make_link_to_pipe,
}


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Ends a wait for ever with an error of its own."""

    def late(_number: int, _frame: object) -> None:
        raise AssertionError("it waits for somebody at the other end")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


SHORT = ("detect", "voice-convert", "render pictures", "train", "weights import")  # the others in the campaign
PARAMETERS = [
    pytest.param(job, id=job.name, marks=() if job.name in SHORT else pytest.mark.campaign)
    for job in JOBS
    if not lacking(job)
]


@pytest.fixture(scope="module", params=PARAMETERS)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A job, run once."""
    return Bench(request.param, tmp_path_factory.mktemp("special"))


def targets(job: Job, bench: Bench) -> list[str]:
    return list(KEPT.get(job.name, sorted(bench.whole)[:1] + sorted(bench.whole)[1:][-1:]))


@pytest.mark.timeout(900)
def test_what_is_no_file_is_neither_replaced_nor_waited_for(bench: Bench) -> None:
    """Each in the place of one file after the other: refused in a sentence, or left as it is."""
    for number, name in enumerate(targets(bench.job, bench)):
        kind = list(MAKERS)[number % len(MAKERS)]
        bench.reset(old=False)
        place = bench.out / name
        place.parent.mkdir(parents=True, exist_ok=True)
        MAKERS[kind](place)
        before = os.lstat(place)
        with at_most(LONGEST):
            done = bench.run()
        told = f"{name} as a {kind}: {done.returncode} {done.stderr[-500:]}"
        assert os.path.samestat(os.lstat(place), before), f"replaced: {told}"
        said = [line for line in sentences(done.stderr) if line not in bench.said]
        assert "Traceback" not in done.stderr and "Internal error" not in done.stderr, told
        if done.returncode:
            assert done.returncode == 2 and said and said[-1].startswith("makeittalk: "), told
        else:
            found = bench.job.contents(bench.out)
            assert {n: v for n, v in found.items() if n != name} == {n: v for n, v in bench.whole.items() if n != name}


def test_a_link_is_followed_and_stays(tmp_path_factory: pytest.TempPathFactory) -> None:
    """`storage.replacing` is what every writer of single files goes through; one command stands for them here."""
    job = next(job for job in JOBS if job.name == "voice-convert")
    bench = Bench(job, tmp_path_factory.mktemp("links"))
    bench.reset(old=False)
    (bench.out / "behind").mkdir()
    (bench.out / "said.wav").symlink_to("behind/real.wav")
    assert bench.run().returncode == 0
    assert (bench.out / "said.wav").is_symlink()
    assert sorted(path.name for path in bench.out.rglob("*")) == ["behind", "real.wav", "said.wav"]
    assert bench.job.contents(bench.out)["behind/real.wav"] == bench.whole["said.wav"]
