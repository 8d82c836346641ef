"""How fast filmed speakers open and shut their lips: what the limits of `animation.lip_speed` are made of.

    python -m makeittalk_lab.evaluation.lip_speed TRACKS…

TRACKS are files that `makeittalk track` wrote, or folders of them; what stands before the first "_" of a file's name is
the speaker.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from makeittalk.animation.lip_speed import BRIEF, limit_brief
from makeittalk.animation.lips import gaps
from makeittalk.exchange import storage
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.landmarks.landmark_motion import motion_of_landmarks
from makeittalk.landmarks.measures import mouth_width
from makeittalk.landmarks.pose import Canonical
from makeittalk.landmarks.registration import neutral_frame

from ..tool import exit_status

PERCENTILE = 99.5
_WIDE = 99.0  # percentile of a clip's gap that counts as the speaker's widest opening
UNITS = ("canonical units", "mouth widths", "widest openings")


@dataclass(frozen=True)
class FilmedLips:
    """The lips of one clip: mean gap of the inner pairs, (T,) canonical units at `fps`, and the mouth's width in them.

    Attributes:
        speaker: who is filmed. gap: (T,). width: of the mouth. fps: frames/s.
    """

    speaker: str
    gap: np.ndarray
    width: float
    fps: float

    @classmethod
    def load(cls, path: Path) -> FilmedLips:
        """Reads tracked landmarks and takes the head's motion out of them.

        Raises:
            InputError: the file holds no landmarks of a whole film.
        """
        arrays = storage.read_npz(path)
        landmarks, fps = arrays.get("landmarks"), arrays.get("fps")
        if landmarks is None or fps is None or landmarks.ndim != 3 or not np.isfinite(landmarks).all():
            raise InputError(f"{path} holds no landmarks of a film.", "Track the film again: makeittalk track.")
        motion = motion_of_landmarks(landmarks, landmarks[neutral_frame(landmarks)], float(fps))
        canonical = Canonical.of(motion.neutral)
        face = canonical.to_canonical(motion.neutral + motion.expression.astype(np.float64))
        speaker = path.stem.partition("_")[0] if "_" in path.stem else ""
        return cls(speaker, gaps(face).mean(axis=1), float(np.median(mouth_width(face))), float(fps))

    def at(self, fps: float) -> np.ndarray:
        """The gap at another rate, by linear interpolation."""
        seconds = (len(self.gap) - 1) / self.fps
        times = np.arange(int(seconds * fps + 1e-6) + 1) / fps
        return np.interp(times, np.arange(len(self.gap)) / self.fps, self.gap)

    def speeds(self, fps: float | None = None) -> np.ndarray:
        """How much the gap grows from frame to frame, canonical units/s, at the film's rate or another."""
        return np.diff(self.gap) * self.fps if fps is None else np.diff(self.at(fps)) * fps

    def brief(self) -> np.ndarray:
        """By how much the gap exceeds, at each moment, what it keeps for `BRIEF` seconds, canonical units."""
        gap = self.at(FRAME_RATE)
        return gap - limit_brief(gap, round(BRIEF * FRAME_RATE), 0.0)


def scales(clips: Sequence[FilmedLips]) -> dict[str, float]:
    """How many canonical units one of each of UNITS is on a speaker's face."""
    wide = float(np.median([np.percentile(clip.gap, _WIDE) for clip in clips]))
    return dict(zip(UNITS, (1.0, float(np.median([clip.width for clip in clips])), wide), strict=True))


def pooled_percentile(groups: Sequence[np.ndarray], percentile: float = PERCENTILE) -> float:
    """Percentile of values of several speakers, (n,) each, every speaker weighing the same."""
    values = np.concatenate(groups)
    weights = np.concatenate([np.full(len(group), 1.0 / len(group)) for group in groups])
    order = np.argsort(values)
    share = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][min(int(np.searchsorted(share, percentile / 100.0)), len(values) - 1)])


def report(clips: Sequence[FilmedLips]) -> str:
    """Percentiles and largest values by speaker and pooled, in every unit, with how much the speakers differ."""
    speakers: dict[str, list[FilmedLips]] = defaultdict(list)
    for clip in clips:
        speakers[clip.speaker].append(clip)
    names = sorted(speakers)
    sizes = {name: scales(speakers[name]) for name in names}
    kinds = {
        "opening, a frame": {name: [clip.speeds() for clip in speakers[name]] for name in names},
        "opening, 16 ms": {name: [clip.speeds(FRAME_RATE) for clip in speakers[name]] for name in names},
        "closing, a frame": {name: [-clip.speeds() for clip in speakers[name]] for name in names},
        "closing, 16 ms": {name: [-clip.speeds(FRAME_RATE) for clip in speakers[name]] for name in names},
        f"open for less than {1000 * BRIEF:.0f} ms": {
            name: [clip.brief() for clip in speakers[name]] for name in names
        },
    }
    lines = [
        *(
            f"{name or 'unnamed':8} {len(speakers[name]):4} clips, widest opening {sizes[name][UNITS[2]]:.3f}, "
            f"median speed {np.median(np.abs(np.concatenate([clip.speeds() for clip in speakers[name]]))):.2f}/s"
            for name in names
        ),
        "",
        f"{'percentile ' + str(PERCENTILE) + ' (largest)':50}"
        + "".join(f"{name or 'unnamed':>17}" for name in [*names, "pooled"])
        + "   std/mean",
    ]
    for kind, found in kinds.items():
        for unit in UNITS:
            groups = [np.concatenate(found[name]) / sizes[name][unit] for name in names]
            each = [float(np.percentile(group, PERCENTILE)) for group in groups]
            most = [float(group.max()) for group in groups]
            pairs = zip([*each, pooled_percentile(groups)], [*most, max(most)], strict=True)
            cells = "".join(f"{f'{value:.3g} ({top:.3g})':>17}" for value, top in pairs)
            lines.append(f"{kind + ', ' + unit:50}{cells}{np.std(each) / np.mean(each):11.2f}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the report."""
    parser = argparse.ArgumentParser("makeittalk_lab.evaluation.lip_speed", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("tracks", type=Path, nargs="+", help="files of makeittalk track, or folders of them (*.npz)")
    options = parser.parse_args(arguments)

    def work() -> None:
        paths = [
            path for given in options.tracks for path in (sorted(given.glob("*.npz")) if given.is_dir() else [given])
        ]
        if not paths:
            raise InputError("No tracks (*.npz) were found.", "Name files that makeittalk track wrote.")
        print(report([FilmedLips.load(path) for path in paths]))

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
