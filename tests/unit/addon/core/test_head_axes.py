"""A head's turns on any bone: the angles are those of scipy and of Blender's own orders."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from extension import part_outside
from scipy.spatial.transform import Rotation

head_axes = part_outside("addon.core.head_axes")
ORDERS = ["".join(letters) for letters in itertools.permutations("XYZ")]


def some_turns(count: int = 200) -> Rotation:
    return Rotation.random(count, random_state=3)


@pytest.mark.parametrize("order", ORDERS)
def test_angles_are_those_of_the_order(order):
    turns = some_turns().as_matrix()
    found = head_axes.eulers(turns, order)
    back = Rotation.from_euler(order.lower(), found[:, ["XYZ".index(letter) for letter in order]])
    np.testing.assert_allclose(back.as_matrix(), turns, atol=1e-9)


def test_angles_do_not_leap():
    turns = Rotation.from_euler("z", np.linspace(0.0, 3.0 * np.pi, 200)[:, None]).as_matrix()
    found = head_axes.eulers(turns, "XYZ")
    assert np.abs(np.diff(found, axis=0)).max() < 0.1
    assert found[-1, 2] == pytest.approx(3.0 * np.pi)


def test_quaternions_are_the_same_turns_and_stay_on_one_side():
    turns = some_turns()
    found = head_axes.quaternions(turns.as_matrix())
    np.testing.assert_allclose(Rotation.from_quat(found[:, [1, 2, 3, 0]]).as_matrix(), turns.as_matrix(), atol=1e-9)
    assert ((found[1:] * found[:-1]).sum(axis=1) >= -1e-12).all() and found[0, 0] >= 0.0


def test_vectors_and_back():
    turns = some_turns()
    found = head_axes.vectors(turns.as_matrix())
    np.testing.assert_allclose(found, turns.as_rotvec(), atol=1e-7)
    np.testing.assert_allclose(head_axes.matrices(found), turns.as_matrix(), atol=1e-9)
    np.testing.assert_allclose(head_axes.matrices(np.zeros((1, 3)))[0], np.eye(3))


def test_a_gain_scales_the_angle_and_keeps_the_axis():
    turns = Rotation.from_rotvec([[0.2, 0.1, -0.3], [0.0, 0.0, 0.0]])
    found = Rotation.from_matrix(head_axes.scaled(turns.as_matrix(), 0.5))
    np.testing.assert_allclose(found.as_rotvec(), turns.as_rotvec() * 0.5, atol=1e-9)


def test_axis_and_angle():
    name, values = head_axes.channels(
        Rotation.from_rotvec([[0.0, 0.0, 0.4], [0.0, 0.0, 0.0]]).as_matrix(), "AXIS_ANGLE"
    )
    assert name == "rotation_axis_angle"
    np.testing.assert_allclose(values, [[0.4, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0]], atol=1e-9)


@pytest.mark.parametrize(
    ("forward", "right"),
    [((0, -1, 0), (1, 0, 0)), ((0, 1, 0), (-1, 0, 0)), ((1, 0.2, 0.5), (0, 1, 0)), (None, (1, 0, 0))],
)
def test_a_face_looks_along_a_horizontal_axis(forward, right):
    axes = head_axes.guess_facing(None if forward is None else np.array(forward, float))
    np.testing.assert_allclose(axes[:, 0], right)
    np.testing.assert_allclose(axes[:, 2], [0, 0, 1])
    assert np.linalg.det(axes) == pytest.approx(1.0)


def test_a_nod_is_a_nod_on_a_bone_that_lies_on_its_side():
    nod = Rotation.from_euler("x", [[0.3]]).as_matrix()
    axes = head_axes.facing(head_axes.AXES["Z"], head_axes.AXES["Y"])  # of Rigify's and Mixamo's head bones
    found = head_axes.turned_bone(nod, axes)
    # The face's right is the bone's X: it nods about that.
    np.testing.assert_allclose(found, Rotation.from_euler("x", [[0.3]]).as_matrix(), atol=1e-12)
    sideways = head_axes.facing(head_axes.AXES["X"], head_axes.AXES["-Z"])
    about = Rotation.from_matrix(head_axes.turned_bone(nod, sideways)).as_rotvec()[0]
    np.testing.assert_allclose(about, 0.3 * np.cross([0, 0, -1], [1, 0, 0]), atol=1e-12)


def test_one_line_is_no_facing():
    with pytest.raises(ValueError, match="one line"):
        head_axes.facing(head_axes.AXES["Y"], head_axes.AXES["-Y"])


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["spine", "DEF-head", "head", "neck"], "head"),
        (["mixamorig:Neck", "mixamorig:HeadTop_End", "mixamorig:Head"], "mixamorig:Head"),
        (["J_Bip_C_Neck", "J_Bip_C_Head"], "J_Bip_C_Head"),
        (["spine.004", "spine.005", "spine.006"], "spine.006"),
        (["Rig Head Main", "forehead", "arrowhead.L"], "Rig Head Main"),
        (["forehead", "hand.L"], ""),
    ],
)
def test_head_bones_are_known_by_name(names, found):
    assert head_axes.guess_bone(names) == found
