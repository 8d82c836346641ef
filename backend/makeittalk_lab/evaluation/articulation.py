"""What lips do on the sounds that need them: shut on P, B, M and nowhere else, narrow on W, wide on EE.

Phones are start and end in seconds and a symbol, ARPAbet without digits of stress unless other names are given. A gap
is the opening of the inner lips as a share of the mouth's width, (T,); frame i stands at i / rate seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np
from makeittalk.animation.lip_speed import OPENING_SPEED
from makeittalk.animation.lips import gaps
from makeittalk.animation.resample import resample
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.exchange.formats import Motion
from makeittalk.landmarks.measures import mouth_width, opening, openness
from makeittalk.landmarks.pose import Canonical

from ..data.phones import BILABIALS, SILENCE, VOWELS, Phone
from .metrics import closure_score

SHUT = 0.03  # gap below which lips are shut
LABIODENTALS = ("F", "V")  # the lower lip at the upper teeth
ROUNDED = ("W", "UW", "OW")
SPREAD = ("IY", "EH", "AE")
SHARPNESS = 0.04  # s, a frame of film: how sharply labels tell where a phone begins and ends
_NEAR = 0.06  # s to either side of a phone that may shut the lips, in which a closure may still be its own
_LEAST = 0.05  # s that a closure must last to be seen
FILM_RATES = (24.0, 25.0, FRAME_RATE)
_OVER = 1.001  # times a limit that is kept: the rounding of single precision


def spans(phones: Sequence[Phone], names: Collection[str], margin: float = 0.0) -> list[tuple[float, float]]:
    """Start and end of the phones with one of the names, both moved outwards by `margin`, seconds."""
    return [(start - margin, end + margin) for start, end, name in phones if name in names]


def frames_within(times: Iterable[tuple[float, float]], count: int, rate: float) -> np.ndarray:
    """Which of `count` frames stand within one of the spans, (count,) bool."""
    mask = np.zeros(count, bool)
    for start, end in times:
        mask[_frames(start, end, rate)] = True
    return mask


def _frames(start: float, end: float, rate: float) -> slice:
    """The frames from `start` to `end` seconds, both included."""
    return slice(max(0, int(np.ceil(start * rate - 1e-6))), max(0, int(np.floor(end * rate + 1e-6)) + 1))


def bilabials_shut(
    gap: np.ndarray, phones: Sequence[Phone], rate: float = FRAME_RATE, names: Collection[str] = BILABIALS
) -> float:
    """Share of the P, B and M in which some frame has a gap under `SHUT`.

    Args:
        gap, phones, rate: see above. names: of the phones that need shut lips.

    Returns:
        0–1; NaN where there is none of them.
    """
    parts = [gap[_frames(start, end, rate)] for start, end in spans(phones, names, SHARPNESS)]
    lowest = np.array([part.min() for part in parts if len(part)])
    return float((lowest < SHUT).mean()) if len(lowest) else float("nan")


def false_closures(
    gap: np.ndarray,
    phones: Sequence[Phone],
    rate: float = FRAME_RATE,
    names: Collection[str] = (*BILABIALS, *LABIODENTALS, SILENCE),
) -> float:
    """Closures a second of speech that nothing said calls for.

    A closure is a run of frames with a gap under `SHUT` that lasts over 50 ms; it is false where no frame of it lies
    within 60 ms of a phone in `names`, nor before the first or behind the last phone.

    Returns:
        closures ÷ seconds of all phones but pauses; NaN where there is no speech.
    """
    seconds = sum(end - start for start, end, name in phones if name != SILENCE)
    if seconds <= 0.0:
        return float("nan")
    outside = [(0.0, phones[0][0] + _NEAR), (phones[-1][1] - _NEAR, len(gap) / rate)]
    allowed = frames_within([*spans(phones, names, _NEAR), *outside], len(gap), rate)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], gap < SHUT, [False]]).astype(int)))
    runs = [(start, end) for start, end in edges.reshape(-1, 2) if (end - start) / rate > _LEAST]
    return sum(not allowed[start:end].any() for start, end in runs) / seconds


def mean_ratio(
    values: np.ndarray,
    phones: Sequence[Phone],
    names: Collection[str],
    others: Collection[str],
    rate: float = FRAME_RATE,
) -> float:
    """Mean of (T,) values on the phones `names` ÷ mean on the phones `others`; NaN where either is missing."""
    first, second = (frames_within(spans(phones, which), len(values), rate) for which in (names, others))
    if not (first.any() and second.any()):
        return float("nan")
    return float(values[first].mean() / max(float(values[second].mean()), 1e-9))


def articulation(face: np.ndarray, phones: Sequence[Phone], rate: float = FRAME_RATE) -> dict[str, float]:
    """Every measure of a face in motion, (T, 68, 3) px without head motion.

    Returns:
        `closure score` (see `metrics`); `P B M shut`, 0–1; `false closures` a second; `F V gap`: mean gap on F and V ÷
        that on vowels; `narrowing`: mean width of the mouth on W, UW, OW ÷ that on IY, EH, AE.
    """
    gap, width = openness(face), mouth_width(face)
    return {
        "closure score": closure_score(opening(face), phones, rate),
        "P B M shut": bilabials_shut(gap, phones, rate),
        "false closures": false_closures(gap, phones, rate),
        "F V gap": mean_ratio(gap, phones, LABIODENTALS, VOWELS, rate),
        "narrowing": mean_ratio(width, phones, ROUNDED, SPREAD, rate),
    }


def opening_speed(gap: np.ndarray, fps: float) -> float:
    """Largest increase of a gap (T,) from one frame to the next, a second; 0 where it never opens."""
    return float(np.diff(gap).max(initial=0.0)) * fps


def opening_speeds(motion: Motion) -> dict[float, float]:
    """How fast the lips of a motion open at most, as it is shown at each of `FILM_RATES`, canonical units a second.

    That of the mean gap of the inner lip pairs, which tells lips that are jerked open from lips that open: filmed
    speakers stay under `animation.lip_speed.OPENING_SPEED`.
    """
    canonical = Canonical.of(motion.neutral)
    found = {}
    for fps in FILM_RATES:
        shown = motion if fps == motion.fps else resample(motion, fps)
        face = canonical.to_canonical(shown.neutral + shown.expression.astype(np.float64))
        found[fps] = opening_speed(np.maximum(gaps(face), 0.0).mean(axis=1), fps)
    return found


def speed_percentiles(speeds: Sequence[dict[float, float]]) -> dict[str, dict[str, float]]:
    """Percentiles of `opening_speeds` over clips, a row for each frame rate, and the share of clips over the limit."""
    rows: dict[str, dict[str, float]] = {}
    for fps in FILM_RATES:
        values = np.array([speed[fps] for speed in speeds])
        row = {f"{p} %": float(np.percentile(values, p)) for p in (50, 90, 95)}
        row["fastest"] = float(values.max())
        row["over limit"] = float((values > _OVER * OPENING_SPEED).mean())
        rows[f"{fps:g} fps"] = row
    return rows
