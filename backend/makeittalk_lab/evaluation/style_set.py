"""How often photographs and drawings are taken for each other.

    python -m makeittalk_lab.evaluation.style_set [FOLDER …] [--unseen FOLDER …] [--heads 4]
        [--constants] [--sheet FILE] [--json]

Heads are drawn by code in seventeen manners; FOLDERs hold pictures in photo/ and drawing/, kinds of them in folders of
their own if wanted, and all pictures of one person (`ann-1.jpg`, `ann-2.jpg`) alike up to the first hyphen. Everything
is asked in fourteen states and with painted glasses and a hat, of the rule that ships and of rules fitted anew
without the drawing's whole manner or the photograph's person. What lies in --unseen folders is never fitted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from makeittalk.exchange.errors import InputError, MakeItTalkError
from makeittalk.images.face_crop import FaceCrop
from makeittalk.images.picture import on_grey
from makeittalk.images.portrait import read_picture
from makeittalk.images.skin_measures import MEASURES, skin_measures
from makeittalk.images.style import SHIPPED, StyleRule, is_photograph
from makeittalk.landmarks.detector import detect_landmarks

from ..synthetic.drawing_manners import MANNERS, draw
from ..synthetic.drawn_head import random_head
from ..tool import exit_status
from .picture_states import STATES, WORN
from .style_fit import Measured, fit_all, left_out_odds
from .style_sheet import write_sheet

_SIDES = {"photo": True, "drawing": False}
_ENDINGS = frozenset((".jpg", ".jpeg", ".png", ".webp"))
_LARGEST = 1400  # px: pictures are reduced to it before a face is sought
_AROUND = 0.15  # of the face's square: what is kept beyond it
_LEAST_PHOTOGRAPHS = 8  # that a rule can be fitted on


@dataclass(frozen=True)
class Sample:
    """One picture of the set: (H, W, 3) uint8, its landmarks (68, 2) px, and what it is."""

    name: str
    kind: str
    photo: bool
    rgb: np.ndarray
    landmarks: np.ndarray
    fitted: bool = True

    @property
    def person(self) -> str:
        """Who is on it, as the name says."""
        return self.name.split("-")[0]


def drawn_samples(heads: int, first: int = 0) -> Iterator[Sample]:
    """Heads drawn by code, `heads` in each manner, with their own landmarks."""
    for number in range(first, first + heads):
        for index, manner in enumerate(MANNERS):
            rng = np.random.default_rng([index, number])
            head = random_head(rng)
            picture = draw(head, manner, rng)
            yield Sample(f"{manner}-{number}", f"drawn, {manner}", False, picture, head.points.astype(np.float32))


def folder_samples(folder: Path, fitted: bool = True) -> Iterator[Sample]:
    """Pictures of photo/ and drawing/ in a folder, cut around the face; those without a face are named and left out.

    Raises:
        InputError: the folder has neither.
    """
    sides = [folder / name for name in _SIDES if (folder / name).is_dir()]
    if not sides:
        raise InputError(f"{folder} has no pictures in photo/ or drawing/", "Put photographs and drawings there.")
    for side in sides:
        for path in sorted(side.rglob("*")):
            if path.suffix.lower() not in _ENDINGS:
                continue
            kind = path.parent.name if path.parent != side else side.name
            try:
                rgb, landmarks = around_face(*_read(path))
            except MakeItTalkError as error:
                print(error, file=sys.stderr)
                continue
            yield Sample(path.stem, kind, _SIDES[side.name], rgb, landmarks, fitted)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    picture, _ = read_picture(path)
    picture.thumbnail((_LARGEST, _LARGEST))
    rgb = on_grey(np.asarray(picture))
    return rgb, detect_landmarks(rgb, name=str(path)).landmarks[:, :2]


def around_face(rgb: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is asked about: the square around a face and a little more, (h, w, 3), and the landmarks there."""
    crop = FaceCrop.of(landmarks)
    reach = round(_AROUND * crop.side)
    left, top = max(0, crop.left - reach), max(0, crop.top - reach)
    part = rgb[top : max(top + 1, crop.top + crop.side + reach), left : max(left + 1, crop.left + crop.side + reach)]
    return np.ascontiguousarray(part), (landmarks[:, :2] - [left, top]).astype(np.float32)


def in_states(sample: Sample) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """A sample's states: name, picture, landmarks there."""
    for state, change in STATES.items():
        rgb = change(sample.rgb)
        yield state, rgb, sample.landmarks * (rgb.shape[1] / sample.rgb.shape[1])
    for state, put_on in WORN.items():
        yield state, put_on(sample.rgb, sample.landmarks), sample.landmarks


#: States of photographs that a sheet shows.
_SHOWN = ("as it is", "grey", "110 px, compressed, enlarged", "glasses", "sunglasses", "hat")


