"""What became of every line of a list: as a table, and as one page to look at that needs no other file."""

from __future__ import annotations

import base64
import csv
import html
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..exchange import storage
from ..exchange.formats.shots import Problem
from .batch_work import Made, Task

MADE, KEPT, FAILED, REFUSED, OPEN = "made", "up to date", "failed", "not usable", "not made"
_HEADER = (
    "line",
    "status",
    "portrait",
    "audio",
    "output",
    "speech_s",
    "fps",
    "frames",
    "seconds",
    "memory_mb",
    "message",
)
_BAD = (FAILED, REFUSED)


@dataclass(frozen=True)
class Row:
    """What became of one line.

    Attributes:
        line: of the list. status: one of the words above. portrait, audio, output: as the list has them.
        made: what was made, now or before. message: why not, else what is to be told of it.
    """

    line: int
    status: str
    portrait: str
    audio: str
    output: str
    made: Made | None = None
    message: str = ""

    @property
    def failed(self) -> bool:
        """Whether somebody has to look at it."""
        return self.status in _BAD


def row_of(task: Task, status: str, made: Made | None = None, message: str = "") -> Row:
    """The row of a shot."""
    shot = task.shot
    outputs = "; ".join(str(output) for output in shot.outputs)
    told = message or ("; ".join(made.notices) if made else "")
    return Row(shot.line, status, str(shot.portrait), str(shot.audio), outputs, made, told)


def row_of_problem(problem: Problem) -> Row:
    """The row of a line that cannot be used."""
    return Row(problem.line, REFUSED, problem.portrait, problem.audio, problem.output, None, problem.sentence)


def summary(rows: Sequence[Row]) -> str:
    """How many became what, in words."""
    counts = {status: sum(row.status == status for row in rows) for status in (MADE, KEPT, FAILED, REFUSED, OPEN)}
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count) or "nothing to do"


def write_table(path: Path, rows: Iterable[Row]) -> None:
    """The report as CSV.

    Raises:
        OutputError: it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_HEADER)
    for row in rows:
        made = row.made
        numbers = (
            ("",) * 5
            if made is None
            else (
                f"{made.speech:.2f}",
                f"{made.fps:.6g}",
                made.frames,
                f"{made.seconds:.2f}",
                round(made.memory / 1e6) or "",
            )
        )
        names = map(_plain, (row.portrait, row.audio, row.output))
        writer.writerow((row.line, row.status, *names, *numbers, _plain(row.message)))
    storage.write_text(path, text.getvalue())


def _plain(cell: str) -> str:
    """A text that no spreadsheet takes for a formula, whoever wrote it."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def write_page(path: Path, title: str, rows: Sequence[Row], took: str = "") -> None:
    """The report as one HTML page, thumbnails within; whatever the list says is shown as text.

    Args:
        title: what the list is called. took: how long and by what, a sentence.

    Raises:
        OutputError: it cannot be written.
    """
    bad = sorted((row for row in rows if row.failed), key=lambda row: row.line)
    body = "\n".join(_row(row) for row in rows)
    name, told = html.escape(title), html.escape(f"{summary(rows)}. {took}".strip())
    trouble = "".join(f"<li><a href='#line{row.line}'>Line {row.line}</a>: {_text(row.message)}</li>" for row in bad)
    page = _PAGE.format(
        title=name,
        told=told,
        trouble=f"<ul class='trouble'>{trouble}</ul>" if trouble else "",
        rows=body,
    )
    storage.write_text(path, page)


def _row(row: Row) -> str:
    made = row.made
    picture = ""
    if made is not None and made.thumbnail:
        picture = f"<img alt='' src='data:image/jpeg;base64,{base64.b64encode(made.thumbnail).decode()}'>"
    numbers = ["", "", "", ""]
    if made is not None:
        memory = f"{made.memory / 1e6:.0f} MB" if made.memory else ""
        numbers = [f"{made.speech:.1f} s", str(made.frames), f"{made.seconds:.1f} s", memory]
    kind = {MADE: "made", KEPT: "kept", OPEN: "open"}.get(row.status, "bad")
    files = "<br>".join(_name(name) for name in row.output.split("; ") if name)
    cells = "".join(f"<td class='number'>{html.escape(number)}</td>" for number in numbers)
    return (
        f"<tr class='{kind}' id='line{row.line}'><td class='number'>{row.line}</td><td class='picture'>{picture}</td>"
        f"<td><b>{_name(row.portrait)}</b><br>{_name(row.audio)}</td><td>{files}</td>"
        f"<td class='status'>{html.escape(row.status)}</td>{cells}<td class='message'>{_text(row.message)}</td></tr>"
    )


def _name(path: str) -> str:
    """A file's name, the whole path where a pointer rests on it."""
    return f"<span title='{_text(path)}'>{_text(Path(path).name)}</span>"


def _text(text: str) -> str:
    return html.escape(text[:2000], quote=True)


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<style>
:root {{ color-scheme: light dark; --line: #8884; --bad: #c0392b; --good: #2e8b57; }}
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }}
h1 {{ font-size: 1.4rem; margin: 0 0 .2rem; overflow-wrap: anywhere; }}
p {{ margin: 0 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th {{ text-align: left; font-weight: 600; border-bottom: 2px solid var(--line); }}
th, td {{ padding: .35rem .6rem; vertical-align: middle; }}
td {{ border-bottom: 1px solid var(--line); overflow-wrap: break-word; max-width: 20rem; }}
th.number, .number {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
.picture {{ width: 104px; text-align: center; }}
.picture img {{ max-width: 104px; max-height: 76px; border-radius: 4px; display: block; margin: auto; }}
.status {{ white-space: nowrap; }}
.made .status, .kept .status {{ color: var(--good); }}
.bad .status, .bad .message {{ color: var(--bad); }}
.bad .status {{ font-weight: 600; }}
.message {{ min-width: 14rem; font-size: .9em; overflow-wrap: anywhere; }}
.trouble {{ border-left: 4px solid var(--bad); margin: 0 0 1.2rem; padding: .3rem 0 .3rem 1.6rem; }}
tr:target {{ outline: 2px solid var(--bad); }}
</style></head><body>
<h1>{title}</h1><p>{told}</p>{trouble}
<table><thead><tr><th class="number">Line</th><th></th><th>Portrait, voice</th><th>Files</th><th></th>
<th class="number">Speech</th><th class="number">Frames</th><th class="number">Took</th>
<th class="number">Memory</th><th></th></tr></thead><tbody>
{rows}
</tbody></table></body></html>
"""
