"""Readers of batches, of frames, and of tables of motion that become a motion."""

from __future__ import annotations

import hashlib
import json
import sys
from argparse import Namespace
from pathlib import Path

import exchange_readers
from makeittalk.animation.table_motion import motion_of_table
from makeittalk.exchange.formats import Face
from makeittalk.exchange.formats.motion_table import read_live_link
from makeittalk.exchange.formats.shots import Shot
from makeittalk.jobs.batch_record import FileSums, Records
from makeittalk.jobs.batch_report import Row, write_table
from makeittalk.jobs.batch_work import Made, StagedFile
from makeittalk.rendering.frame_store import FrameStore
from project import ROOT
from reader import Reader

TYPED = exchange_readers.TYPED


def _made(folder: Path) -> Made:
    output = folder / "a.npz"
    output.write_bytes(b"made")
    staged = StagedFile(output, 4, hashlib.sha256(b"made").hexdigest())
    return Made([staged], 1.5, 2.0, 25.0, 50, 300, ["It was quiet."], b"\xff\xd8")


def _shot(folder: Path) -> Shot:
    return Shot(2, folder / "a.png", folder / "a.wav", (folder / "a.npz",))


def _record(folder: Path) -> dict[str, bytes]:
    from makeittalk.jobs.batch_work import Task

    Records(folder, FileSums()).keep(Task("key", _shot(folder)), _made(folder))
    return {"key.json": (folder / "key.json").read_bytes()}


def _find(path: Path) -> object:
    return Records(path.parent, FileSums()).find("key", _shot(path.parent)) is not None


def _report(folder: Path) -> dict[str, bytes]:
    write_table(folder / "report.csv", [Row(2, "made", "a.png", "a.wav", "a.blend; a.mp4", _made(folder), "")])
    return {"report.csv": (folder / "report.csv").read_bytes()}


def _jobs(path: Path) -> object:
    """A report as the tool reads it that submits shots to a farm."""
    sys.path.insert(0, str(ROOT / "tools" / "flamenco"))
    import submit_shots

    options = Namespace(report=path, priority=50, chunk=10, output=Path("/farm"), engine="EEVEE")
    return submit_shots.read_report(options)


def _frames(folder: Path) -> dict[str, bytes]:
    (folder / "photoreal_00001.png").write_bytes(b"\x89PNG....IEND\xaeB`\x82")
    shown = [{"frame": number, "character": "c", "vertices": "v"} for number in (1, 2)]
    lines = [{"format": 1}, *shown, {"frame": 1}]
    return {"frames.jsonl": "".join(json.dumps(line) + "\n" for line in lines).encode()}


def _store(path: Path) -> None:
    from makeittalk.rendering.frame_store import Shown

    with FrameStore(path.parent) as store:
        assert not store.has(9, Shown("c", "v"))


def _face_and_table(folder: Path) -> dict[str, bytes]:
    (folder / "face.json").write_bytes(exchange_readers._job("face.json")(folder)["face.json"])
    return exchange_readers._live_link(folder)


def _motion(path: Path) -> object:
    return motion_of_table(read_live_link(path), Face.load(path.parent / "face.json"))


READERS = (
    Reader("batch record", _record, _find, (), "json", 2500),
    Reader("batch report", _report, _jobs, (ValueError,), "table", 1500),
    Reader("frames.jsonl", _frames, _store, TYPED, "lines", 2000),
    Reader("motion of a table", _face_and_table, _motion, TYPED, "table", 600),
)
