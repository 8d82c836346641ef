"""Named keys mean on another head what they mean here: ICT-FaceKit, driven by the same curves, shuts on P, B and M."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from makeittalk.animation.bake import bake_motion
from makeittalk.animation.basis import load_basis
from makeittalk.animation.key_fit import fit_named_keys
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.formats import Bake, Face
from makeittalk.images.portrait import read_picture
from makeittalk.landmarks.detector import detect_landmarks
from makeittalk.landmarks.ibug68 import INNER_PAIRS
from makeittalk.mesh.build import build_mesh
from makeittalk_lab.synthetic.landmark_head import HEAD_FILE, LandmarkHead
from makeittalk_lab.training.named_keys import likeness, sculpted_keys, spoken_keys
from predicted import predict_motion
from project import ASSETS

pytestmark = pytest.mark.data

FPS = 24.0
BOTH_SIDES = ("browInnerUp", "cheekPuff")  # one key here, two there


def curves_of(bake: Bake, head: LandmarkHead) -> np.ndarray:
    """The bake's lips as curves (N, E) of the head: the keys that it has too, nothing else."""
    ours = {str(name): values for name, values in zip(bake.key_names, bake.lip_values.T, strict=True)}
    curves = np.zeros((bake.frames, len(head.names)))
    for column, name in enumerate(head.names):
        single = name.removesuffix("_L").removesuffix("_R")
        key = single if single in BOTH_SIDES else name.replace("_L", "Left").replace("_R", "Right")
        curves[:, column] = ours.get(key, 0.0)
    return curves


@pytest.mark.parametrize("portrait", ["portrait_cartoon.png", "portrait_photo.jpg"])
def test_the_sculpted_head_shuts_its_lips_by_the_same_curves(data_dir: Path, portrait: str) -> None:
    rgba = np.asarray(read_picture(ASSETS / portrait)[0])
    face = Face(ASSETS / portrait, rgba.shape[1], rgba.shape[0], detect_landmarks(rgba).landmarks)
    bake = bake_motion(predict_motion(load_audio(ASSETS / "speech.flac"), face), build_mesh(face, rgba), FPS)
    head = LandmarkHead.load(data_dir / HEAD_FILE)
    moved = head.neutral + np.tensordot(curves_of(bake, head), head.expressions, 1)  # cm, y up
    upper, lower = np.array(INNER_PAIRS).T
    width = np.linalg.norm(head.neutral[54] - head.neutral[48])
    gap = np.abs(moved[:, upper, 1] - moved[:, lower, 1]).max(axis=1) / width
    resting = np.abs(head.neutral[upper, 1] - head.neutral[lower, 1]).max() / width
    times = np.arange(bake.frames) / FPS
    with (ASSETS / "speech.phones.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["phone"] in ("P", "B", "M")]
    worst = 0.0
    for row in rows:
        during = (times >= float(row["start"]) - 0.5 / FPS) & (times <= float(row["end"]) + 0.5 / FPS)
        worst = max(worst, float(gap[during].min()))
    print(f"{portrait}: widest gap on P, B, M {100 * worst:.2f} % of the mouth's width, at rest {100 * resting:.2f} %")
    assert worst < resting + 0.01  # the head's own lips are 1.6 % apart at rest
    assert gap.max() > 0.15


def test_keys_stay_what_they_were_sculpted_as(data_dir: Path) -> None:
    names, sculpted = sculpted_keys(data_dir / HEAD_FILE)
    basis = load_basis()
    assert tuple(names) == basis.names[: len(names)]
    alike = likeness(basis.named, sculpted)
    assert np.median(alike) > 0.99 and alike.min() > 0.6, names[int(alike.argmin())]
    # How far each parts the middle of the lips is untouched: it is what curves are shared by.
    apart = [key[:, 66, 1] - key[:, 62, 1] for key in (basis.named, sculpted)]
    assert np.abs(apart[0] - apart[1]).max() < 2e-3


def test_learning_from_speech_lets_named_keys_show_more_of_it(data_dir: Path) -> None:
    names, sculpted = sculpted_keys(data_dir / HEAD_FILE)
    rng = np.random.default_rng(0)
    modes = np.zeros((3, 68, 3))
    modes[0, [65, 66, 67, 56, 57, 58], 1] = 1.0
    modes[0, [61, 62, 63, 50, 51, 52], 1] = -0.5
    modes[1, 48, 0], modes[1, 54, 0] = 0.3, -0.3
    modes[2, [7, 8, 9], 1] = 0.5
    speech = np.tensordot(np.abs(rng.normal(0.0, 0.06, (60, 3))), modes, 1)

    def missed(keys: np.ndarray) -> float:
        return float(np.linalg.norm(speech - np.tensordot(fit_named_keys(speech, keys, names), keys, 1)))

    assert missed(spoken_keys(names, sculpted, speech)) < 0.8 * missed(sculpted)
