"""A batch with the real pipeline: what is made, left alone, made again; workers and whole batches that are killed."""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from killing import kill
from makeittalk.cli.main import main
from makeittalk.cli.shot_outputs import check_outputs
from makeittalk.exchange.formats.shots import read_shots
from makeittalk.jobs.batch import Batch
from makeittalk.jobs.batch_folder import batch_folder
from makeittalk.jobs.batch_pool import LocalPool
from makeittalk.jobs.batch_record import FileSums
from shot_lists import leftovers, run_batch, start_batch, sums, write_list


def table(folder: Path) -> dict[int, dict[str, str]]:
    """The report's rows by their lines."""
    with (folder / "shots.batch" / "report.csv").open(newline="", encoding="utf-8") as stream:
        return {int(row["line"]): row for row in csv.DictReader(stream)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a list of four shots, undisturbed, by two workers; one line of it is bad."""
    folder = tmp_path_factory.mktemp("made")
    done = run_batch(write_list(folder, 4, ".npz .csv", bad=True), "--workers", "2")
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip().endswith("gone.wav does not exist; check the path.") and "line 3" in done.stderr
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """The same folder somewhere else, all of it made."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


def test_one_bad_line_stops_nothing_and_the_report_says_all(made: Path) -> None:
    rows = table(made)
    assert {line: row["status"] for line, row in rows.items()} == {
        **dict.fromkeys((2, 4, 5, 6), "made"),
        3: "not usable",
    }
    assert "gone.wav" in rows[3]["message"]
    assert all(float(rows[line]["seconds"]) > 0 and int(rows[line]["memory_mb"]) > 100 for line in (2, 4, 5, 6))
    page = (made / "shots.batch" / "report.html").read_text(encoding="utf-8")
    assert page.count("<img") == 4 and "gone.wav does not exist" in page
    assert len(sums(made)) == 8 and leftovers(made) == []


def test_a_shot_is_what_animate_makes(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out1.npz"
    arguments = [made / "ada.png", made / "voice1.wav", "-o", out, "--seed", "1", "--lip", "1.25", "--style", "cartoon"]
    assert main(["animate", *map(str, arguments)]) == 0
    assert out.read_bytes() == (made / "out1.npz").read_bytes()


def test_what_is_there_is_left_alone_and_what_has_changed_is_made_again(copy: Path, made: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in copy.glob("out*")}
    path = copy / "shots.csv"
    (copy / "out0.csv").write_text("somebody has edited this")
    (copy / "out1.npz").unlink()
    path.write_text(path.read_text().replace("out2.npz;out2.csv,2,", "out2.npz;out2.csv,99,"))
    (copy / "shots.batch" / "shots" / "junk.json").write_text("{")
    done = run_batch(path, "--workers", "1")
    assert done.returncode == 2, done.stderr
    rows = table(copy)
    assert {line: row["status"] for line, row in rows.items()} == {
        **dict.fromkeys((2, 4, 5), "made"),
        **{3: "not usable", 6: "up to date"},
    }
    now, then = sums(copy), sums(made)
    assert {name for name in now if now[name] != then[name]} == {"out2.npz", "out2.csv"}
    assert (copy / "out3.npz").stat().st_mtime_ns == before["out3.npz"]
    # Another picture of the same name is another shot.
    shutil.copy(copy / "out3.npz", copy / "kept.npz")
    with (copy / "ada.png").open("ab") as stream:
        stream.write(b"\0")
    batch, shots = _batch(copy)
    rows, tasks = batch.plan(shots)
    assert len(tasks) == 4 and [row.status for row in rows] == ["not usable"]


def test_records_that_somebody_has_spoilt_are_no_records(copy: Path) -> None:
    batch, shots = _batch(copy)
    assert batch.plan(shots)[1] == []
    records = sorted((copy / "shots.batch" / "shots").glob("*.json"))
    assert len(records) == 4
    for record, spoilt in zip(
        records, (b"[]", b'{"format": 1, "files": 7}', b'{"format": 1e999}', b"\xff" * 100), strict=True
    ):
        record.write_bytes(spoilt)
    assert len(batch.plan(shots)[1]) == 4


def _batch(folder: Path):
    path = folder / "shots.csv"
    shots = check_outputs(read_shots(path))
    return Batch(batch_folder(path), folder, FileSums()), shots


def test_a_worker_that_dies_is_replaced_and_a_shot_that_kills_two_is_given_up(tmp_path: Path, made: Path) -> None:
    path = write_list(tmp_path, 4, ".npz .csv")
    batch, shots = _batch(tmp_path)
    killed: list[int] = []

    def watching(_done: float, stage: str) -> None:
        for worker in pool._workers:
            line = worker.task.shot.line if worker.task is not None else 0
            # The first shot kills whoever has it, the third one once.
            if stage != "Starting" and (line == 2 or (line == 4 and 4 not in killed)) and worker.fraction > 0.0:
                os.kill(worker.process.pid, signal.SIGKILL)
                killed.append(line)

    with batch.folder.held():
        with LocalPool(2, 1, batch.folder.under_way, batch.folder.log) as pool:
            rows = batch.run("killed", shots, pool, watching)
        assert [worker for worker in pool._workers if worker.process.is_alive()] == []
    assert {row.line: row.status for row in rows} == {2: "failed", 3: "made", 4: "made", 5: "made"}
    assert killed.count(4) >= 1 and "2 times" in rows[0].message and "SIGKILL" in rows[0].message
    reference = sums(made)
    assert sums(tmp_path) == {name: reference[name] for name in reference if not name.startswith("out0")}
    assert run_batch(path, "--workers", "1").returncode == 0  # the next run tries it again
    assert sums(tmp_path) == reference and leftovers(tmp_path) == []


def test_two_runs_of_one_list_do_not_meet(copy: Path) -> None:
    with batch_folder(copy / "shots.csv").held():
        done = run_batch(copy / "shots.csv")
    assert done.returncode == 2 and "Another batch is at work" in done.stderr


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)], ids=["Ctrl-C", "SIGTERM"]
)
def test_stopped_it_says_what_is_open_and_goes_on_later(number: signal.Signals, tmp_path: Path) -> None:
    path = write_list(tmp_path, 5, ".npz .csv")
    process = start_batch(path, "--workers", "1")
    _wait_for(lambda: any((tmp_path / "shots.batch" / "shots").glob("*.json")))
    if number is signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    _, complaints = process.communicate(timeout=60)
    assert process.returncode == 130 and complaints.strip().splitlines()[-1] == "makeittalk: Interrupted."
    assert "Traceback" not in complaints
    statuses = [row["status"] for row in table(tmp_path).values()]
    assert statuses[0] == "made" and statuses[-1] == "not made" and len(statuses) == 5
    assert leftovers(tmp_path) == []


