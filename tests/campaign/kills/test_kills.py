"""Every command and job, killed without warning: nothing is half-written, the next run is like an undisturbed one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from campaign_figures import record
from job_runs import TIDIES, killed, lacking, tortured
from job_table import JOBS, Job

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
TIMES = 12  # kills a job: 18 jobs make 216


def torture(job: Job, folder: Path, times: int) -> None:
    """Kills a job and says what it did."""
    if reason := lacking(job):
        pytest.skip(reason)
    bench, figures = tortured(job, folder, killed, times)
    litter = sorted(figures.litter)
    record(
        f"kills: {job.name}",
        {
            "kills": figures.kills,
            "while it wrote": figures.middle,
            "half-written": 0,
            "next run differs": 0,
            "left behind": ", ".join(litter) or "nothing",
            "seconds a run": round(bench.seconds, 1),
        },
    )
    if TIDIES:
        assert litter == []


@pytest.mark.parametrize("job", [job for job in JOBS if job.quick], ids=lambda job: job.name)
def test_a_killed_job_leaves_nothing_half_written(job: Job, tmp_path: Path) -> None:
    torture(job, tmp_path, 2)


@pytest.mark.campaign
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_two_hundred_kills_leave_nothing_half_written(job: Job, tmp_path: Path) -> None:
    torture(job, tmp_path, TIMES)