def shown(samples: Iterator[Sample]) -> Iterator[tuple[np.ndarray, np.ndarray, bool, bool]]:
    """Rows of `style_sheet.sheet` by the rule that ships; photographs also in one more state, in turn."""
    photographs = 0
    for sample in samples:
        states = {state: (rgb, points) for state, rgb, points in in_states(sample)}
        names = ["as it is"]
        if sample.photo:
            names.append(_SHOWN[1 + photographs % (len(_SHOWN) - 1)])
            photographs += 1
        for rgb, points in (states[name] for name in names):
            yield rgb, points, sample.photo, is_photograph(rgb, points)


def measure(samples: Iterator[Sample] | Sequence[Sample]) -> Measured:
    """Measures samples in all states."""
    rows = [
        (skin_measures(rgb, points), sample.photo, sample.kind, sample.person, state, sample.fitted)
        for sample in samples
        for state, rgb, points in in_states(sample)
    ]
    measures, photo, kinds, people, states, fitted = map(np.array, zip(*rows, strict=True))
    return Measured(measures, photo, kinds, people, states, fitted)


def error_table(known: Measured, rule: StyleRule = SHIPPED) -> dict[str, dict[str, float]]:
    """Shares that are wrong, by kind, by state ("in …") and together.

    Returns:
        By row: `pictures`; `wrong` as they are and `wrong_states` in all states, by `rule`; `left_out` and
        `left_out_states`, by rules that knew nothing of the manner or person, where there are photographs to fit on.
    """
    plain = known.states == "as it is"
    wrong = {"wrong": (rule.odds(known.measures) > 0) != known.photo}
    if (plain & known.photo & known.fitted).sum() >= _LEAST_PHOTOGRAPHS:
        wrong["left_out"] = (left_out_odds(known) > 0) != known.photo
    rows = {
        kind: known.kinds == kind
        for kind in [*np.unique(known.kinds[known.photo]), *np.unique(known.kinds[~known.photo])]
    }
    rows |= {"photographs": known.photo, "drawings": ~known.photo, "all": np.ones(len(plain), bool)}
    table: dict[str, dict[str, float]] = {}
    for name, chosen in rows.items():
        if not chosen.any():
            continue
        table[str(name)] = {"pictures": float((chosen & plain).sum())}
        for key, missed in wrong.items():
            table[str(name)] |= {
                key: float(missed[chosen & plain].mean()),
                f"{key}_states": float(missed[chosen].mean()),
            }
    for state in dict.fromkeys(known.states):
        chosen = known.states == state
        table[f"in {state}"] = {"pictures": float(chosen.sum())}
        table[f"in {state}"] |= {f"{key}_states": float(missed[chosen].mean()) for key, missed in wrong.items()}
    return table


def as_text(table: dict[str, dict[str, float]]) -> str:
    """The table for people, in per cent."""
    keys = ("wrong", "wrong_states", "left_out", "left_out_states")
    width = max(map(len, table))
    lines = [" ".join([" " * width, "pictures", *(f"{key:>15}" for key in keys)])]
    for name, row in table.items():
        shown = (f"{100 * row[key]:15.1f}" if key in row else " " * 15 for key in keys)
        lines.append(" ".join([f"{name:<{width}}", f"{row['pictures']:8.0f}", *shown]))
    return "\n".join(lines)


def constants(rule: StyleRule) -> str:
    """The rule as `images/style.py` has it."""
    table = np.column_stack([rule.middle, rule.spread, rule.linear, rule.products])
    rows = [", ".join(f"{value:.3f}" for value in row) for row in table]
    lines = [f"    # {name}\n    ({row})," for name, row in zip(MEASURES, rows, strict=True)]
    return "\n".join([*lines, f"{rule.constant:.3f}"])


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m makeittalk_lab.evaluation.style_set`."""
    parser = argparse.ArgumentParser("makeittalk_lab.evaluation.style_set", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folders", type=Path, nargs="*", help="with pictures in photo/ and drawing/")
    parser.add_argument("--unseen", type=Path, nargs="*", default=[], help="such folders that are asked, never fitted")
    parser.add_argument("--heads", type=int, default=4, help="drawn by code in each manner")
    parser.add_argument("--constants", action="store_true", help="print those of a rule fitted on all, too")
    parser.add_argument("--sheet", type=Path, help="draw what is seen into this .jpg, rather than measuring it")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)

    def samples() -> Iterator[Sample]:
        yield from drawn_samples(options.heads)
        for folder in options.folders:
            yield from folder_samples(folder)
        for folder in options.unseen:
            yield from folder_samples(folder, fitted=False)

    def work() -> None:
        if options.sheet is not None:
            write_sheet(options.sheet, shown(samples()))
            return
        known = measure(samples())
        table = error_table(known)
        print(json.dumps(table, indent=1) if options.json else as_text(table))
        if options.constants:
            print(constants(fit_all(known)))

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
