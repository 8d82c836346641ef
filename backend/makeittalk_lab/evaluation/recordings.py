"""Measures predictions for voices that nobody filmed: do the lips shut where the speech says so, does the head live."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from makeittalk.animation.lips import shut_mouth
from makeittalk.animation.predict import PredictOptions, analyse_speech, move_face
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.formats import Face, Motion
from makeittalk.exchange.progress import Progress, silent
from makeittalk.landmarks.mean_face import MEAN_FACE

from ..data.phone_files import SOUNDS, recording_phones
from ..data.phone_source import PhoneSource, Unaligned
from ..data.splits import speaker_of, split_voices
from . import metrics
from .articulation import articulation, opening_speeds, speed_percentiles
from .baselines import frame_energy
from .face_motion import FaceMotion
from .report import Curves, draw_curves, head_row, mean_metrics

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
        folder: of recordings, one a file. Their phones are those of its transcripts where it has some, otherwise
            recognised (`PhoneSource`), and kept in the user's cache.
        weights, progress, device, seed: as for `evaluate_set`.
        plot: PNG to draw of the recording whose closure score is the median, None for none.
        held_out: only the voices that no network learns from: a fifth, by speaker (`splits.split_voices`).

    Returns:
        `set`, `weights`, `clips` (how many were measured), `skipped` (reason by name); `rows`: mean of each measure of
        `articulation` by predictor ("prediction", "animation", and "loudness": a mouth as wide as the sound is loud,
        which has a closure score only); `speeds`: percentiles of the animation's opening speed by frame rate;
        `heads`: mean head statistics; `each`: measures of the animation by recording.

    Raises:
        InputError: there are no recordings, or the phones of none are known.
        MissingError: PocketSphinx is not installed, or what says unknown words.
    """
    sounds = {path.stem: path for path in sorted(Path(folder).glob("*")) if path.suffix.lower() in SOUNDS}
    names = split_voices(sounds)[2] if held_out else list(sounds)
    if not names:
        raise InputError(f"{folder} holds no recordings.", "Name a folder of sound files.")
    source, face = PhoneSource(folder), mean_face()
    rows: dict[str, list[dict[str, float]]] = {"prediction": [], "animation": [], "loudness": []}
    heads: dict[str, list[np.ndarray]] = {"prediction": [], "animation": []}
    speeds: list[dict[float, float]] = []
    curves: list[Curves] = []
    skipped: dict[str, str] = {}
    for number, name in enumerate(names):
        progress(number / len(names), "Comparing")
        samples = load_audio(sounds[name]).samples
        try:
            phones = recording_phones(source, name, samples)
        except Unaligned as error:
            skipped[name] = error.message
            continue
        said = Spoken.of(samples, face, PredictOptions(seed, device=device, weights=weights))
        for who, answer in said.answers.items():
            rows[who].append(articulation(answer.face, phones))
        unmeasured = dict.fromkeys(rows["animation"][-1], float("nan"))
        rows["loudness"].append(unmeasured | {"closure score": metrics.closure_score(said.loudness, phones)})
        speeds.append(opening_speeds(said.motion))
        for who, rotations in heads.items():
            rotations.append(said.answers[who].rotation)
        width = float(np.linalg.norm(face.landmarks[48] - face.landmarks[54]))
        curves.append(Curves.of(name, said.answers, width, phones))
    if not curves:
        raise InputError(f"The phones of no recording in {folder} are known.", "They must be English speech.")
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
        "speeds": speed_percentiles(speeds),
        "heads": {who: head_row(rotations, speakers) for who, rotations in heads.items()},
        "each": {name: mean_metrics([row]) for name, row in zip(used, rows["animation"], strict=True)},
    }


@dataclass(frozen=True)
class Spoken:
    """What is predicted for a recording.

    Attributes:
        motion: as a character shows it. answers: by predictor, "prediction" and "animation". loudness: (T,) energy.
    """

    motion: Motion
    answers: dict[str, FaceMotion]
    loudness: np.ndarray

    @classmethod
    def of(cls, samples: np.ndarray, face: Face, options: PredictOptions) -> Spoken:
        """Predicts for samples (n,) at 16 kHz."""
        speech = analyse_speech(samples)
        motion = move_face(speech, face, options)
        answers = {"prediction": FaceMotion.predicted(motion), "animation": FaceMotion.animated(motion)}
        return cls(motion, answers, frame_energy(speech.mel))


def mean_face() -> Face:
    """The mean face, lips shut, in the middle of a picture."""
    half = _SIDE / 2
    shut = MEAN_FACE + shut_mouth(MEAN_FACE)
    points = shut * (half / np.ptp(shut[:, 0])) + (half, half, 0.0)
    return Face(Path("mean face"), _SIDE, _SIDE, points.astype(np.float32))
