"""Measures predictions for voices that nobody filmed: do the lips shut where the speech says so, does the head live."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from makeittalk.animation.lips import shut_mouth
from makeittalk.animation.predict import PredictOptions, analyse_speech, move_face
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.constants import SAMPLE_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.formats import Face
from makeittalk.exchange.progress import Progress, silent
from makeittalk.landmarks.mean_face import MEAN_FACE

from ..data.phone_files import SOUNDS, recording_phones
from ..data.phones import Aligner
from ..data.splits import speaker_of, split_voices
from . import metrics
from .baselines import frame_energy
from .face_motion import FaceMotion
from .report import Curves, draw_curves, head_row, mean_metrics

SECONDS = 10.0  # used of each recording
_SIDE = 512  # px of the picture that the mean face fills half of


def evaluate_recordings(
    folder: str | Path,
    weights: str | None = None,
    progress: Progress = silent,
    device: str = "cpu",
    plot: str | Path | None = None,
    seed: int = 0,
    held_out: bool = False,
) -> dict[str, Any]:
    """What is predicted for recordings without faces, on the mean face.

    Args:
        folder: of recordings, one a file; phones are recognised in the first `SECONDS` and kept in the user's cache.
        weights, progress, device, seed: as for `evaluate_set`.
        plot: PNG to draw of the recording whose closure score is the median, None for none.
        held_out: only the voices that no network learns from: a fifth, by speaker (`splits.split_voices`).

    Returns:
        `set`, `weights`, `clips` (how many were understood), `skipped` (names); `rows`: mean `closure score` and
        `closures met` by predictor ("prediction", "animation", and "loudness": a mouth as wide as the sound is loud);
        `heads`: mean head statistics; `each`: metrics of the animation by recording.

    Raises:
        InputError: there are no recordings, or nothing is understood in any.
        MissingError: PocketSphinx is not installed.
    """
    sounds = {path.stem: path for path in sorted(Path(folder).glob("*")) if path.suffix.lower() in SOUNDS}
    names = split_voices(sounds)[2] if held_out else list(sounds)
    if not names:
        raise InputError(f"{folder} holds no recordings.", "Name a folder of sound files.")
    aligner = lru_cache(maxsize=1)(Aligner)
    face = _face()
    rows: dict[str, list[dict[str, float]]] = {"prediction": [], "animation": [], "loudness": []}
    heads: dict[str, list[np.ndarray]] = {"prediction": [], "animation": []}
    curves: list[Curves] = []
    skipped: list[str] = []
    for number, name in enumerate(names):
        progress(number / len(names), "Comparing")
        samples = load_audio(sounds[name]).samples[: int(SECONDS * SAMPLE_RATE)]
        phones = recording_phones(samples, aligner)
        if not phones:
            skipped.append(name)
            continue
        speech = analyse_speech(samples)
        motion = move_face(speech, face, PredictOptions(seed, device=device, weights=weights))
        answers = {"prediction": FaceMotion.predicted(motion), "animation": FaceMotion.animated(motion)}
        width = float(np.linalg.norm(face.landmarks[48] - face.landmarks[54]))
        openings = {who: metrics.opening(answer.face) for who, answer in answers.items()}
        openings["loudness"] = frame_energy(speech.mel)
        for who, values in openings.items():
            met = metrics.closures_met(values, width, phones) if who in answers else float("nan")
            rows[who].append({"closure score": metrics.closure_score(values, phones), "closures met": met})
        for who, rotations in heads.items():
            rotations.append(answers[who].rotation)
        curves.append(Curves.of(name, answers, width, phones))
    if not curves:
        raise InputError(f"Nothing was understood in the recordings of {folder}.", "They must be English speech.")
    used = [name for name in names if name not in skipped]
    if plot is not None:
        scores = np.nan_to_num([row["closure score"] for row in rows["animation"]], nan=-np.inf)
        draw_curves(curves[int(np.argsort(scores)[len(scores) // 2])], plot)
    progress(1.0, "Comparing")
    speakers = [speaker_of(name) for name in used]
    return {
        "set": str(folder),
        "weights": weights or "default",
        "clips": len(used),
        "skipped": skipped,
        "rows": {who: mean_metrics(values) for who, values in rows.items()},
        "heads": {who: head_row(rotations, speakers) for who, rotations in heads.items()},
        "each": {name: mean_metrics([row]) for name, row in zip(used, rows["animation"], strict=True)},
    }


def _face() -> Face:
    """The mean face, lips shut, in the middle of a picture."""
    half = _SIDE / 2
    shut = MEAN_FACE + shut_mouth(MEAN_FACE)
    points = shut * (half / np.ptp(shut[:, 0])) + (half, half, 0.0)
    return Face(Path("mean face"), _SIDE, _SIDE, points.astype(np.float32))
