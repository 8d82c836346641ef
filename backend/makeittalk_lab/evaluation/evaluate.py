"""Compares predicted motion with filmed motion, one pair of files or a whole test set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from makeittalk.animation.lips import shut_mouth
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.formats import Motion
from makeittalk.exchange.progress import Progress, part, silent
from makeittalk.landmarks.measures import face_width
from makeittalk.landmarks.pose import Canonical
from makeittalk.landmarks.registration import neutral_frame, register, resample_landmarks

from ..data.clips import Clip, Prepared
from ..data.phone_files import clip_phones
from ..data.splits import speakers_of
from . import metrics
from .articulation import articulation
from .baselines import Baselines
from .cross_voice import CrossVoice
from .face_motion import FaceMotion, motion_metrics, predict_clip
from .report import Curves, draw_curves, head_row, mean_metrics


def evaluate_pair(predicted: Motion, reference: Motion) -> dict[str, float]:
    """Every metric of one motion against a filmed one; the longer one is cut.

    The lips are compared on the reference's own face, its frame of least opening. That is seldom quite shut: its mouth
    is shut first, and what the prediction adds to its own shut mouth comes on top, carried over by the canonical frames
    where the faces differ.

    Raises:
        InputError: a motion is shorter than two frames.
    """
    answer, filmed = _pair(predicted, reference)
    row = motion_metrics(answer, filmed, [])
    del row["closure score"]  # nobody says what is spoken
    for whose, motion in (("predicted", answer), ("reference", filmed)):
        statistics = metrics.head_statistics(motion.rotation)
        row |= {f"{name}, {whose}": value for name, value in statistics.items()}
    return row


def plot_pair(predicted: Motion, reference: Motion, path: str | Path) -> None:
    """Draws the opening of the mouth and the head's angles over time, predicted and filmed, into a PNG.

    Raises:
        InputError: a motion is shorter than two frames. OutputError: it cannot be written.
    """
    answer, filmed = _pair(predicted, reference)
    draw_curves(Curves.of("", {"filmed": filmed, "predicted": answer}, metrics.widest_mouth(filmed.face)), path)


def _pair(predicted: Motion, reference: Motion) -> tuple[FaceMotion, FaceMotion]:
    """Both motions on the reference's face, as many frames of one as of the other."""
    first = resample_landmarks(predicted.landmarks, predicted.fps)
    second = resample_landmarks(reference.landmarks, reference.fps)
    count = min(len(first), len(second))
    if count < 2:
        raise InputError("A motion is too short to compare.", "Give at least two frames.")
    first, second = first[:count], second[:count]
    neutral = second[neutral_frame(second)]
    (rotation, shift), (true_rotation, true_shift) = _head(predicted, first), _head(reference, second)
    ratio = face_width(second) / face_width(first)
    answer = FaceMotion(_on_face(predicted, first, neutral), rotation, ratio * shift)
    return answer, FaceMotion(register(second, neutral), true_rotation, true_shift)


def _on_face(motion: Motion, landmarks: np.ndarray, neutral: np.ndarray) -> np.ndarray:
    """A motion as it leaves its shut mouth, on another face whose mouth is shut; head still: (T, 68, 3)."""
    there, here = Canonical.of(motion.neutral), Canonical.of(neutral)
    if motion.parts is None:  # filmed: as the reference is registered
        expression = register(landmarks, motion.neutral) - motion.neutral
        rest = shut_mouth(there.to_canonical(motion.neutral))
    else:
        expression = resample_landmarks(motion.expression, motion.fps)[: len(landmarks)]
        rest = there.displacement_to(motion.parts.rest)
    moved = there.displacement_to(expression) - rest + shut_mouth(here.to_canonical(neutral))
    return neutral + here.displacement_from(moved)


