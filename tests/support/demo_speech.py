"""The demo's sentence on a portrait, and when its lips are shut."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
from makeittalk.animation.bake import bake_motion
from makeittalk.animation.predict import PredictOptions
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.formats import Bake, Face, Mesh, Motion
from makeittalk.images.portrait import read_picture
from makeittalk.landmarks.detector import detect_landmarks
from makeittalk.mesh.build import build_mesh
from predicted import predict_motion
from project import ASSETS

FPS = 24.0


@cache
def said(portrait: Path, features: str) -> tuple[Motion, Mesh, Bake]:
    """The demo's sentence on a portrait."""
    rgba = np.asarray(read_picture(portrait)[0])
    face = Face(portrait, rgba.shape[1], rgba.shape[0], detect_landmarks(rgba).landmarks)
    motion = predict_motion(load_audio(ASSETS / "speech.flac"), face, PredictOptions(features=features))
    mesh = build_mesh(face, rgba)
    return motion, mesh, bake_motion(motion, mesh, FPS)


def bilabials(frames: int) -> list[np.ndarray]:
    """The frames of every P, B and M of the sentence, half a frame more to either side."""
    times = np.arange(frames) / FPS
    with (ASSETS / "speech.phones.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["phone"] in ("P", "B", "M")]
    ends = [(float(row["start"]) - 0.5 / FPS, float(row["end"]) + 0.5 / FPS) for row in rows]
    return [(times >= start) & (times <= end) for start, end in ends]
