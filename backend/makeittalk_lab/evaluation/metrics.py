"""How close a predicted face moves to a filmed one (paper, section on evaluation).

P is the prediction, R the reference, both (T, 68, 3) at 62.5 frames/s. Distances are 3D, areas in x and y. Lip
metrics are taken on faces whose head motion was removed (`register`), head metrics on posed ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.landmarks.ibug68 import JAW, LIPS
from makeittalk.landmarks.measures import face_width, mouth_area, opening

from ..data.phones import BILABIALS, VOWELS

LIPS_AND_JAW = np.concatenate([JAW, LIPS])
SLOW = 4.0  # Hz: heads that people find natural move below it
LAG = 0.12  # s by which a clip's own sound and picture may be apart


def _velocity(landmarks: np.ndarray) -> np.ndarray:
    return np.diff(landmarks, axis=0)


def _mean_distance(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.linalg.norm(first - second, axis=-1).mean()) if len(first) else 0.0


def widest_mouth(reference: np.ndarray) -> float:
    """Widest mouth of a clip, max ‖48 − 54‖."""
    return float(np.linalg.norm(reference[:, 48] - reference[:, 54], axis=-1).max())


def lip_distance(predicted: np.ndarray, reference: np.ndarray) -> float:
    """D-LL: mean distance of jaw and lips, % of the widest reference mouth."""
    return 100.0 * _mean_distance(predicted[:, LIPS_AND_JAW], reference[:, LIPS_AND_JAW]) / widest_mouth(reference)


def lip_velocity_distance(predicted: np.ndarray, reference: np.ndarray) -> float:
    """D-VL: the same of frame-to-frame differences at 62.5/s."""
    first, second = _velocity(predicted[:, LIPS_AND_JAW]), _velocity(reference[:, LIPS_AND_JAW])
    return 100.0 * _mean_distance(first, second) / widest_mouth(reference)


def area_distance(predicted: np.ndarray, reference: np.ndarray) -> float:
    """D-A: mean difference of the inner mouth's area, % of the largest reference area."""
    area = mouth_area(reference)
    return 100.0 * float(np.abs(mouth_area(predicted) - area).mean()) / max(float(area.max()), 1e-12)


def landmark_distance(predicted: np.ndarray, reference: np.ndarray) -> float:
    """D-L: mean distance of all landmarks, % of the reference face's width."""
    return 100.0 * _mean_distance(predicted, reference) / face_width(reference)


def landmark_velocity_distance(predicted: np.ndarray, reference: np.ndarray) -> float:
    """D-V: mean distance of the velocities of all landmarks, % of the reference face's width."""
    return 100.0 * _mean_distance(_velocity(predicted), _velocity(reference)) / face_width(reference)


def opening_correlation(predicted: np.ndarray, reference: np.ndarray) -> float:
    """Pearson's correlation of the openings over time; 0 where one of them never moves."""
    first, second = opening(predicted), opening(reference)
    first, second = first - first.mean(), second - second.mean()
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / size if size > 1e-9 else 0.0


def best_correlation(predicted: np.ndarray, reference: np.ndarray, rate: float = FRAME_RATE) -> float:
    """`opening_correlation` at the shift within ± `LAG` that fits best: a clip's own sync is loose."""
    count = min(len(predicted), len(reference))
    most = min(round(LAG * rate), count - 2)
    shifts = range(-most, most + 1)
    pairs = ((predicted[max(0, s) : count + min(0, s)], reference[max(0, -s) : count + min(0, -s)]) for s in shifts)
    return max((opening_correlation(first, second) for first, second in pairs), default=0.0)


def rotation_matrices(angles: np.ndarray) -> np.ndarray:
    """Matrices (T, 3, 3) of Euler angles (T, 3) in radians, turning about the fixed x, then y, then z axis."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles).T, np.sin(angles).T
    rows = [
        [cy * cz, sx * sy * cz - cx * sz, cx * sy * cz + sx * sz],
        [cy * sz, sx * sy * sz + cx * cz, cx * sy * sz - sx * cz],
        [-sy, sx * cy, cx * cy],
    ]
    return np.array(rows).transpose(2, 0, 1)


def rotation_distance(predicted: np.ndarray, reference: np.ndarray) -> float:
    """D-Rot: mean angle between the heads' rotations, degrees. Both (T, 3), Euler "xyz" in radians."""
    relative = rotation_matrices(predicted).transpose(0, 2, 1) @ rotation_matrices(reference)
    # The skew part keeps small angles exact, where the arc cosine of the trace loses half its digits.
    skew = np.stack(
        [
            relative[:, 2, 1] - relative[:, 1, 2],
            relative[:, 0, 2] - relative[:, 2, 0],
            relative[:, 1, 0] - relative[:, 0, 1],
        ],
        axis=1,
    )
    angle = np.arctan2(np.linalg.norm(skew, axis=1), np.trace(relative, axis1=1, axis2=2) - 1.0)
    return float(np.degrees(angle).mean())


