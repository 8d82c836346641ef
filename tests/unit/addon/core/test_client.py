"""The backend client against a backend that misbehaves."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest
from extension import part_outside
from project import SUPPORT

FAKE = SUPPORT / "fake_backend.py"
client_module = part_outside("addon.core.client")
protocol = part_outside("backend.makeittalk.exchange.protocol")


@pytest.fixture
def start(tmp_path):
    clients = []

    def run(manner: str):
        client = client_module.BackendClient([sys.executable, "-I", str(FAKE), manner], tmp_path / "log" / "b.log")
        clients.append(client)
        return client

    yield run
    for client in clients:
        client.close()
        assert client.process.returncode is not None  # nothing is left behind, not even a zombie


def test_result_and_progress(start):
    client = start("works")
    job = client.wait(client.submit(protocol.Animate(portrait="Zoë ü.png")))
    assert job.result()["portrait"] == "Zoë ü.png"
    assert (job.fraction, job.stage, job.seconds_left) == (0.25, "Listening", 3.0)
    assert client.hello.devices == ["cpu"]
    assert client.alive and not client.busy


def test_parts_are_taken_once_and_in_their_order(start):
    client = start("shows parts")
    job = client.submit(protocol.Preview(portrait="p.png"))
    taken = []
    while not job.finished:
        client.poll()
        taken += job.take_parts()
        time.sleep(0.002)
    assert [(part.until, part.final) for part in taken] == [(0.0, False), (4.0, False), (20.0, True)]
    assert taken[0].portrait == "p.png" and job.take_parts() == []
    assert job.result()["portrait"] == "p.png"


def test_a_part_that_cannot_be_read_is_an_error_of_its_job(start):
    client = start("unreadable part")
    job = client.wait(client.submit(protocol.Preview()))
    assert "cannot be read" in job.error.message and job.take_parts() == []
    assert client.alive


def test_environment_is_clean(start, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("PYTHONHOME", sys.base_prefix)
    client = start("works")
    variables = client.wait(client.submit(protocol.Animate())).result()["environment"]
    assert not {"PYTHONPATH", "PYTHONHOME"} & set(variables)
    assert "PATH" in variables


def test_error_is_the_backends_sentence(start):
    client = start("refuses")
    job = client.wait(client.submit(protocol.Animate()))
    assert (job.error.message, job.error.hint) == ("x.png holds no face.", "Choose another picture.")
    assert client.alive


def test_garbage_between_messages_does_no_harm(start):
    client = start("chatty")
    assert client.wait(client.submit(protocol.Animate(portrait="p"))).result()["portrait"] == "p"


def test_no_line_ends_the_reading(start):
    client = start("hostile")
    for name in ("p", "q"):
        job = client.wait(client.submit(protocol.Animate(portrait=name)))
        assert job.error is None and job.result()["portrait"] == name and job.fraction == 0.25
    assert client.alive and client._reader.is_alive()


def test_an_answer_that_cannot_be_read_is_an_error_of_its_job(start):
    client = start("unreadable")
    job = client.wait(client.submit(protocol.Animate()))
    assert "cannot be read" in job.error.message and client.alive


def test_the_end_of_the_output_is_always_noticed(start):
    client = start("hostile")
    client.wait(client.submit(protocol.Animate()))
    client.process.kill()
    client._reader.join(20)
    assert not client._reader.is_alive()
    assert client.wait(client.submit(protocol.Animate())).error is not None


def test_crash_is_a_sentence_with_the_end_of_the_log(start):
    client = start("crashes")
    job = client.wait(client.submit(protocol.Animate()))
    assert "stopped unexpectedly" in job.error.message and "out of memory" in job.error.message
    assert "\n" not in str(job.error)
    assert not client.alive


def test_death_before_the_greeting(start):
    client = start("dies at once")
    job = client.wait(client.submit(protocol.Animate()))
    assert "No module named 'torch'" in job.error.message


def test_killed_from_outside(start):
    client = start("patient")
    job = client.submit(protocol.Animate())
    wait_for(client, lambda: job.fraction > 0)
    os.kill(client.process.pid, signal.SIGKILL)
    client.wait(job)
    assert "stopped unexpectedly" in job.error.message


@pytest.mark.parametrize("last", range(5))
def test_it_dies_at_any_moment_and_each_job_ends_once(start, last, monkeypatch):
    """Between any two replies or in the middle of one; what it had said whole is heeded."""
    ended, finish = [], client_module.BackendClient._finish
    monkeypatch.setattr(
        client_module.BackendClient, "_finish", lambda self, job: (ended.append(job.number), finish(self, job))
    )
    client = start(f"dies after {last}")
    jobs = [client.submit(protocol.Animate(portrait=str(number))) for number in range(3)]
    for job in jobs:
        client.wait(job)
    assert jobs[0].error is None if last == 4 else "stopped unexpectedly" in jobs[0].error.message
    if last < 4:
        assert all("stopped unexpectedly" in job.error.message for job in jobs[1:])
        assert not client.alive
    client.close()
    client.poll()
    assert sorted(ended) == [1, 2, 3, 4] and not client._jobs


def test_a_job_that_is_done_twice_ended_once(start):
    client = start("done twice")
    for name in ("p", "q"):
        job = client.wait(client.submit(protocol.Animate(portrait=name)))
        for _ in range(20):
            client.poll()
            time.sleep(0.005)
        assert job.result() == {"portrait": name} and job.fraction == 0.25


def test_a_job_that_ends_without_a_word_has_failed(start):
    client = start("says nothing")
    job = client.wait(client.submit(protocol.Animate()))
    assert "cannot be read" in job.error.message and client.alive


def test_a_flood_neither_stops_blender_nor_fills_the_memory(start, monkeypatch):
    """300 MB of progress: each look is short, and the backend waits while nobody looks."""
    monkeypatch.setattr(client_module, "_MOST_WAITING", 1 << 20)
    client = start("floods")
    job = client.submit(protocol.Animate(portrait="p"))
    wait_for(client, lambda: job.fraction > 0)
    time.sleep(0.3)
    assert client._waiting < (1 << 20) + 200_000
    longest, until = 0.0, time.monotonic() + 60
    while not job.finished:
        assert time.monotonic() < until
        begun = time.thread_time()
        client.poll()
        longest = max(longest, time.thread_time() - begun)
        time.sleep(0.001)
    assert job.result()["portrait"] == "p" and longest < 0.2


def test_a_dead_backend_whose_pipe_another_process_holds(start):
    client = start("held")
    job = client.wait(client.submit(protocol.Animate()))
    assert job.result() == {"portrait": "p"}
    begun = time.monotonic()
    assert client.wait(client.submit(protocol.Animate())).error is not None
    client.poll()
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize(
    "request_", [protocol.Animate(portrait="x" * protocol.MAX_LINE), protocol.Animate(fps=float("nan"))]
)
def test_what_no_backend_would_take_fails_at_once(start, request_):
    client = start("works")
    job = client.submit(request_)
    assert job.finished and "for a message" in job.error.message
    assert client.wait(client.submit(protocol.Animate(portrait="p"))).result()["portrait"] == "p"


def test_the_backend_is_told_whom_to_end_with(start):
    owner = part_outside("backend.makeittalk.exchange.owner")
    variables = start("works")
    variables = variables.wait(variables.submit(protocol.Animate())).result()["environment"]
    assert variables["MAKEITTALK_PARENT"] == owner.mine()


class TestLog:
    def test_a_link_is_not_followed(self, start, tmp_path):
        precious = tmp_path / "precious"
        precious.write_text("keep")
        (tmp_path / "log").mkdir()
        (tmp_path / "log" / "b.log").symlink_to(precious)
        client = start("crashes")
        client.wait(client.submit(protocol.Animate()))
        assert precious.read_text() == "keep" and "out of memory" in client.log_tail()
        assert not client.log.is_symlink() and client.log.stat().st_mode & 0o777 == 0o600

    def test_what_cannot_be_moved_away_is_not_written_over(self, start, tmp_path):
        log = tmp_path / "log" / "b.log"
        log.mkdir(parents=True)
        (tmp_path / "log" / "b.old.log" / "full").mkdir(parents=True)
        client = start("crashes")
        client.wait(client.submit(protocol.Animate()))
        assert log.is_dir() and client.log != log and "out of memory" in client.log_tail()

    def test_the_last_run_s_is_kept(self, start, tmp_path):
        for _ in range(3):
            client = start("crashes")
            client.wait(client.submit(protocol.Animate()))
        assert sorted(path.name for path in client.log.parent.iterdir()) == ["b.log", "b.old.log"]
        assert "out of memory" in (client.log.parent / "b.old.log").read_text()


def test_request_to_a_dead_backend(start):
    client = start("patient")
    client.process.kill()
    client.process.wait()
    assert client.wait(client.submit(protocol.Animate())).error is not None


def test_cancel_is_heard(start):
    client = start("patient")
    job = client.submit(protocol.Animate())
    wait_for(client, lambda: job.fraction > 0)
    client.cancel(job)
    client.wait(job)
    assert job.cancelled and job.error is None
    assert client.alive  # it goes on with the next job


@pytest.mark.parametrize("manner", ["slow", "deaf"])
def test_unheard_cancel_ends_the_process(start, manner, monkeypatch):
    monkeypatch.setattr(client_module, "CANCEL_GRACE", 0.2)
    monkeypatch.setattr(client_module, "KILL_GRACE", 0.2)
    client = start(manner)
    job = client.submit(protocol.Animate())
    wait_for(client, lambda: job.fraction > 0)
    client.cancel(job)
    client.wait(job)
    assert job.cancelled and job.error is None
    assert client.process.poll() is not None


def test_other_version_is_said(start):
    client = start("other version")
    job = client.wait(client.submit(protocol.Animate()))
    assert "another version" in job.error.message


def test_missing_python_is_a_sentence(tmp_path):
    error = part_outside("addon.core.errors").AddonError
    with pytest.raises(error, match="could not be started"):
        client_module.BackendClient([str(tmp_path / "no-python")], tmp_path / "b.log")


def test_a_cancelled_and_finished_job_stays_finished(start):
    client = start("works")
    job = client.wait(client.submit(protocol.Animate(portrait="p")))
    client.cancel(job)
    assert job.result()["portrait"] == "p" and not job.cancelled


def wait_for(client, condition) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        client.poll()
        time.sleep(0.01)
