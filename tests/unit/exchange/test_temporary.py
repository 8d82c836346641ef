"""Temporary files and folders: private, told apart by their owner, and gone when it is."""

from __future__ import annotations

import ast
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from makeittalk.exchange import owner, storage, temporary
from project import BACKEND, ROOT

WORK = """
import os, signal, sys, time
from pathlib import Path
from makeittalk.exchange import storage, temporary
def work(how, target):
    if how in ("waits", "waits, and heeds SIGTERM"):
        if how != "waits":
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        with temporary.folder() as folder, temporary.folder_beside(target.parent) as beside:
            (folder / "deep").mkdir()
            (folder / "deep" / "file").write_text("half")
            (beside / "frame.png").write_text("half")
            with storage.replacing(target) as written:
                written.write_text("half")
                print("ready", flush=True)
                time.sleep(60)
    temporary.new_folder()
    print("ready", flush=True)
    if how == "forks":
        if os.fork() == 0:
            sys.exit()  # not its folder
        os.wait()
        print(len(list(Path(sys.argv[3]).glob("makeittalk-*"))), flush=True)
    if how == "fails":
        raise RuntimeError
work(sys.argv[1], Path(sys.argv[2]))
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "out").mkdir()
    return tmp_path


def work(place: Path, how: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORK, how, str(place / "out" / "result.txt"), str(place / "tmp")]
    environment = os.environ | {"PYTHONPATH": str(BACKEND)} | temporary.environment(place / "tmp")
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, start_new_session=True
    )
    assert running.stdout is not None and running.stdout.readline() == "ready\n"
    return running


def left(place: Path) -> list[str]:
    return sorted(item.name for folder in ("tmp", "out") for item in (place / folder).iterdir())


@pytest.mark.parametrize("how", ["ends", "fails", "waits, and heeds SIGTERM"])
def test_whoever_ends_leaves_nothing(place: Path, how: str) -> None:
    running = work(place, how)
    if "SIGTERM" in how:
        assert len(left(place)) == 3
        running.terminate()
    running.wait(20)
    assert left(place) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_leaves_its_parent_s_folder_alone(place: Path) -> None:
    running = work(place, "forks")
    assert running.stdout is not None and running.stdout.read() == "1\n"
    running.wait(20)
    assert left(place) == []


def test_what_a_killed_process_left_goes_and_nothing_of_one_that_runs(place: Path, monkeypatch) -> None:
    monkeypatch.setattr(temporary, "_AGAIN", 0.0)
    killed, running = work(place, "waits"), work(place, "waits")
    try:
        killed.kill()
        killed.wait()
        assert len(left(place)) == 6
        temporary.sweep(place / "tmp")
        storage.write_text(place / "out" / "other.txt", "whole")
        mine = f"-{owner.of(running.pid)}-"
        assert [mine in name for name in left(place)] == [True, True, True, False], left(place)
        assert left(place)[-1] == "other.txt"
    finally:
        running.kill()
        running.wait()
    storage.write_text(place / "out" / "other.txt", "whole")
    temporary.sweep(place / "tmp")
    assert left(place) == ["other.txt"]


def test_a_dead_process_that_nobody_has_asked_about_is_gone(place: Path) -> None:
    running = work(place, "waits")
    name = owner.of(running.pid)
    assert not owner.is_gone(name)
    os.kill(running.pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while not owner.is_gone(name):
        assert time.monotonic() < until
        time.sleep(0.01)
    running.wait()


def test_a_number_that_another_process_has_now_is_no_owner() -> None:
    machine, process, begun = owner.mine().split("-")
    if begun == "0" * 8:
        pytest.skip("This system does not tell when a process began.")
    assert not owner.is_gone(owner.mine())
    assert owner.is_gone(f"{machine}-{process}-{'1' * 8}")
    assert not owner.is_gone(f"{machine}-{process}-{'0' * 8}")  # whoever wrote that did not know
    assert not owner.is_gone(f"{'0' * 6}-{process}-{'1' * 8}")  # another machine's
    assert owner.is_gone(f"{machine}-7fffffff-{begun}")


def gone() -> str:
    return f"{owner.mine().partition('-')[0]}-7fffffff-11111111"


def test_nothing_is_removed_that_is_not_provably_ours(place: Path) -> None:
    """Names of others, names like ours, links, files where a folder should be; and what links lead to."""
    folder = place / "tmp"
    precious = place / "precious"
    precious.mkdir()
    (precious / "letter.txt").write_text("keep")
    kept = [
        "makeittalk-abc",
        "makeittalk-1234",
        "makeittalk-kept-x",
        f"makeittalk-{gone()}",
        f"xmakeittalk-{gone()}-abcdefgh",
    ]
    kept += [
        f"makeittalk-{owner.mine()}-abcdefgh",
        f"makeittalk-{gone()}-abcdefgh-more",
        f"makeittalk-zz{gone()[2:]}-abcdefgh",
    ]
    for name in kept:
        (folder / name).mkdir()
    (folder / f"makeittalk-{gone()}-linklink").symlink_to(precious)
    (folder / f"makeittalk-{gone()}-filefile").write_text("a file")
    (folder / f"makeittalk-{gone()}-gonegone").mkdir()
    (folder / f"makeittalk-{gone()}-gonegone" / "inner").symlink_to(precious)
    temporary.sweep(folder)
    assert left(place) == sorted([*kept, f"makeittalk-{gone()}-linklink", f"makeittalk-{gone()}-filefile"])
    assert (precious / "letter.txt").read_text() == "keep"


def test_beside_outputs_only_what_is_ours_goes(place: Path, monkeypatch) -> None:
    monkeypatch.setattr(temporary, "_AGAIN", 0.0)
    out, precious = place / "out", place / "precious.txt"
    precious.write_text("keep")
    kept = [".mit-0123456789ab.png", f".mit-{gone()}-0123456789abc", f".mit-{owner.mine()}-0123456789ab.png", "mit-x"]
    for name in kept:
        (out / name).write_text("x")
    (out / f".mit-{gone()}-aaaaaaaaaaaa.png").symlink_to(precious)
    (out / f".mit-{gone()}-bbbbbbbbbbbb.blend@").write_text("half")
    (out / f".mit-{gone()}-cccccccccccc").mkdir()
    storage.write_text(out / "result.txt", "whole")
    assert left(place) == sorted([*kept, f".mit-{gone()}-aaaaaaaaaaaa.png", "result.txt"])
    assert precious.read_text() == "keep"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can make another user's files")
def test_another_user_s_litter_is_theirs(place: Path) -> None:
    theirs = place / "tmp" / f"makeittalk-{gone()}-abcdefgh"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    temporary.sweep(place / "tmp")
    assert theirs.is_dir()


def test_folders_are_private() -> None:
    made = temporary.new_folder()
    assert stat.S_IMODE(made.stat().st_mode) == 0o700 and made.is_dir()
    temporary.remove(made)
    assert not made.exists()


def test_a_folder_is_looked_through_seldom(place: Path) -> None:
    storage.write_text(place / "out" / "a.txt", "a")
    (place / "out" / f".mit-{gone()}-bbbbbbbbbbbb").write_text("half")
    storage.write_text(place / "out" / "b.txt", "b")
    assert len(left(place)) == 3
    for number in range(200):
        temporary.sweep_beside(place / str(number))
    assert len(temporary._looked) <= 64


def test_a_name_at_the_limit_can_be_written(place: Path) -> None:
    target = place / "out" / ("x" * 251 + ".txt")
    storage.write_text(target, "whole")
    assert target.read_text() == "whole"


@pytest.mark.parametrize(
    "path",
    [*sorted((ROOT / "addon").rglob("*.py")), *sorted(BACKEND.glob("makeittalk*/**/*.py"))],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_nobody_else_makes_temporary_folders(path: Path) -> None:
    """A file without a name leaves nothing; everything else goes through `exchange/temporary`."""
    if path.name == "temporary.py":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "tempfile":
            assert node.attr in ("TemporaryFile", "gettempdir"), f"{path}:{node.lineno}"
        assert not (isinstance(node, ast.ImportFrom) and node.module == "tempfile"), path


def test_a_command_removes_what_a_killed_one_has_left(place: Path) -> None:
    left_over = place / "tmp" / f"makeittalk-{gone()}-abcdefgh"
    left_over.mkdir()
    command = [sys.executable, "-m", "makeittalk.cli.main", "detect", "nobody.png", "-o", str(place / "out" / "f.json")]
    environment = os.environ | {"PYTHONPATH": str(BACKEND)} | temporary.environment(place / "tmp")
    assert subprocess.run(command, env=environment, capture_output=True).returncode == 2
    assert left(place) == []
