"""The shape keys of every character: ARKit's names, left like right, few that mean nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from faces import portrait
from makeittalk.animation.basis import RESIDUAL, character_keys, load_basis
from makeittalk.exchange.errors import MissingError
from makeittalk.landmarks.ibug68 import MIRROR

SIDED = (
    "browDown browOuterUp cheekSquint eyeBlink eyeSquint eyeWide mouthDimple mouthFrown mouthLowerDown mouthPress "
    "mouthSmile mouthStretch mouthUpperUp noseSneer"
).split()
SINGLE = (
    "browInnerUp cheekPuff jawForward jawLeft jawOpen jawRight mouthClose mouthFunnel mouthLeft mouthPucker mouthRight "
    "mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper tongueOut"
).split()


def test_arkits_names_are_there() -> None:
    names = character_keys(portrait())[0].tolist()
    assert len(set(names)) == len(names)
    assert {*SINGLE, *(f"{name}{side}" for name in SIDED for side in ("Left", "Right"))} <= set(names)


def test_few_keys_mean_nothing() -> None:
    names, keys, limits = character_keys(portrait())
    assert sum(name.startswith(RESIDUAL) for name in names.tolist()) <= 24
    assert keys.shape == (len(names), 68, 3) and limits.shape == (len(names), 2)


@pytest.mark.parametrize("name", SIDED[:3] + SIDED[4:])
def test_left_is_right_mirrored(name: str) -> None:
    basis = load_basis()
    left, right = (basis.named[basis.names.index(f"{name}{side}")] for side in ("Left", "Right"))
    assert np.allclose(left[MIRROR] * [-1.0, 1.0, 1.0], right, atol=2e-3)
    # The subject's left is on the right of a picture.
    assert np.abs(left[:, :2]).sum(axis=1) @ (basis_x() > 0.05) > np.abs(left[:, :2]).sum(axis=1) @ (basis_x() < -0.05)


def basis_x() -> np.ndarray:
    """(68,) where the landmarks lie across the face."""
    face = portrait()
    return np.asarray((face[:, 0] - face[27, 0]) / np.ptp(face[:, 0]))


def test_the_jaw_opens_and_mouth_close_shuts() -> None:
    basis = load_basis()
    gap = {name: key[66, 1] - key[62, 1] for name, key in zip(basis.names, basis.named, strict=False)}
    assert gap["jawOpen"] > 0.3
    assert abs(gap["jawOpen"] + gap["mouthClose"]) < 0.1


def test_a_damaged_basis_is_said_to_be_missing(tmp_path: Path) -> None:
    (tmp_path / "basis.safetensors").write_bytes(b"no tensors")
    with pytest.raises(MissingError):
        load_basis(tmp_path / "basis.safetensors")