def position_distance(predicted: np.ndarray, reference: np.ndarray, width: float) -> float:
    """D-Pos: mean distance of the heads' positions (T, 3), % of the reference face's width."""
    return 100.0 * _mean_distance(np.asarray(predicted), np.asarray(reference)) / width


def lip_metrics(predicted: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """Every metric of two faces without head motion, (T, 68, 3) at 62.5/s in one frame; the longer one is cut."""
    count = min(len(predicted), len(reference))
    first, second = np.asarray(predicted[:count], np.float64), np.asarray(reference[:count], np.float64)
    return {
        "D-LL": lip_distance(first, second),
        "D-VL": lip_velocity_distance(first, second),
        "D-A": area_distance(first, second),
        "D-L": landmark_distance(first, second),
        "D-V": landmark_velocity_distance(first, second),
        "opening correlation": opening_correlation(first, second),
        "best correlation": best_correlation(first, second),
    }


def closure_score(openings: np.ndarray, phones: Sequence[tuple[float, float, str]], rate: float = FRAME_RATE) -> float:
    """How much wider the mouth is on vowels than on P, B, M, in standard deviations of the opening.

    Args:
        openings: (T,), any unit.
        phones: start and end in seconds and the ARPAbet symbol (digits of stress are ignored).
        rate: frames/s of the openings.

    Returns:
        (mean on vowels − mean on P, B, M) ÷ standard deviation; NaN where either kind is missing.
    """
    kind = np.zeros(len(openings), np.int8)
    for start, end, name in phones:
        symbol = name.rstrip("012").upper()
        value = 1 if symbol in VOWELS else 2 if symbol in BILABIALS else 0
        kind[max(0, round(start * rate)) : max(0, round(end * rate))] = value
    if not ((kind == 1).any() and (kind == 2).any()):
        return float("nan")
    spread = float(np.std(openings))
    return float(openings[kind == 1].mean() - openings[kind == 2].mean()) / spread if spread > 1e-9 else 0.0


def head_statistics(rotation: np.ndarray, rate: float = FRAME_RATE) -> dict[str, float]:
    """Spread of each angle (°), peak speed (°/s) and share of the motion's power under 4 Hz of (T, 3) radians."""
    angles = np.degrees(np.asarray(rotation, np.float64))
    speed = np.linalg.norm(np.diff(angles, axis=0), axis=1) * rate
    power = (np.abs(np.fft.rfft(angles - angles.mean(0), axis=0)) ** 2).sum(1)
    frequency = np.fft.rfftfreq(len(angles), 1.0 / rate)
    total = float(power.sum())
    return {
        "nod spread": float(angles[:, 0].std()),
        "turn spread": float(angles[:, 1].std()),
        "tilt spread": float(angles[:, 2].std()),
        "peak speed": float(speed.max(initial=0.0)),
        "slow power": float(power[frequency < SLOW].sum()) / total if total > 1e-12 else 1.0,
    }


def voice_contrast(heads: Sequence[np.ndarray], speakers: Sequence[str], rate: float = FRAME_RATE) -> float:
    """How far the heads of different voices differ, compared with the two halves of one recording.

    Args:
        heads: (T, 3) radians each. speakers: who spoke. rate: frames/s.

    Returns:
        mean distance of two recordings of different speakers ÷ mean distance of the halves, each distance that of the
        logarithms of the three spreads and the peak speed; above 1 the voices move their heads more differently than
        one differs from itself. NaN where only one speaks.
    """

    def traits(rotation: np.ndarray) -> np.ndarray:
        values = head_statistics(rotation, rate)
        return np.log([max(values[name], 1e-3) for name in ("nod spread", "turn spread", "tilt spread", "peak speed")])

    whole = np.array([traits(head) for head in heads])
    halves = [np.linalg.norm(traits(h[: len(h) // 2]) - traits(h[len(h) // 2 :])) for h in heads]
    who = np.array(speakers)
    between = np.linalg.norm(whole[:, None] - whole[None], axis=2)[who[:, None] != who[None]]
    return float(between.mean()) / max(float(np.mean(halves)), 1e-9) if len(between) else float("nan")
