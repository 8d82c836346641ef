"""Hostile files for every reader of both sides: a short sample, all that once went wrong, and 50,000 on demand."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from all_readers import readers
from campaign_figures import record
from reader import BYTES, Reader
from reader_campaign import Outcome, describe, run
from seeds import FOLDER, keep, seeds

_SHORT = 6  # inputs of each kind for each reader
_MUTATED = 0.2  # share of a structured reader's inputs whose bytes are changed


def tasks(reader: Reader, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """What a worker is told so that a reader gets so many inputs."""
    task: dict[str, Any] = {"reader": reader.name, "seed": seed}
    by_bytes = count if reader.structure == BYTES else max(1, round(_MUTATED * count))
    yield {**task, "way": "bytes", "count": by_bytes}
    if count > by_bytes:
        yield {**task, "way": "structure", "count": count - by_bytes}


def faultless(outcome: Outcome) -> None:
    assert not outcome.faults and not outcome.outside, describe(outcome.faults) + "\n".join(outcome.outside)


def test_valid_files_kept_ones_and_a_short_sample(tmp_path: Path) -> None:
    """One run for all: what takes time is to import what each reader needs."""
    known, kept = readers(), [seed for seed in seeds() if not seed.open]
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 500_000
    work = [{"reader": name, "way": "valid", "seed": 0, "count": 1} for name in known]
    work += [seed.task() for seed in kept]
    work += [task for reader in known.values() for task in tasks(reader, _SHORT, 0)]
    outcome = run(work, tmp_path)
    faultless(outcome)
    assert len(outcome.tallies) == len(known)
    inputs = sum(tally.inputs for tally in outcome.tallies.values())
    assert inputs >= len(known) * (1 + _SHORT) + len(kept)
    record("hostile files, short", outcome.figures())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("error", "error"), ("hang", "hang"), ("memory", "memory"), ("code", "code"), ("program", "code")),
        *(("file outside", "code"), ("death", "death")),
    ],
)
def test_what_no_reader_may_do_is_seen(tmp_path: Path, name: str, kind: str) -> None:
    count = 1 if name == "hang" else 2  # which takes its time
    task = {"reader": f"planted {name}", "way": "bytes", "seed": 5, "count": count}
    # Too much memory takes longer than is allowed on a slow machine: all but the time is looked for in all the time.
    outcome = run([task], tmp_path, processes=1, **({} if name == "hang" else {"longest": 600.0}))
    assert [fault.kind for fault in outcome.faults] == [kind] * count
    assert outcome.tallies[f"planted {name}"].inputs == count


def test_a_module_that_is_imported_late_is_no_code_of_a_file(tmp_path: Path) -> None:
    """Which reader imports it depends on what its process has read before."""
    outcome = run([{"reader": "planted import", "way": "bytes", "seed": 5, "count": 2}], tmp_path, processes=1)
    faultless(outcome)
    assert outcome.tallies["planted import"].read == 2


def test_a_seed_makes_the_same_file_again(tmp_path: Path) -> None:
    task = {"reader": "planted error", "way": "bytes", "seed": 5, "count": 2}
    first = run([task], tmp_path, processes=1).faults
    assert run([{**task, "seed": first[1].seed, "count": 1}], tmp_path, processes=1).faults == first[1:]
    assert first[0].content != first[1].content


def test_a_failing_file_is_made_small(tmp_path: Path) -> None:
    outcome = run([{"reader": "planted word", "way": "structure", "seed": 1, "count": 500}], tmp_path, processes=1)
    (fault,) = outcome.faults
    content = base64.b64decode(fault.content)
    assert b"nan" in content and len(content) <= len(b"nan text of words")  # one word is another, no more


@pytest.mark.campaign
def test_fifty_thousand_files(tmp_path: Path) -> None:
    """All of them once; with MAKEITTALK_CAMPAIGN_HOURS again and again, others each time, for so many hours."""
    until = time.monotonic() + 3600 * float(os.environ.get("MAKEITTALK_CAMPAIGN_HOURS") or 0)
    whole, seed = Outcome(), 0
    while not whole.tallies or time.monotonic() < until:
        known = readers().values()
        whole.add(run((task for reader in known for task in tasks(reader, reader.count, seed)), tmp_path / str(seed)))
        seed += 1_000_000
    record("hostile files", whole.figures())
    keep(whole.faults)
    faultless(whole)
    assert sum(tally.inputs for tally in whole.tallies.values()) >= 50_000
    assert not [seed for seed in seeds() if seed.open]
