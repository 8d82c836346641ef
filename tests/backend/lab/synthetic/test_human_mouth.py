"""The speaking mouth of MakeHuman's mesh: lips meet, teeth belong to skull and jaw, points lie on the face."""

from __future__ import annotations

import numpy as np
import pytest
from human_kit_files import human_kit
from makeittalk.exchange.errors import InputError
from makeittalk.landmarks import ibug68
from makeittalk_lab.synthetic.human_kit import HumanKit
from makeittalk_lab.synthetic.human_look import TEETH
from makeittalk_lab.synthetic.human_mouth import HumanMouth, Moment, speech_moments
from makeittalk_lab.synthetic.human_points import LANDMARK_VERTICES, limit_positions

EVEN = dict.fromkeys(("african", "asian", "caucasian"), 1 / 3)
WIDE = Moment("AA", {"mouth-open": 0.5})


@pytest.fixture(scope="module")
def kit(data_dir) -> HumanKit:
    return human_kit(data_dir)


@pytest.fixture(scope="module", params=range(3))
def mouth(kit, request) -> HumanMouth:
    """Three people: even, an old fat man, a young woman with full lips."""
    shapes = {"mouth/mouth-lowerlip-volume-incr": 0.6, "mouth/mouth-upperlip-volume-incr": 0.6}
    rest = (
        kit.person({"young": 1.0}, 0.5, EVEN, 0.0, 0.0, {}),
        kit.person({"old": 1.0}, 1.0, EVEN, 0.8, 0.0, {}),
        kit.person({"young": 1.0}, 0.0, {"african": 1.0}, -0.3, 0.0, shapes),
    )[request.param]
    return HumanMouth(kit, rest, TEETH[2 * request.param], 0.003)


def opening(mouth: HumanMouth, moment: Moment) -> float:
    """Metres between the middles of the lips' edges."""
    head = mouth.head(moment)
    return float(head[mouth.upper[12], 1] - head[mouth.lower[7], 1])


def test_landmarks_are_a_face(kit):
    skin = kit.person({"young": 1.0}, 0.5, EVEN, 0.0, 0.0, {})[: kit.skin]
    faces, _ = kit.mesh("skin")
    points = limit_positions(skin, faces, LANDMARK_VERTICES)
    np.testing.assert_allclose(points[ibug68.MIRROR] * [-1, 1, 1], points, atol=1e-4)
    assert (points[ibug68.EYE_LEFT, 0] > 0.01).all()  # its left eye
    assert points[8, 1] < points[57, 1] < points[51, 1] < points[33, 1] < points[27, 1] < points[19, 1]
    assert points[30, 2] == points[:, 2].max()  # the tip of the nose
    assert 0.04 < points[54, 0] - points[48, 0] < 0.07


def test_limit_positions_of_a_cube_are_known():
    cube = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    faces = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    # (9 v + 4 sum of 3 neighbours + sum of 3 across) / 24 of a corner (1, 1, 1): 9 + 4·1 - 1 = 12 of 24.
    np.testing.assert_allclose(limit_positions(cube, faces, np.array([7]))[0], [0.5, 0.5, 0.5])


def test_lips_that_are_shut_meet(mouth):
    for name, units in (("rest", {}), ("B", {"mouth-open": 0.1}), ("smile", {"mouth-corner-puller": 0.8})):
        assert opening(mouth, Moment(name, units, shut=1.0)) < 0.0006, name
    assert opening(mouth, WIDE) > 0.008


def test_only_the_lower_teeth_follow_the_jaw(mouth):
    shut, wide = (mouth.teeth_vertices(mouth.head(m)) for m in (Moment("rest", shut=1.0), WIDE))
    moved = np.linalg.norm(wide - shut, axis=1)
    still = moved < 1e-9
    assert 0.4 < still.mean() < 0.6  # the upper row
    assert moved[~still].min() > 0.003
    assert mouth.jaw_drop(mouth.head(WIDE)) > 0.006


def test_the_upper_teeth_show_when_the_mouth_opens(mouth):
    head = mouth.head(WIDE)
    teeth = mouth.teeth_vertices(head)
    upper = np.linalg.norm(teeth - mouth.teeth_vertices(mouth.rest), axis=1) < 1e-9
    front = upper & (np.abs(teeth[:, 0]) < 0.006)
    assert teeth[front, 1].min() < head[mouth.upper[12], 1] - 0.001


def test_the_tongue_shows_in_th(mouth):
    tip = {}
    for name, out in (("rest", 0.0), ("TH", 0.013)):
        moment = Moment(name, {"mouth-open": 0.12}, tongue_up=0.3 * out, tongue_out=out)
        tip[name] = mouth.tongue_vertices(mouth.head(moment), moment)[:, 2].max()
    assert 0.010 < tip["TH"] - tip["rest"] < 0.015


def test_every_person_says_the_same_sounds():
    names = [[moment.name for moment in speech_moments(np.random.default_rng(seed))] for seed in range(2)]
    assert names[0] == names[1]
    assert names[0][0] == "rest" and len(names[0]) >= 11


def test_something_else_is_refused(tmp_path):
    np.savez(tmp_path / "heads.npz", base_verts=np.zeros((3, 3)))
    with pytest.raises(InputError, match="not a kit of human heads"):
        HumanKit.load(tmp_path)
