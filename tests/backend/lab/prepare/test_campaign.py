"""Campaigns: what is done is done once, what is broken is listed, whatever dies only delays."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from campaign_work import halve, threads
from makeittalk.exchange.errors import Cancelled, InputError, OutputError
from makeittalk.exchange.progress import silent
from makeittalk_lab.prepare.campaign import BOOK, LEFT_OUT, Campaign, Job, left_out
from makeittalk_lab.prepare.pool import answers


def jobs(folder: Path, *texts: str) -> dict[str, Job]:
    """A file a job."""
    found = {}
    for number, text in enumerate(texts):
        path = folder / f"{number}.txt"
        path.write_text(text)
        found[f"job{number}"] = Job(path, (path,))
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_broken_is_listed_and_the_rest_is_done_once(tmp_path: Path, workers: int) -> None:
    wanted = jobs(tmp_path, "10", "bad", "bug", "poor", "40")
    campaign = Campaign(tmp_path / "dest", {"kind": "test"}, "Testing", workers)
    told: list[tuple[float, str]] = []
    found = campaign.run(halve, wanted, lambda share, stage: told.append((share, stage)))
    assert list(found) == list(wanted)
    assert [answer.value for answer in found.values()] == [5, None, None, {"how": "very"}, 20]
    assert found["job2"].fault.startswith("ZeroDivisionError")
    assert (tmp_path / "dest" / LEFT_OUT).read_text().splitlines() == [
        "name\treason",
        "job1\t1.txt is bad.",
        f"job2\t{found['job2'].fault}",
        "job3\t3.txt is poor.",
    ]
    assert told[-1] == (1.0, "Testing 5/5") and len(told) == 5
    (tmp_path / "0.out").unlink()
    told.clear()
    again = campaign.run(halve, wanted, lambda share, stage: told.append((share, stage)))
    assert again == found and not told and not (tmp_path / "0.out").exists()
    # A file that is another one is read again.
    (tmp_path / "1.txt").write_text("100")
    assert campaign.run(halve, wanted, silent)["job1"].value == 50
    assert left_out(found, tmp_path).keys() == {"job1", "job2", "job3"}
    with pytest.raises(InputError, match=r"Nothing in .* could be used: 1\.txt is bad"):
        left_out({"job1": found["job1"]}, tmp_path)


def test_a_job_that_kills_its_process_is_left_out_like_any_other(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path / "dest", {}, "Testing", 2)
    found = campaign.run(halve, jobs(tmp_path, "die", "10", "die", "12"), silent)
    assert [answer.value for answer in found.values()] == [None, 5, None, 6]
    assert "died" in found["job0"].fault and "-9" in found["job2"].fault
    assert "job2" in (tmp_path / "dest" / LEFT_OUT).read_text()
    # It may have been the memory that others took: the next run tries it again.
    calls: list[str] = []
    alone = Campaign(tmp_path / "dest", {}, "Testing", 1)
    alone.run(lambda name, _: calls.append(name), jobs(tmp_path, "die", "10", "die", "12"), silent)
    assert calls == ["job0", "job2"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_ends_it(tmp_path: Path, workers: int) -> None:
    campaign = Campaign(tmp_path / "dest", {}, "Testing", workers)
    with pytest.raises(Exception, match="disk is full") as caught:
        campaign.run(halve, jobs(tmp_path, "full", "full", "full"), silent)
    assert caught.value.exit_status == 2 and caught.value.hint == "Free some space."  # type: ignore[attr-defined]


def test_a_cancelled_campaign_goes_on(tmp_path: Path) -> None:
    wanted = jobs(tmp_path, "10", "20", "30")
    campaign = Campaign(tmp_path / "dest", {}, "Testing", 1)

    def cancel(share: float, _stage: str) -> None:
        if share > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        campaign.run(halve, wanted, cancel)
    # A line that was being written when the power failed, and a file that was.
    with (tmp_path / "dest" / BOOK).open("a") as book:
        book.write('{"name": "job2", "sta')
    (tmp_path / "dest" / ".mit-0123.npz").write_text("half")
    (tmp_path / "0.out").unlink()
    assert [answer.value for answer in campaign.run(halve, wanted, silent).values()] == [5, 10, 15]
    assert not (tmp_path / "0.out").exists() and not list((tmp_path / "dest").glob(".mit-*"))
    lines = (tmp_path / "dest" / BOOK).read_text().splitlines()
    assert json.loads(lines[-1])["name"] == "job2" and campaign.run(halve, wanted, silent)["job2"].value == 15


def test_a_folder_is_prepared_in_one_way_and_by_one_process(tmp_path: Path) -> None:
    wanted = jobs(tmp_path, "10")
    Campaign(tmp_path / "dest", {"kind": "one"}, "Testing", 1).run(halve, wanted, silent)
    with pytest.raises(InputError, match="prepared in another way"):
        Campaign(tmp_path / "dest", {"kind": "other"}, "Testing", 1).run(halve, wanted, silent)
    campaign = Campaign(tmp_path / "dest", {"kind": "one"}, "Testing", 1)
    with campaign._open(), pytest.raises(InputError, match="being prepared by another"):
        campaign.run(halve, wanted, silent)
    with pytest.raises(OutputError):
        Campaign(tmp_path / "0.txt" / "dest", {}, "Testing", 1).run(halve, wanted, silent)


LONG = """
import sys, time
from makeittalk_lab.prepare.pool import answers
def wait(name, argument):
    open(argument, "w").close()
    time.sleep(60)
if __name__ == "__main__":
    list(answers(wait, {name: name for name in sys.argv[1:]}, 2))
"""


def test_workers_end_with_whoever_started_them(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text(LONG)
    marks = [tmp_path / "a", tmp_path / "b"]
    process = subprocess.Popen([sys.executable, tmp_path / "long.py", *map(str, marks)])
    deadline = time.monotonic() + 120
    while not all(mark.exists() for mark in marks):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    listed = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    assert len(listed) >= 2
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while left := [pid for pid in listed if subprocess.run(["kill", "-0", pid], capture_output=True).returncode == 0]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def test_workers_compute_with_one_thread(tmp_path: Path) -> None:
    counts = [answer.value for answer in answers(threads, {"a": None, "b": None}, 2)]
    assert counts == [[1, 1, "1"], [1, 1, "1"]]
