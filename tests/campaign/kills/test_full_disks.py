"""Every command and job on a disk that is full: one sentence, nothing half-written, nothing lost; then it goes on."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import full_disk
import pytest
from campaign_figures import record
from job_runs import Bench, Figures, lacking, tortured
from job_table import JOBS, Job

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no limits of files and no small file systems")
TIMES = 6  # disks a job


def torture(job: Job, folder: Path, way: Callable[[Bench, int, random.Random], Figures], times: int) -> None:
    """Fills disks under a job and says what it did."""
    if reason := lacking(job):
        pytest.skip(reason)
    if way is full_disk.fill and (reason := full_disk.no_mounts()):
        pytest.skip(reason)
    _bench, figures = tortured(job, folder, way, times)
    kind = "full disk" if way is full_disk.fill else "file limit"
    values = {"one sentence": figures.full, "there was room": figures.fitted, "half-written": 0, "next run differs": 0}
    record(f"{kind}: {job.name}", values)


WAYS = pytest.mark.parametrize("way", [full_disk.fill, full_disk.limit], ids=["disk", "limit"])


@WAYS
@pytest.mark.parametrize("job", [job for job in JOBS if job.quick], ids=lambda job: job.name)
def test_a_full_disk_is_one_sentence(job: Job, way, tmp_path: Path) -> None:
    torture(job, tmp_path, way, 2)


@pytest.mark.campaign
@pytest.mark.timeout(1800)
@WAYS
@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_disks_full_at_any_moment_are_one_sentence(job: Job, way, tmp_path: Path) -> None:
    torture(job, tmp_path, way, TIMES)
