"""The named keys carry the speech: with every residual key at 0 lips shut on P, B and M and open as wide."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from demo_speech import FPS, bilabials, said
from makeittalk.animation.bake import bake_motion
from makeittalk.animation.basis import BLINKS, RESIDUAL
from makeittalk.animation.postprocess import apply_amounts
from makeittalk.animation.resample import resample
from makeittalk.exchange.amounts import Amounts
from makeittalk.exchange.constants import LIP_FEATURES
from makeittalk.exchange.formats import Bake, Mesh, Motion
from makeittalk.landmarks.ibug68 import INNER_PAIRS
from makeittalk.landmarks.measures import mouth_width
from project import ASSETS, DATA

PORTRAITS = (ASSETS / "portrait_cartoon.png", ASSETS / "portrait_photo.jpg")
OTHERS = (DATA / "portraits" / "mona_lisa.jpg", DATA / "portraits" / "van_gogh.jpg")
FEW = 14  # named keys at work in the lips on a frame, in the mean


def is_named(bake: Bake) -> np.ndarray:
    return np.array([not name.startswith(RESIDUAL) for name in bake.key_names.tolist()])


def shown(mesh: Mesh, values: np.ndarray) -> np.ndarray:
    """The landmarks' displacement (N, 68, 3) px."""
    return np.einsum("nk,klc->nlc", values, mesh.key_landmarks)


def widest_pair(motion: Motion, expression: np.ndarray) -> np.ndarray:
    """(N,) how far the three inner pairs of the lips are apart at most, px of a picture 1024 px high or wide."""
    upper, lower = np.array(INNER_PAIRS).T
    face = (motion.neutral + expression)[..., :2]
    apart = np.linalg.norm(face[:, lower] - face[:, upper], axis=2).max(axis=1)
    return np.asarray(apart * 1024.0 / float(max(motion.image_size)))


def check(portrait: Path, features: str) -> None:
    motion, mesh, bake = said(portrait, features)
    values = bake.key_values()
    named = np.where(is_named(bake), values, 0.0)
    every, alone = shown(mesh, values), shown(mesh, named)
    gap, gap_alone = widest_pair(motion, every), widest_pair(motion, alone)
    for during in bilabials(bake.frames):
        frame = np.flatnonzero(during)[gap[during].argmin()]
        assert gap[frame] < 0.9 and gap_alone[frame] < 1.2, (round(gap[frame], 2), round(gap_alone[frame], 2))
    assert gap_alone[gap.argmax()] > 0.92 * gap.max()
    assert np.abs(gap_alone - gap).max() < 0.08 * gap.max()
    wanted = resample(apply_amounts(motion, Amounts()), FPS, bake.frames).expression
    missed = np.linalg.norm(alone - wanted, axis=2) / mouth_width(motion.neutral)
    assert missed.mean() < 0.015
    assert (bake.lip_values[:, is_named(bake)] > 0.02).sum(axis=1).mean() < FEW


@pytest.mark.parametrize("features", LIP_FEATURES)
@pytest.mark.parametrize("portrait", PORTRAITS, ids=lambda path: path.stem)
def test_named_keys_alone_carry_the_demo(portrait: Path, features: str) -> None:
    check(portrait, features)


@pytest.mark.data
@pytest.mark.parametrize("portrait", OTHERS, ids=lambda path: path.stem)
def test_named_keys_alone_carry_other_portraits(data_dir: Path, portrait: Path) -> None:
    check(portrait, LIP_FEATURES[0])


def test_parts_add_up_to_the_face_at_other_amounts() -> None:
    motion, mesh, bake = said(PORTRAITS[0], LIP_FEATURES[0])
    limit = max(0.5, float(bake.residual.max()))
    for amounts in (Amounts(lip=1.0, head=1.5, blink=0.5), Amounts(lip=1.0, head=0.0, blink=1.2)):
        wanted = resample(apply_amounts(motion, amounts), FPS, bake.frames).expression
        width = np.linalg.norm(motion.neutral[16] - motion.neutral[0])
        values = bake.key_values(replace(amounts, gaze=0.0))  # the lids follow the gaze as well
        missed = np.abs(shown(mesh, values) - wanted).max() * 256.0 / width
        assert missed < limit * max(amounts.lip, amounts.head), amounts


def test_curves_do_not_tremble() -> None:
    """Values follow the face: a key that jumps from one frame to the next would be another answer to the same face."""
    _, _, bake = said(PORTRAITS[0], LIP_FEATURES[0])
    lips = bake.lip_values[:, is_named(bake)]
    turns = np.abs(np.diff(lips, 2, axis=0)).max(axis=0)
    assert turns.max() < 0.5, bake.key_names[is_named(bake)][turns.argmax()]


def test_a_mesh_with_other_keys_is_baked() -> None:
    """A character keeps the keys that it was made with, whatever today's are."""
    motion, mesh, bake = said(PORTRAITS[0], LIP_FEATURES[0])
    kept = np.isin(mesh.key_names, ["jawOpen", "mouthClose", "mouthShut", *BLINKS]) | ~is_named(bake)
    fields = ("key_names", "keys", "key_landmarks", "key_range")
    bare = replace(mesh, **{name: getattr(mesh, name)[kept & is_named(bake)] for name in fields})
    assert bake_motion(motion, bare, FPS).lip_values.max() > 0.2
    old = replace(mesh, **{name: getattr(mesh, name)[kept] for name in fields})
    other = bake_motion(motion, old, FPS)
    assert other.lip_values.shape == (bake.frames, kept.sum())
    jaws = [made.lip_values[:, made.key_names.tolist().index("jawOpen")] for made in (other, bake)]
    assert np.corrcoef(*jaws)[0, 1] > 0.9
    low, high = other.key_range.T
    assert (other.key_values() >= low).all() and (other.key_values() <= high).all()
