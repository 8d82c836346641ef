"""The demo's portraits say its sentence: no mouth pops open between two frames, and every P, B and M still shuts."""

from __future__ import annotations

import csv
from functools import cache

import numpy as np
import pytest
from makeittalk.animation.bake import bake_motion
from makeittalk.animation.lip_speed import BRIEF, BRIEF_OPENING, CLOSING_SPEED, OPENING_SPEED
from makeittalk.animation.lips import gaps
from makeittalk.animation.postprocess import apply_amounts
from makeittalk.animation.resample import resample
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.amounts import Amounts
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.exchange.formats import Face, Motion
from makeittalk.images.portrait import read_picture
from makeittalk.landmarks.detector import detect_landmarks
from makeittalk.landmarks.measures import mouth_width, opening
from makeittalk.landmarks.pose import Canonical
from makeittalk.mesh.build import build_mesh
from predicted import predict_motion
from project import ASSETS

PORTRAITS = ("portrait_photo.jpg", "portrait_cartoon.png")
SLACK = 1.001  # float32 landmarks


@cache
def said(name: str) -> tuple[Motion, np.ndarray, Face]:
    """The demo's sentence on a portrait: the motion, the picture (H, W, 4), the face."""
    rgba = np.asarray(read_picture(ASSETS / name)[0])
    face = Face(ASSETS / name, rgba.shape[1], rgba.shape[0], detect_landmarks(rgba).landmarks)
    return predict_motion(load_audio(ASSETS / "speech.flac"), face), rgba, face


def gap(motion: Motion, expression: np.ndarray | None = None) -> np.ndarray:
    """(T,) mean inner-lip gap, canonical units."""
    shown = motion.expression if expression is None else expression
    return gaps(Canonical.of(motion.neutral).to_canonical(motion.neutral + shown.astype(np.float64))).mean(axis=1)


def at(motion: Motion, fps: float, lip: float) -> Motion:
    return resample(apply_amounts(motion, Amounts(lip=lip)), fps)


@pytest.mark.parametrize("lip", [1.0, 2.0])
@pytest.mark.parametrize("fps", [24.0, 25.0, 30.0, FRAME_RATE])
@pytest.mark.parametrize("name", PORTRAITS)
def test_no_frame_is_faster_than_filmed_speakers(name: str, fps: float, lip: float) -> None:
    shown = gap(at(said(name)[0], fps, lip))
    steps = np.diff(shown) * fps / lip
    assert steps.max() <= OPENING_SPEED * SLACK, int(steps.argmax())
    assert -steps.min() <= CLOSING_SPEED * SLACK, int(steps.argmin())
    assert shown.max() > 0.15 * lip  # the sentence's wide vowels stay wide, and twice as wide at amount 2


@pytest.mark.parametrize("name", PORTRAITS)
def test_no_mouth_is_wide_for_a_single_frame(name: str) -> None:
    shown = gap(at(said(name)[0], 1.0 / (BRIEF / 2.0), 1.0))
    alone = shown[1:-1] - np.maximum(shown[:-2], shown[2:])
    assert alone.max() <= BRIEF_OPENING * SLACK, int(alone.argmax()) + 1


@pytest.mark.parametrize("fps", [12.0, 24.0, 25.0, 30.0, FRAME_RATE])
@pytest.mark.parametrize("name", PORTRAITS)
def test_every_closure_of_the_demo_is_met(name: str, fps: float) -> None:
    motion = at(said(name)[0], fps, 1.0)
    face = motion.neutral + motion.expression
    ratio = opening(face) / mouth_width(face)
    times = np.arange(len(ratio)) / fps
    with (ASSETS / "speech.phones.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["phone"] in ("P", "B", "M")]
    assert len(rows) == 7
    for row in rows:
        during = (times >= float(row["start"]) - 0.5 / fps) & (times <= float(row["end"]) + 0.5 / fps)
        assert ratio[during].min() < 0.03, row


def test_what_blender_is_given_is_as_slow() -> None:
    motion, rgba, face = said(PORTRAITS[1])
    mesh = build_mesh(face, rgba)
    for lip in (1.0, 2.0):
        bake = bake_motion(motion, mesh, 24.0)
        values = bake.key_values(Amounts(lip=lip))
        shown = np.einsum("nk,klc->nlc", values, mesh.key_landmarks)
        # Two frames' fits may differ by what the keys cannot hold, px at 256 px face width, 160 px a canonical unit.
        fit = 2.0 * float(bake.residual.max()) / 160.0
        assert np.diff(gap(motion, shown)).max() <= lip * OPENING_SPEED / 24.0 + fit
