"""What campaigns found, as figures: each adds its line to a file, and `make test-campaign` prints them together."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

#: Names the file that takes the lines; without it they are printed only.
FILE = "MAKEITTALK_CAMPAIGN_FIGURES"


def record(name: str, figures: dict[str, object]) -> None:
    """Adds one line of figures to the file that MAKEITTALK_CAMPAIGN_FIGURES names, and prints it."""
    line = json.dumps({"campaign": name, **figures}, ensure_ascii=False)
    print(line, flush=True)
    if file := os.environ.get(FILE):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        with open(file, "a", encoding="utf-8") as stream:
            stream.write(line + "\n")


def table(file: Path) -> str:
    """The lines of a file of figures as text: a campaign, and under it what was counted."""
    rows: list[str] = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else []:
        figures = json.loads(line)
        rows.append(str(figures.pop("campaign")))
        rows += [f"    {name:<32} {value}" for name, value in figures.items()]
    return "\n".join(rows) or "No campaign left figures."


if __name__ == "__main__":
    print(table(Path(sys.argv[1])))
