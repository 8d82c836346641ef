"""What to tell the user of a face that will not animate as well as it could."""

from __future__ import annotations

import numpy as np

from .pose import Canonical

_DOUBTFUL = 0.55  # confidence
_FAR_TURNED = 35.0  # degrees
_LYING = 50.0  # degrees
_SMALL = 100.0  # px: the networks see a face about twice as large
_EDGE = 0.01  # of the face's size: points so near to the picture's edge were pushed there by what is cut off
_MOST_AT_EDGE = 4  # points


def face_notices(landmarks: np.ndarray, confidence: float, size: tuple[int, int], name: str) -> list[str]:
    """Sentences about a face that is doubtful, turned, lying, small or cut off.

    Args:
        landmarks: (68, 3) px. confidence: 0–1. size: width and height of the picture, px. name: what to call it.
    """
    notices = []
    if confidence < _DOUBTFUL:
        notices.append(f"The face in {name} is hard to make out; check its landmarks.")
    turn = _yaw(landmarks)
    if turn > _FAR_TURNED:
        notices.append(f"The face in {name} is turned by {turn:.0f}°; one turned less than 30° animates better.")
    roll = _roll(landmarks)
    if abs(roll) > _LYING:
        way = "anticlockwise" if roll > 0 else "clockwise"
        remedy = f"turn the picture by {90 if abs(roll) < 135 else 180}°" + (f" {way}" if abs(roll) < 135 else "")
        notices.append(f"The face in {name} is not upright but rolled by {abs(roll):.0f}°; {remedy}.")
    extent = float(np.ptp(landmarks[:, :2], axis=0).max())
    if extent < _SMALL:
        notices.append(
            f"The face in {name} is only {max(1, round(extent))} pixels large; "
            "a picture in which it has 200 or more gives a better result."
        )
    places, edge = landmarks[:, :2], _EDGE * extent
    cut = ((places < edge) | (places > np.array(size) - edge)).any(axis=1)
    if np.count_nonzero(cut) >= _MOST_AT_EDGE:
        notices.append(f"The face in {name} lies partly outside the picture; one that shows it whole animates better.")
    return notices


def _yaw(landmarks: np.ndarray) -> float:
    """How far the face is turned to a side, degrees: the angle of its line of sight."""
    away = Canonical.of(landmarks).R[:, 2]
    return float(np.degrees(np.arctan2(abs(away[0]), abs(away[2]))))


def _roll(landmarks: np.ndarray) -> float:
    """How far the line of the eyes is turned clockwise, −180° to 180°."""
    across = landmarks[42:48, :2].mean(axis=0) - landmarks[36:42, :2].mean(axis=0)
    return float(np.degrees(np.arctan2(across[1], across[0])))
