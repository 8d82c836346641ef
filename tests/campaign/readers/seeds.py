"""Inputs that readers once fell over, kept so that each is tried again: `seeds/list.tsv`, and files beside it.

A line of the list: the reader, the name of its file, what to try ("file NAME" in the folder, or "seed NUMBER" for
`Reader.change` and `byte_mutation.mutate`), and what happened. A line that begins with "open" and a blank is of a fault
that is not mended yet.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reader_worker import Fault

FOLDER = Path(__file__).resolve().parent / "seeds"
LIST = FOLDER / "list.tsv"
_LARGEST = 20_000  # bytes of a file
_OPEN = "open "


@dataclass(frozen=True)
class Seed:
    """A line of the list."""

    reader: str
    name: str
    how: str
    what: str
    open: bool = False

    def task(self) -> dict[str, Any]:
        """What a worker is told."""
        kind, _, value = self.how.partition(" ")
        task: dict[str, Any] = {"reader": self.reader, "name": self.name, "seed": 0, "count": 1}
        if kind == "seed":
            return {**task, "way": "bytes", "seed": int(value)}
        content = base64.b64encode((FOLDER / value).read_bytes()).decode()
        return {**task, "way": "file", "content": content}


def seeds() -> list[Seed]:
    """Every line, in its order."""
    found = []
    for line in LIST.read_text(encoding="utf-8").splitlines() if LIST.is_file() else []:
        cells = line.removeprefix(_OPEN).split("\t")
        found.append(Seed(*cells, open=line.startswith(_OPEN)))
    return found


def keep(faults: Iterable[Fault]) -> int:
    """Adds faults to the list, one for each reader and thing that happened; returns how many are new."""
    known = {(seed.reader, _plain(seed.what)) for seed in seeds()}
    lines = []
    for fault in faults:
        key = fault.reader, _plain(fault.what)
        content = base64.b64decode(fault.content)
        if key in known or not (fault.seed >= 0 or 0 < len(content) <= _LARGEST):
            continue
        known.add(key)
        how = f"seed {fault.seed}"
        if 0 < len(content) <= _LARGEST:
            slug = re.sub(r"\W+", "_", fault.reader)
            name = f"{slug}-{hashlib.sha256(content).hexdigest()[:8]}"
            (FOLDER / name).write_bytes(content)
            how = f"file {name}"
        lines.append(f"{_OPEN}{fault.reader}\t{fault.name}\t{how}\t{_plain(fault.what)}\n")
    with open(LIST, "a", encoding="utf-8") as stream:
        stream.writelines(lines)
    return len(lines)


def _plain(what: str) -> str:
    """What happened, without what changes from one run to the next."""
    return re.sub(r"\s+", " ", re.sub(r":\d+|\(.*", "", what)).strip()[:160]
