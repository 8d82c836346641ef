"""What `makeittalk evaluate` shows: tables, JSON values and plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from makeittalk.exchange import storage
from makeittalk.exchange.constants import FRAME_RATE

from ..data.phones import BILABIALS, Phone
from . import metrics
from .face_motion import FaceMotion

#: Head of a column by name of the metric, where the name is too long.
_SHORT = {"opening correlation": "corr", "best correlation": "best corr", "closure score": "closure"}
#: Title of what stands below the rows by its name in a result.
_SECTIONS = {
    "lips": "lips on their phones",
    "speeds": "opening speed (canonical units a second)",
    "heads": "head (°, °/s)",
}
_INK = {
    "filmed": "#555555",
    "animation": "#d1495b",
    "prediction": "#e8a0a9",
    "loudness": "#8fb8de",
    "retrieval": "#b5c99a",
}
_ANGLES = {"nod": "#d1495b", "turn": "#2a7f9e", "tilt": "#8a6bbe"}


def mean_metrics(values: Sequence[dict[str, float]]) -> dict[str, float | None]:
    """Mean of each metric over the clips where it could be measured, None where it never could."""
    answer: dict[str, float | None] = {}
    for name in values[0]:
        known = [value[name] for value in values if np.isfinite(value[name])]
        answer[name] = float(np.mean(known)) if known else None
    return answer


def head_row(heads: Sequence[np.ndarray], speakers: Sequence[str]) -> dict[str, float | None]:
    """Mean head statistics of recordings, (T, 3) rad each, and how far their speakers differ."""
    row = mean_metrics([metrics.head_statistics(head) for head in heads])
    row["voice contrast"] = mean_metrics([{"": metrics.voice_contrast(heads, speakers)}])[""]
    return row


def table(result: dict[str, Any]) -> str:
    """The rows of an evaluation, or the metrics of `evaluate_pair`, as text."""
    if "rows" not in result:
        width = max(map(len, result))
        return "\n".join(f"{name:<{width}}  {value:8.3f}" for name, value in result.items())
    more = [f"{title}\n{_grid(result[name])}" for name, title in _SECTIONS.items() if result.get(name)]
    return "\n\n".join([_grid(result["rows"]), *more])


def _grid(rows: dict[str, dict[str, float | None]]) -> str:
    names = list(next(iter(rows.values())))
    heads = [_SHORT.get(name, name) for name in names]
    widths = [max(7, len(head)) for head in heads]
    first = max(map(len, rows)) + 1

    def line(who: str, cells: list[str]) -> str:
        pairs = zip(cells, widths, strict=True)
        return " ".join([f"{who:<{first}}", *(f"{cell:>{width}}" for cell, width in pairs)])

    def cell(value: float | None) -> str:
        return "–" if value is None else f"{value:.3f}"

    body = [line(who, [cell(row[name]) for name in names]) for who, row in rows.items()]
    return "\n".join([line("", heads), *body])


@dataclass(frozen=True)
class Curves:
    """What is drawn of one recording.

    Attributes:
        title: the recording's name.
        openings: by performer, (T,), % of the mouth's width. angles: by performer, (T, 3) degrees.
        phones: when P, B and M are spoken is shaded.
    """

    title: str
    openings: dict[str, np.ndarray]
    angles: dict[str, np.ndarray]
    phones: Sequence[Phone] = ()

    @classmethod
    def of(cls, title: str, motions: dict[str, FaceMotion], width: float, phones: Sequence[Phone] = ()) -> Curves:
        """Of motions by name; `width` is the mouth's, px."""
        openings = {name: 100.0 * metrics.opening(shown.face) / width for name, shown in motions.items()}
        angles = {name: np.degrees(shown.rotation) for name, shown in motions.items()}
        return cls(title, openings, angles, phones)


def draw_curves(curves: Curves, path: str | Path) -> None:
    """Draws opening of the mouth and head angles over time into a PNG.

    Raises:
        OutputError: it cannot be written.
    """
    # The object interface draws without a display and leaves the process's own matplotlib alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    for name, values in sorted(curves.openings.items(), key=lambda item: item[0] in ("filmed", "animation")):
        strong = name in ("filmed", "animation", "predicted")
        time = np.arange(len(values)) / FRAME_RATE
        above.plot(time, values, label=name, color=_INK.get(name, "#d1495b"), lw=1.8 if strong else 1.0)
    for start, end, phone in curves.phones:
        if phone in BILABIALS:
            above.axvspan(start, end, color="#f2d16b", alpha=0.5, lw=0)
    above.set(ylabel="opening, % of mouth width", title=curves.title)
    above.set_ylim(bottom=0.0)
    for name, style in (("filmed", "--"), ("animation", "-"), ("predicted", "-")):
        if name in curves.angles:
            time = np.arange(len(curves.angles[name])) / FRAME_RATE
            for (axis, colour), values in zip(_ANGLES.items(), curves.angles[name].T, strict=True):
                below.plot(time, values, style, label=f"{axis}, {name}", color=colour, lw=1.4)
    below.set(xlabel="time, s", ylabel="head angle, °")
    for axes in (above, below):
        axes.margins(x=0.0)
        axes.spines[["top", "right"]].set_visible(False)
        # Beside the curves: on short clips every corner of the panel is in use.
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=9)
    with storage.replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
