"""Lips meet on P, B and M, on a portrait that smiles with an open mouth."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from makeittalk.animation.bake import bake_motion
from makeittalk.animation.postprocess import apply_amounts
from makeittalk.animation.predict import PredictOptions
from makeittalk.animation.resample import resample
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.amounts import Amounts
from makeittalk.exchange.constants import FRAME_RATE, LIP_FEATURES
from makeittalk.exchange.formats import Face, Motion
from makeittalk.landmarks.detector import detect_landmarks
from makeittalk.landmarks.measures import mouth_width, opening
from makeittalk.mesh.build import build_mesh
from predicted import predict_motion
from project import ASSETS


def bilabials() -> list[tuple[float, float]]:
    """Start and end (s) of every P, B and M of the demo's sentence."""
    with (ASSETS / "speech.phones.csv").open() as stream:
        return [(float(row["start"]), float(row["end"])) for row in csv.DictReader(stream) if row["phone"] in "PBM"]


@pytest.fixture(scope="module")
def smiling() -> tuple[Motion, np.ndarray, Face]:
    """The photograph, whose mouth is open in a smile, says the demo's sentence."""
    import cv2

    bgr = cv2.imread(str(ASSETS / "portrait_photo.jpg"))
    rgba = np.dstack([bgr[..., ::-1], np.full(bgr.shape[:2], 255, np.uint8)])
    found = detect_landmarks(rgba)
    face = Face(ASSETS / "portrait_photo.jpg", rgba.shape[1], rgba.shape[0], found.landmarks)
    return predict_motion(load_audio(ASSETS / "speech.flac"), face), rgba, face


def shut(motion: Motion) -> np.ndarray:
    """Opening ÷ mouth width on each frame, head held still."""
    face = motion.neutral + motion.expression
    return opening(face) / mouth_width(face)


def inside(ratio: np.ndarray, fps: float, start: float, end: float) -> np.ndarray:
    """The frames of a phone, half a frame more to either side."""
    times = np.arange(len(ratio)) / fps
    return ratio[(times >= start - 0.5 / fps) & (times <= end + 0.5 / fps)]


def test_the_portrait_smiles_with_an_open_mouth(smiling: tuple[Motion, np.ndarray, Face]) -> None:
    neutral = smiling[0].neutral
    assert opening(neutral) / mouth_width(neutral) > 0.05


@pytest.mark.parametrize("amount", [1.0, 1.8])
@pytest.mark.parametrize("fps", [FRAME_RATE, 24.0, 25.0, 30000 / 1001])
def test_an_open_smile_shuts_on_every_bilabial(
    smiling: tuple[Motion, np.ndarray, Face], fps: float, amount: float
) -> None:
    ratio = shut(resample(apply_amounts(smiling[0], Amounts(lip=amount)), fps))
    worst = [float(inside(ratio, fps, start, end).min()) for start, end in bilabials()]
    assert max(worst) < 0.03, np.round(worst, 3)
    assert np.percentile(ratio, 90) > 0.10  # and it does speak


@pytest.mark.parametrize("features", LIP_FEATURES)
def test_keys_reproduce_the_prediction(smiling: tuple[Motion, np.ndarray, Face], features: str) -> None:
    motion, rgba, face = smiling
    if features != LIP_FEATURES[0]:
        motion = predict_motion(load_audio(ASSETS / "speech.flac"), face, PredictOptions(features=features))
    mesh = build_mesh(face, rgba)
    for amounts in (None, Amounts(lip=1.7, blink=1.3), Amounts(smooth=0.0)):
        bake = bake_motion(motion, mesh, 25.0, amounts and amounts.smooth)
        assert bake.residual.max() < 0.5, amounts
        low, high = bake.key_range.T
        values = bake.key_values(replace(amounts or Amounts(), gaze=0.0))  # the lids follow the gaze as well
        assert (values >= low).all() and (values <= high).all()
    # The same keys through the mesh: what Blender will show at the landmarks.
    shown = np.einsum("nk,kvc->nvc", values, mesh.keys[:, mesh.landmark_vertices])
    sampled = resample(apply_amounts(motion, amounts), 25.0)
    width = np.linalg.norm(face.landmarks[16] - face.landmarks[0])
    assert np.abs(shown - sampled.expression).max() * 256 / width < 0.5