def _head(motion: Motion, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (T, 3) rad and translation (T, 3) px at 62.5/s of as many frames as `landmarks` has."""
    both = np.stack([motion.head_rotation, motion.head_translation], axis=1)
    both = resample_landmarks(both, motion.fps)[: len(landmarks)]
    return both[:, 0], both[:, 1]


def evaluate_set(
    folder: str | Path,
    weights: str | None = None,
    progress: Progress = silent,
    device: str = "cpu",
    plot: str | Path | None = None,
    seed: int = 0,
    cross_voice: CrossVoice | None = None,
) -> dict[str, Any]:
    """What is predicted for a prepared folder's test clips, beside the baselines.

    Args:
        folder: made by `makeittalk prepare`; with the phones of its clips (`prepare phones`) for the closure score.
        weights: a named set, a .safetensors file, or None for the default.
        progress: told after every clip. device: where the networks run.
        plot: PNG to draw of the clip whose opening correlation is the median, None for none.
        seed: of the head motion. cross_voice: converts the clips to other voices, or None.

    Returns:
        `set`, `weights`, `part` ("test", or "validation" where there are no test clips), `clips` (how many); `rows`:
        mean metrics by predictor ("prediction": what the networks answer, "animation": the same after the
        post-processing, as a character shows it, "loudness", "retrieval", "static", and "filmed" for its closure
        score); `lips`: mean measures of `articulation` of film, prediction and animation, where phones are known;
        `heads`: mean head statistics of film, prediction and animation; `each`: metrics of the animation by
        clip. What cannot be measured is None.

    Raises:
        InputError: the folder was not prepared or holds no clips to measure on.
    """
    prepared = Prepared.load(folder)
    part_name, names = evaluation_clips(prepared)
    baselines = Baselines(load_clips(prepared, prepared.train, part(progress, 0.0, 0.2), "Fitting the baselines"))
    rows: dict[str, list[dict[str, float]]] = {}
    heads: dict[str, list[np.ndarray]] = {"filmed": [], "prediction": [], "animation": []}
    lips: dict[str, list[dict[str, float]]] = {who: [] for who in heads}
    curves: list[Curves] = []
    for number, name in enumerate(names):
        clip = prepared.clip(name)
        if cross_voice is not None:
            clip = cross_voice.convert(prepared, clip, number)
        motion = predict_clip(prepared, clip, weights, device, seed)
        filmed, phones = FaceMotion.filmed(clip), clip_phones(prepared, name)
        answers = {"prediction": FaceMotion.predicted(motion), "animation": FaceMotion.animated(motion)}
        answers |= baselines.predict(clip)
        for who, answer in answers.items():
            rows.setdefault(who, []).append(motion_metrics(answer, filmed, phones))
        answers["filmed"] = filmed
        rows.setdefault("filmed", []).append(motion_metrics(filmed, filmed, phones))  # for its closure score
        for who, rotations in heads.items():
            rotations.append(answers[who].rotation)
            if phones:
                lips[who].append(articulation(answers[who].face, phones))
        del answers["static"]
        curves.append(Curves.of(name, answers, metrics.widest_mouth(filmed.face), phones))
        progress(0.2 + 0.8 * (number + 1) / len(names), "Comparing")
    if plot is not None:
        order = np.argsort([row["opening correlation"] for row in rows["animation"]])
        draw_curves(curves[int(order[len(order) // 2])], plot)
    speakers = speakers_of(names)
    return {
        "set": str(folder),
        "weights": weights or "default",
        "part": part_name,
        "clips": len(names),
        "rows": {who: mean_metrics(values) for who, values in rows.items()},
        "lips": {who: mean_metrics(values) for who, values in lips.items() if values},
        "heads": {who: head_row(rotations, speakers) for who, rotations in heads.items()},
        "each": {name: mean_metrics([row]) for name, row in zip(names, rows["animation"], strict=True)},
    }


def evaluation_clips(prepared: Prepared) -> tuple[str, list[str]]:
    """The clips of a folder to measure on: "test", else "validation", and their names.

    Raises:
        InputError: there are none, or no clips to fit the baselines on.
    """
    part_name = "test" if prepared.test else "validation"
    names: list[str] = getattr(prepared, part_name)
    if not names or not prepared.train:
        raise InputError(f"{prepared.folder} holds no test clips.", "Prepare a data set that names its test clips.")
    return part_name, names


def load_clips(prepared: Prepared, names: list[str], progress: Progress, stage: str) -> list[Clip]:
    """Clips of a prepared folder, in order."""
    clips: list[Clip] = []
    for number, name in enumerate(names):
        clips.append(prepared.clip(name))
        progress((number + 1) / len(names), stage)
    return clips