def test_a_worker_that_cannot_start_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "torch.py").write_text("raise ImportError('libtorch.so is not there')")
    path = write_list(tmp_path / "list", 1)
    monkeypatch.syspath_prepend(hidden)
    batch, shots = _batch(path.parent)
    from makeittalk.exchange.errors import MissingError

    with (
        batch.folder.held(),
        LocalPool(1, 1, batch.folder.under_way, batch.folder.log) as pool,
        pytest.raises(MissingError, match="libtorch"),
    ):
        batch.run("nothing", shots, pool, lambda _fraction, _stage: None)


def test_a_folder_that_is_watched(tmp_path: Path) -> None:
    write_list(tmp_path / "source", 2, ".npz")
    watched = tmp_path / "watched"
    watched.mkdir()
    process = start_batch("--watch", watched, "--workers", "1", "--make", ".npz", "--make", ".csv")
    try:
        picture = (tmp_path / "source" / "ada.png").read_bytes()
        with (watched / "ada.png").open("wb") as slow:  # comes bit by bit
            shutil.copy(tmp_path / "source" / "voice0.wav", watched / "ada.wav")
            for part in range(4):
                slow.write(picture[part * len(picture) // 4 : (part + 1) * len(picture) // 4])
                slow.flush()
                time.sleep(1.0)
                assert not (watched / "made").exists()
        # A list that is there before one of its recordings.
        (watched / "more.csv").write_text("portrait,audio,output\nada.png,late.wav,late.csv;late.npz\n")
        _wait_for(lambda: (watched / "made" / "ada.csv").exists())
        shutil.copy(tmp_path / "source" / "voice1.wav", watched / "late.wav")
        _wait_for(lambda: (watched / "late.npz").exists() and (watched / "more.batch" / "report.html").exists())
        time.sleep(3.0)  # late.csv is no list
    finally:
        os.killpg(process.pid, signal.SIGINT)
        told, complaints = process.communicate(timeout=60)
    assert process.returncode == 0, complaints
    assert "late.csv" not in complaints and told.count("1 made") == 2, (told, complaints)
    assert leftovers(watched) == []


def _wait_for(there, seconds: float = 90.0) -> None:
    until = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < until, "it does not come"
        time.sleep(0.05)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_at_any_moment_it_ends_as_if_undisturbed(times: int, made: Path, tmp_path: Path) -> None:
    """kill -9 of the batch itself: its workers end by themselves, nothing is half-written, the next run goes on."""
    reference, random_ = sums(made), random.Random(times)
    source = write_list(tmp_path / "source", 4, ".npz .csv")
    begun = time.monotonic()
    assert run_batch(source, "--workers", "2").returncode == 0
    whole = time.monotonic() - begun
    partly = 0
    for number in range(times):
        folder = tmp_path / f"killed{number}"
        path = write_list(folder, 4, ".npz .csv")
        process = start_batch(path, "--workers", "2")
        kill(process, random_.uniform(0.05, 0.8) * whole)
        process.communicate(timeout=60)
        written = sums(folder)
        assert written.items() <= reference.items(), "half of a file"
        done = run_batch(path, "--workers", "2")
        assert done.returncode == 0, done.stderr
        assert sums(folder) == reference and leftovers(folder) == []
        kept = sum(row["status"] == "up to date" for row in table(folder).values())
        print(f"{len(written)} files when it was killed, {kept} shots kept")
        partly += 0 < len(written) < len(reference)
        shutil.rmtree(folder)
    assert partly or times < 10, "killed before or after everything each time"
