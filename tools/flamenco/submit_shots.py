"""Submits every .blend of a batch to a Flamenco farm, a job each; standard library only.

    python tools/flamenco/submit_shots.py SHOTS.batch/report.csv --manager http://farm:8080 --output /farm/frames

The files have to lie where the workers see them. Shots that failed are left out and said so.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

JOB_TYPE = "makeittalk-shot"  # as Flamenco calls makeittalk_shot.js
GOOD = ("made", "up to date")
_TIMEOUT = 30.0  # s


def main(arguments: Sequence[str] | None = None) -> int:
    """Submits the jobs; returns 0 where all were taken, else 2."""
    options = _parser().parse_args(arguments)
    try:
        shots = read_report(options)
    except (OSError, ValueError) as error:
        print(f"{options.report} is no report of makeittalk batch ({error}).", file=sys.stderr)
        return 2
    if not shots:
        print(f"{options.report} has no .blend: ask for one in the column output.", file=sys.stderr)
        return 2
    for job in shots:
        try:
            number = submit(options.manager, job)
        except (OSError, ValueError) as error:
            said = error.read(500).decode("utf-8", "replace") if isinstance(error, urllib.error.HTTPError) else error
            print(f"{job['name']} was not taken by {options.manager}: {said}", file=sys.stderr)
            return 2
        print(f"{job['name']}: {number}")
    return 0


def read_report(options: argparse.Namespace) -> list[dict[str, Any]]:
    """A job for every .blend in the report that the options name.

    Raises:
        OSError: it cannot be read. ValueError: it is no report.
    """
    try:
        with options.report.open(newline="", encoding="utf-8") as stream:
            return list(jobs(csv.DictReader(stream), options))
    except (AttributeError, KeyError, OverflowError, TypeError, csv.Error) as error:
        raise ValueError(str(error)) from error


def jobs(rows: Iterator[dict[str, str]], options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A job for every .blend in a report."""
    for row in rows:
        if row["status"] not in GOOD:
            print(f"Line {row['line']} is left out: {row['status']}.", file=sys.stderr)
            continue
        for output in row["output"].split("; "):
            if not output.lower().endswith(".blend"):
                continue
            yield {
                "name": Path(output).stem,
                "type": JOB_TYPE,
                "priority": options.priority,
                "submitter_platform": {"win32": "windows", "darwin": "darwin"}.get(sys.platform, "linux"),
                "metadata": {"project": "MakeItTalk", "list": str(options.report)},
                "settings": {
                    "blendfile": output,
                    "frames": f"1-{int(row['frames'])}",
                    "chunk_size": options.chunk,
                    "fps": float(row["fps"]),
                    "render_output_root": str(options.output),
                    "sound": row["audio"],
                    "engine": options.engine,
                },
            }


def submit(manager: str, job: dict[str, Any]) -> str:
    """Sends a job to a manager and returns its identity there.

    Raises:
        OSError: nobody answers, or the job is refused. ValueError: the answer is none of Flamenco's.
    """
    request = urllib.request.Request(
        f"{manager.rstrip('/')}/api/v3/jobs",
        json.dumps(job).encode(),
        {"Content-Type": "application/json", "Accept": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
        return str(json.loads(answer.read(1 << 20))["id"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("report", type=Path, help="report.csv of a batch")
    parser.add_argument("--manager", default="http://localhost:8080", help="address of the Flamenco Manager")
    parser.add_argument("--output", type=Path, required=True, help="folder for frames that every worker can write to")
    parser.add_argument("--chunk", type=int, default=25, help="frames a task (default 25)")
    parser.add_argument("--engine", default="", choices=["", "CYCLES"], help="renderer (default: the file's own)")
    parser.add_argument("--priority", type=int, default=50)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
