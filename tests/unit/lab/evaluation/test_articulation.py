"""Measures of lips on their phones, against numbers worked out by hand."""

import numpy as np
import pytest
from makeittalk.exchange.formats import Motion
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.landmarks.measures import openness
from makeittalk.landmarks.pose import Canonical
from makeittalk_lab.evaluation.articulation import (
    articulation,
    bilabials_shut,
    false_closures,
    mean_ratio,
    opening_speed,
    opening_speeds,
    speed_percentiles,
)

RATE = 100.0


def gaps(*shut: tuple[float, float], seconds: float = 3.0) -> np.ndarray:
    """A gap of 0.2 of the mouth's width, at 100 frames/s, but 0.01 in the spans (s, the end excluded)."""
    values = np.full(round(seconds * RATE), 0.2)
    for start, end in shut:
        values[round(start * RATE) : round(end * RATE)] = 0.01
    return values


def test_a_bilabial_is_shut_by_one_frame_within_a_frame_of_film() -> None:
    phones = [(0.0, 1.0, "AA"), (1.0, 1.1, "P"), (1.1, 2.0, "AA"), (2.0, 2.1, "M"), (2.1, 3.0, "S")]
    assert bilabials_shut(gaps((1.05, 1.06)), phones, RATE) == 0.5
    assert bilabials_shut(gaps((0.96, 0.97), (2.14, 2.15)), phones, RATE) == 1.0  # 40 ms to either side
    assert bilabials_shut(gaps((0.95, 0.96), (2.15, 2.16)), phones, RATE) == 0.0
    assert np.isnan(bilabials_shut(gaps(), [(0.0, 1.0, "F")], RATE))
    assert bilabials_shut(gaps((1.0, 1.1)), [(1.0, 1.1, "bilabial")], RATE, ("bilabial",)) == 1.0
    assert np.isnan(bilabials_shut(gaps(), [(9.0, 9.1, "P")], RATE))  # behind the last frame


def test_false_closures_lie_away_from_what_may_shut_the_lips() -> None:
    phones = [(0.0, 0.5, "SIL"), (0.5, 1.0, "AA"), (1.0, 1.1, "B"), (1.1, 2.0, "T"), (2.0, 2.1, "V"), (2.1, 2.5, "IY")]
    seconds = 2.0  # of speech
    assert false_closures(gaps(), phones, RATE) == 0.0
    assert false_closures(gaps((1.3, 1.4)), phones, RATE) == pytest.approx(1 / seconds)
    assert false_closures(gaps((0.7, 0.8), (1.3, 1.4), (1.6, 1.7)), phones, RATE) == pytest.approx(3 / seconds)
    assert false_closures(gaps((1.3, 1.35)), phones, RATE) == 0.0  # 50 ms are no closure …
    assert false_closures(gaps((1.3, 1.36)), phones, RATE) == pytest.approx(1 / seconds)  # … more are
    # Each touches a phone that may shut the lips, a pause, or what no phone covers.
    for start, end in ((1.0, 1.1), (0.85, 0.95), (1.15, 1.3), (1.85, 1.95), (0.3, 0.56), (2.4, 2.9), (2.7, 2.9)):
        assert false_closures(gaps((start, end)), phones, RATE) == 0.0, start
    assert np.isnan(false_closures(gaps(), [(0.0, 1.0, "SIL")], RATE))


def test_means_are_taken_over_phones() -> None:
    values = np.concatenate([np.full(100, 3.0), np.full(100, 2.0), np.full(100, 100.0)])
    phones = [(0.0, 0.99, "UW"), (1.0, 1.99, "IY"), (2.0, 3.0, "S")]
    assert mean_ratio(values, phones, ("UW",), ("IY",), RATE) == pytest.approx(1.5)
    assert np.isnan(mean_ratio(values, phones, ("W",), ("IY",), RATE))


def mouth(openings: np.ndarray, width: float = 10.0) -> np.ndarray:
    """(T, 68, 3): a mouth so wide, inner lips so far apart."""
    face = np.zeros((len(openings), 68, 3))
    face[:, 48, 0], face[:, 54, 0], face[:, 66, 1] = -width / 2, width / 2, openings
    return face


def test_a_face_is_measured() -> None:
    openings = np.full(300, 2.0)
    openings[100:110] = 0.0
    face = mouth(openings)
    face[200:, 54, 0] = 3.0  # 8 wide
    phones = [(0.0, 0.99, "EH"), (1.0, 1.09, "P"), (1.1, 1.5, "F"), (1.51, 1.99, "T"), (2.0, 3.0, "OW")]
    assert openness(face)[[0, 100, 200]] == pytest.approx([0.2, 0.0, 0.25])
    found = articulation(face, phones, RATE)
    assert list(found) == ["closure score", "P B M shut", "false closures", "F V gap", "narrowing"]
    assert found["P B M shut"] == 1.0 and found["false closures"] == 0.0
    assert found["narrowing"] == pytest.approx(0.8)
    assert found["F V gap"] == pytest.approx(0.2 / 0.225, rel=1e-2)
    assert found["closure score"] > 5


def test_opening_speed_is_the_largest_increase_a_second() -> None:
    assert opening_speed(np.array([0.0, 0.1, 0.3, 0.0, 0.1]), 25.0) == pytest.approx(5.0)
    assert opening_speed(np.array([0.3, 0.2, 0.1]), 25.0) == 0.0
    assert opening_speed(np.zeros(1), 25.0) == 0.0


def test_speeds_are_those_of_the_frames_that_are_shown() -> None:
    """A mouth that opens at two canonical units a second for a twentieth of one: at any rate no faster."""
    times = np.arange(125) / 62.5
    face = mouth(np.zeros(len(times))).astype(np.float32)
    face[:, :48] = 10.0 * MEAN_FACE[:48]
    scale = Canonical.of(face[0]).scale
    face[:, [65, 66, 67], 1] += scale * np.clip(2.0 * (times - 1.0), 0.0, 0.2)[:, None].astype(np.float32)
    still = np.zeros((125, 3), np.float32)
    motion = Motion(62.5, face, face[0], face - face[0], still, still, np.zeros(3, np.float32), (100, 100))
    speeds = opening_speeds(motion)
    assert set(speeds) == {24.0, 25.0, 62.5}
    assert list(speeds.values()) == pytest.approx([2.0] * 3, rel=0.05)
    other = {fps: 2.0 * speed for fps, speed in speeds.items()}
    table = speed_percentiles([speeds, other])
    assert table["25 fps"]["fastest"] == pytest.approx(4.0, rel=0.05)
    assert table["62.5 fps"]["50 %"] == pytest.approx(3.0, rel=0.05)
    assert table["24 fps"]["over limit"] == 0.5  # filmed speakers reach 2.4
