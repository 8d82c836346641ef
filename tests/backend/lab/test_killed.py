"""`makeittalk prepare` and `makeittalk train`, killed without warning again and again: what is there at the end is what
an undisturbed run leaves, byte for byte, and what was done once is not done again."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from killing import kill
from made_clips import write_clips, write_config
from made_corpora import TalkingPhoto, write_obama, write_vctk, write_voxceleb2
from makeittalk_lab.prepare.campaign import BOOK
from makeittalk_lab.training.log import Log
from safetensors.torch import load_file

PROGRAM = [sys.executable, "-m", "makeittalk"]
ENVIRONMENT = dict(os.environ, MAKEITTALK_DEBUG="1")


def killed(command: list[str], begun: Callable[[], bool], wait: float, early: bool) -> bool:
    """Runs a command and kills it so many seconds after it began, or was started; whether it was still running then."""
    process = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return kill(process, wait, None if early else begun)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file; of the book the lines in order, without dates."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if path.name == BOOK:
            rows = [json.loads(line) for line in data.splitlines() if line.endswith(b"}")]
            known = {row.get("name", ""): {k: v for k, v in row.items() if k != "stamp"} for row in rows}
            data = json.dumps([known[name] for name in sorted(known)]).encode()
        found[str(path.relative_to(folder))] = data
    return found


def lines(book: Path) -> int:
    return book.read_bytes().count(b"\n") if book.is_file() else 0


@pytest.mark.parametrize(
    ("corpus", "times"),
    [
        ("obama", 2),
        *(pytest.param(corpus, 20, marks=pytest.mark.slow) for corpus in ("vctk", "obama", "voxceleb2")),
    ],
)
@pytest.mark.timeout(3600)
def test_a_killed_preparation_goes_on_to_the_same_clips(tmp_path: Path, corpus: str, times: int) -> None:
    source, many = tmp_path / "source", times > 2
    source.mkdir()
    if corpus == "vctk":
        write_vctk(source, speakers=6, recordings=20 if many else 2)
    elif corpus == "obama":
        write_obama(source, TalkingPhoto(tmp_path), films=16 if many else 3, seconds=2.3)
    else:
        write_voxceleb2(source, TalkingPhoto(tmp_path), speakers=8, clips=4, seconds=1.4)

    def command(dest: str) -> list[str]:
        return [*PROGRAM, "prepare", corpus, str(source), str(tmp_path / dest), "--workers", "2"]

    began = time.monotonic()
    subprocess.run(command("whole"), env=ENVIRONMENT, check=True, stderr=subprocess.DEVNULL)
    whole = time.monotonic() - began
    book = tmp_path / "broken" / BOOK
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    hit = 0
    known: dict[Path, int] = {}
    for turn in range(times):
        before = lines(book)
        # Every other time in the middle of the work: the rest may fall anywhere, the imports included. The first time
        # as soon as something is done, so that at least one kill falls in the middle however fast a later run is.
        early = turn % 2 == 1
        wait = chance.uniform(0.0, 0.9 * whole if early else 1.5 * whole / max(lines(tmp_path / "whole" / BOOK), 1))
        wait *= turn > 0
        hit += killed(command("broken"), lambda before=before: lines(book) > before, wait, early)  # type: ignore[misc]
        if book.is_file():
            # What stands in the book has its files, and they stay as they are.
            rows = [json.loads(row) for row in book.read_bytes().splitlines() if row.endswith(b"}")][1:]
            names = {name for row in rows if "fault" not in row for name in row["value"] or [] if corpus == "obama"}
            files = {tmp_path / "broken" / f"{name}.npz" for name in names}
            assert all(path.is_file() for path in files), seed
            known |= {path: path.stat().st_mtime_ns for path in files if path not in known}
    assert hit, seed
    subprocess.run(command("broken"), env=ENVIRONMENT, check=True, stderr=subprocess.DEVNULL)
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole"), seed
    assert {path: path.stat().st_mtime_ns for path in known} == known, seed


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.timeout(3600)
def test_a_killed_training_goes_on_to_the_same_weights(tmp_path: Path, times: int) -> None:
    (tmp_path / "data").mkdir()
    data = write_clips(tmp_path / "data")
    steps = 60 * times

    def command(name: str) -> list[str]:
        (tmp_path / name).mkdir(exist_ok=True)
        config = write_config(tmp_path / name, data, steps, more="")
        return [*PROGRAM, "train", "content", str(config), "--device", "cpu"]

    began = time.monotonic()
    subprocess.run(command("whole"), env=ENVIRONMENT, check=True)
    whole = time.monotonic() - began
    work = Log(tmp_path / "whole" / "out").read()[-1]["seconds"]
    out = tmp_path / "broken" / "out"
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    hit = 0
    for turn in range(times):
        last = [entry["step"] for entry in Log(out).read()][-1:]
        first = last[0] - last[0] % 10 if last else 0  # of the last checkpoint

        def begun(first: int = first) -> bool:
            return any(entry["step"] == first + 11 for entry in Log(out).read())

        early = turn % 2 == 1
        wait = chance.uniform(0.0, 0.8 * whole if early else work / times) * (turn > 0)
        hit += killed(command("broken"), begun, wait, early)
        assert not list(out.glob("content.safetensors")) or not hit or Log(out).read()[-1]["step"] == steps, seed
    assert hit, seed
    subprocess.run(command("broken"), env=ENVIRONMENT, check=True)
    first, second = (load_file(tmp_path / name / "out" / "content.safetensors") for name in ("whole", "broken"))
    assert all(torch.equal(first[name], second[name]) for name in first), seed
    logs = [Log(tmp_path / name / "out").read() for name in ("whole", "broken")]
    assert [{k: v for k, v in entry.items() if k != "seconds"} for entry in logs[0]] == [
        {k: v for k, v in entry.items() if k != "seconds"} for entry in logs[1]
    ]
    assert [path.name for path in out.glob(".mit-*")] == []
