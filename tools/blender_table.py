"""Writes the README's table of Blender versions from results of the tests: `python tools/blender_table.py FOLDER`.

FOLDER holds the files that `MAKEITTALK_RESULTS=FOLDER make test-blender test-gui` leaves, one a Blender. The table is
as wide as the run: a Blender that was not run is not in it. Failed tests are refused, with the file that has them.
Standard library only.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN = "<!-- Made by tools/blender_table.py from a run of the tests. -->"
END = "<!-- End of the table. -->"
KINDS = {"wheel": "`bpy` wheel", "window": "window"}


class ResultsError(Exception):
    """The results make no table; the text says why."""


@dataclass
class Run:
    """The tests of one Blender.

    Attributes:
        blender: its version, such as "5.2.3 LTS". python: that of its Python. kind: "wheel" or "window".
        system: what it ran on. passed: how many tests passed. skips: reason → how many tests it skipped.
    """

    blender: str
    python: str
    kind: str
    system: str
    passed: int
    skips: dict[str, int] = field(default_factory=dict)

    @property
    def order(self) -> tuple[list[int], str]:
        """What the rows are sorted by: the version's numbers, then the kind."""
        return [int(number) for number in re.findall(r"\d+", self.blender)], self.kind


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("Usage: python tools/blender_table.py FOLDER", file=sys.stderr)
        return 2
    try:
        runs = [read(path) for path in sorted(Path(arguments[0]).glob("*.xml"))]
        if not runs:
            raise ResultsError(f"{arguments[0]} holds no results: run the tests with MAKEITTALK_RESULTS set to it.")
        text = put(README.read_text(encoding="utf-8"), table(runs))
    except ResultsError as error:
        print(error, file=sys.stderr)
        return 1
    README.write_text(text, encoding="utf-8")
    print(f"{README.name} has {len(runs)} Blenders.")
    return 0


def read(path: Path) -> Run:
    """The results of one Blender.

    Raises:
        ResultsError: the file is none of pytest's, does not name a Blender, or has failed tests.
    """
    try:
        suites = ElementTree.parse(path).getroot().findall("testsuite")
    except ElementTree.ParseError as error:
        raise ResultsError(f"{path.name} is no file of pytest's: {error}.") from error
    about = {
        item.get("name", ""): item.get("value", "") for suite in suites for item in suite.findall("properties/property")
    }
    if not {"blender", "python", "kind", "system"} <= set(about):
        raise ResultsError(f"{path.name} does not say which Blender it is of: was one run?")
    cases = [case for suite in suites for case in suite.findall("testcase")]
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    if failed:
        raise ResultsError(f"{path.name} has {len(failed)} failed tests, the first {failed[0].get('name')}.")
    skips: dict[str, int] = {}
    for case in cases:
        skip = case.find("skipped")
        if skip is not None:
            reason = skip.get("message", "").strip()
            skips[reason] = skips.get(reason, 0) + 1
    return Run(
        **{name: about[name] for name in ("blender", "python", "kind", "system")},
        passed=len(cases) - sum(skips.values()),
        skips=skips,
    )


def table(runs: list[Run]) -> str:
    """The runs as a table in Markdown, with a line for every reason to skip."""
    lines = ["| Blender | its Python | as | system | passed | skipped |", "|---|---|---|---|---|---|"]
    reasons: list[str] = []
    for run in sorted(runs, key=lambda run: run.order):
        marks = []
        for reason, count in sorted(run.skips.items()):
            if reason not in reasons:
                reasons.append(reason)
            marks.append(f"{count} ({reasons.index(reason) + 1})")
        cells = [run.blender, run.python, KINDS.get(run.kind, run.kind), run.system, str(run.passed)]
        lines.append(f"| {' | '.join(cells)} | {', '.join(marks) or '0'} |")
    notes = [f"({number}) {reason}" for number, reason in enumerate(reasons, 1)]
    return "\n".join([*lines, *(["", "Skipped: " + "; ".join(notes) + "."] if notes else [])])


def put(readme: str, rows: str) -> str:
    """The README with `rows` between its two marks.

    Raises:
        ResultsError: the marks are gone.
    """
    before, begin, rest = readme.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ResultsError(f"README.md lacks the line {END if begin else BEGIN}")
    return f"{before}{BEGIN}\n\n{rows}\n\n{END}{after}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
