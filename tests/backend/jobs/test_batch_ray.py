"""A batch on a real Ray cluster of two nodes, of which one is killed: `make test-slow`, where Ray is installed."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray_nodes import Cluster, ray_python
from shot_lists import leftovers, run_batch, start_batch, sums, write_list

SHOTS = 24
PYTHON = ray_python() if os.name == "posix" else None

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(PYTHON is None, reason="Ray is not installed here, nor in what MAKEITTALK_RAY_PYTHON names"),
]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:  # sockets want short names
        made = Cluster(str(PYTHON), Path(folder))
        try:
            made.add_node()
            yield made
        finally:
            made.stop()


def records(folder: Path) -> list[float]:
    """When each shot was finished, s."""
    return sorted(path.stat().st_mtime for path in (folder / "shots.batch" / "shots").glob("*.json"))


def run(folder: Path, cluster: Cluster, workers: int) -> float:
    """Makes all shots on a cluster; shots a second, once the workers are warm."""
    done = run_batch(
        write_list(folder, SHOTS, bad=True), "--ray", cluster.address, "--workers", workers, python=str(PYTHON)
    )
    assert done.returncode == 2 and f"{SHOTS} made, 1 not usable" in done.stdout, done.stderr
    times = records(folder)[2 * workers :]
    return (len(times) - 1) / (times[-1] - times[0])


def test_a_node_is_lost_and_every_shot_is_right(cluster: Cluster, tmp_path: Path) -> None:
    local, far = tmp_path / "local", tmp_path / "far"
    assert run_batch(write_list(local, SHOTS, bad=True), "--workers", "2").returncode == 2
    second = cluster.add_node()
    path = write_list(far, SHOTS, bad=True)
    process = start_batch(path, "--ray", cluster.address, "--workers", 2, python=str(PYTHON))
    until = time.monotonic() + 300
    while len(records(far)) < SHOTS // 3:
        assert process.poll() is None and time.monotonic() < until, process.communicate()
        time.sleep(0.1)
    cluster.kill_node(second)
    before = len(records(far))
    told, complaints = process.communicate(timeout=600)
    assert process.returncode == 2, complaints
    assert before < SHOTS - 4 and f"{SHOTS} made, 1 not usable" in told, (told, complaints)
    assert "line 3" in complaints and "gone.wav does not exist" in complaints
    assert sums(far) == sums(local)  # to the byte
    assert leftovers(far) == []


def test_two_workers_make_more_than_one(cluster: Cluster, tmp_path: Path) -> None:
    cluster.add_node()
    time.sleep(20.0)  # until the load of the start is over
    busy = os.getloadavg()[0]
    one, two = run(tmp_path / "one", cluster, 1), run(tmp_path / "two", cluster, 2)
    cores = len(os.sched_getaffinity(0))
    print(f"{one:.2f} shots/s by one worker, {two:.2f} by two: {two / one:.2f} times; {cores} cores, load {busy:.1f}")
    if two / one < 1.6 and (cores < 2 or busy > 0.5):
        pytest.skip(f"{two / one:.2f} times by two workers: the limit are the {cores} cores, which are busy already")
    assert two / one >= 1.6
