"""What a training run wrote down: one JSON object a step, read back for resuming and for drawing."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from makeittalk.exchange import storage
from makeittalk.exchange.errors import InputError

NAME = "log.jsonl"
_MAX_BYTES = 128 * 2**20  # half a million steps
_SHOWN = 200  # points of a smoothed line


class Log:
    """The log in a run's folder.

    Every line holds `step`, `rate` (the learning rate), `seconds` since the run began, the parts of the loss (with
    several phases as `phase/part`), and where there was one, the object `validation`.
    """

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder) / NAME

    def read(self) -> list[dict[str, Any]]:
        """The entries in order of their steps; a line that a kill cut off is left out.

        Raises:
            InputError: it is no log, or larger than any.
        """
        if not self.path.is_file() or not self.path.stat().st_size:
            return []
        return list(storage.json_lines(self.path, _entry, _MAX_BYTES))

    def cut(self, step: int) -> float:
        """Drops what lies behind `step`, where a run goes on, and returns the seconds that were spent until there."""
        entries = [entry for entry in self.read() if entry["step"] <= step]
        with storage.replacing(self.path) as temporary:
            temporary.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
        seconds = float(entries[-1].get("seconds", 0.0)) if entries else 0.0
        return seconds if math.isfinite(seconds) else 0.0

    def add(self, entry: dict[str, Any]) -> None:
        """Appends an entry.

        Raises:
            OutputError: it cannot be written; the log is as it was.
        """
        storage.append_text(self.path, json.dumps(entry) + "\n")

    def plot(self, target: str | Path) -> None:
        """Draws losses and validation over the steps as a PNG.

        Raises:
            InputError: nothing was logged yet. OutputError: the picture cannot be written.
        """
        entries = self.read()
        if not entries:
            raise InputError(f"{self.path} holds nothing to draw yet.", "Train first.")
        from matplotlib.figure import Figure

        checks = [entry for entry in entries if isinstance(entry.get("validation"), dict)]
        names = list(dict.fromkeys(name for entry in checks for name in entry["validation"]))
        columns = 3
        rows = 2 + -(-len(names) // columns)
        figure = Figure((12, 2.4 * rows + 1), layout="constrained")
        grid = figure.add_gridspec(rows, columns)
        self._losses(figure.add_subplot(grid[:2, :]), entries)
        for index, name in enumerate(names):
            axes = figure.add_subplot(grid[2 + index // columns, index % columns])
            shown = [(entry["step"], entry["validation"][name]) for entry in checks if name in entry["validation"]]
            axes.plot(*zip(*shown, strict=True), marker=".")
            axes.set_title(f"validation: {name}", fontsize=9)
            axes.grid(alpha=0.3)
        with storage.replacing(target) as temporary:
            figure.savefig(temporary, format="png", dpi=100)

    @staticmethod
    def _losses(axes: Any, entries: list[dict[str, Any]]) -> None:
        """Every part of the loss, averaged over stretches so that a trend shows."""
        other = ("step", "rate", "seconds")
        names = [name for name, value in entries[-1].items() if name not in other and isinstance(value, int | float)]
        lowest = np.inf
        for name in names:
            points = np.array([(e["step"], e[name]) for e in entries if isinstance(e.get(name), int | float)], float)
            mean = np.array([part.mean(0) for part in np.array_split(points, min(len(points), _SHOWN))])
            axes.plot(mean[:, 0], mean[:, 1], label=name, linewidth=2.0 if name.endswith("loss") else 1.0)
            lowest = min(lowest, mean[:, 1].min())
        if 0.0 < lowest < np.inf:
            axes.set_yscale("log")
        axes.set_xlabel("step")
        axes.set_title("loss", fontsize=9)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)


def _entry(line: Any) -> dict[str, Any]:
    """The numbers of a line, and those of its `validation`.

    Raises:
        KeyError, TypeError, ValueError: it is no entry.
    """
    entry: dict[str, Any] = _numbers(line)
    if type(entry["step"]) is not int:
        raise ValueError("no step")
    if isinstance(line.get("validation"), dict):
        entry["validation"] = _numbers(line["validation"])
    return entry


def _numbers(value: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("no entry")
    return {name: item for name, item in value.items() if type(item) in (int, float)}
