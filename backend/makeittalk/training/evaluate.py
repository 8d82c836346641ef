"""Compares predicted motion with filmed motion, one pair of files or a whole test set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .. import storage
from ..animation.postprocess import finish_lips
from ..constants import FRAME_RATE
from ..errors import InputError
from ..formats import Motion
from ..landmarks.pose import Canonical, neck_pivot, split_pose
from ..networks.closure import predict_closure
from ..networks.inference import predict_content
from ..progress import Progress, part, silent
from . import metrics
from .baselines import Loudness
from .dataset import Clip, Prepared


def evaluate_pair(predicted: Motion, reference: Motion) -> dict[str, float]:
    """Every metric of one motion against a filmed one; the longer one is cut.

    The lips are compared on the reference's own face: its frame of least opening, plus what the prediction adds to
    its shut mouth, carried over by the canonical frames where the faces differ.

    Raises:
        InputError: a motion is shorter than two frames.
    """
    first = metrics.resample(predicted.landmarks, predicted.fps)
    second = metrics.resample(reference.landmarks, reference.fps)
    count = min(len(first), len(second))
    if count < 2:
        raise InputError("A motion is too short to compare.", "Give at least two frames.")
    first, second = first[:count], second[:count]
    neutral = second[metrics.neutral_frame(second)]
    filmed = metrics.register(second, neutral)
    answer = metrics.lip_metrics(_on_face(predicted, first, neutral), filmed)
    (rotation, shift), (true_rotation, true_shift) = _head(predicted, first), _head(reference, second)
    width = metrics.face_width(second)
    ratio = width / metrics.face_width(first)
    answer["D-Rot"] = metrics.rotation_distance(rotation, true_rotation)
    answer["D-Pos"] = metrics.position_distance(ratio * shift, true_shift, width)
    heads = {"predicted": rotation, "reference": true_rotation}
    for whose, head in heads.items():
        answer |= {f"{name}, {whose}": value for name, value in metrics.head_statistics(head).items()}
    return answer


def _on_face(motion: Motion, landmarks: np.ndarray, neutral: np.ndarray) -> np.ndarray:
    """A motion's expression (T, 68, 3) on another face at rest, head still."""
    if motion.expression is not None:
        expression = metrics.resample(motion.expression, motion.fps)[: len(landmarks)]
    else:
        expression = metrics.register(landmarks, motion.neutral) - motion.neutral
    if motion.rest is not None:
        expression = expression - motion.rest
    moved = Canonical.of(motion.neutral).displacement_to(expression)
    return neutral + Canonical.of(neutral).displacement_from(moved)


def _head(motion: Motion, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (T, 3) rad and translation (T, 3) px at 62.5/s; fitted where the motion has none."""
    if motion.head_rotation is not None and motion.head_translation is not None:
        both = np.stack([motion.head_rotation, motion.head_translation], axis=1)
        both = metrics.resample(both, motion.fps)[: len(landmarks)]
        return both[:, 0], both[:, 1]
    pivot = motion.neck_pivot if motion.neck_pivot is not None else neck_pivot(motion.neutral)
    return split_pose(landmarks, motion.neutral, pivot)[:2]


def evaluate_set(
    folder: str | Path,
    weights: str | None = None,
    progress: Progress = silent,
    device: str = "cpu",
    plot: str | Path | None = None,
) -> dict[str, Any]:
    """The content branch on a prepared folder's test clips, beside the baselines.

    Args:
        folder: made by `makeittalk prepare`.
        weights: a named set, a .safetensors file, or None for the default.
        progress: told after every clip.
        device: where the network runs.
        plot: PNG to draw of the first clip's opening over time, None for none.

    Returns:
        `set`, `weights`, `clips` (how many), `rows`: mean metrics by predictor ("prediction": the network's answer,
        "animation": the same smoothed and with its closures completed, as a character shows it, "loudness",
        "static"), and `each`: metrics of the prediction by clip.

    Raises:
        InputError: the folder was not prepared or holds no test clips.
    """
    prepared = Prepared.load(folder)
    if not prepared.test:
        raise InputError(f"{folder} holds no test clips.", "Prepare a data set that names its test clips.")
    loudness = Loudness.fit(_clips(prepared, prepared.train, part(progress, 0.0, 0.4), "Fitting the baseline"))
    rows: dict[str, list[dict[str, float]]] = {"prediction": [], "animation": [], "loudness": [], "static": []}
    for clip in _clips(prepared, prepared.test, part(progress, 0.4, 1.0), "Comparing"):
        frame = Canonical.of(clip.neutral)
        face = frame.to_canonical(clip.neutral)
        spoken = predict_content(clip.mel, face, device, weights=weights)
        answers = {
            "prediction": spoken,
            "animation": finish_lips(spoken, FRAME_RATE, predict_closure(clip.mel, device)),
            "loudness": loudness.predict(clip.mel),
            "static": np.zeros_like(spoken),
        }
        for name, delta in answers.items():
            moved = clip.neutral + frame.displacement_from(delta)
            rows[name].append(metrics.lip_metrics(moved, clip.landmarks))
            if plot is not None and name == "prediction" and clip.name == prepared.test[0]:
                draw_opening(moved, clip.landmarks, plot, clip.name)

    def mean(values: list[dict[str, float]]) -> dict[str, float]:
        return {name: float(np.mean([value[name] for value in values])) for name in values[0]}

    return {
        "set": str(folder),
        "weights": weights or "default",
        "clips": len(prepared.test),
        "rows": {who: mean(values) for who, values in rows.items()},
        "each": dict(zip(prepared.test, rows["prediction"], strict=True)),
    }


def _clips(prepared: Prepared, names: list[str], progress: Progress, stage: str) -> list[Clip]:
    clips: list[Clip] = []
    for number, name in enumerate(names):
        clips.append(prepared.clip(name))
        progress((number + 1) / len(names), stage)
    return clips


def table(result: dict[str, Any]) -> str:
    """The rows of `evaluate_set`, or the metrics of `evaluate_pair`, as text."""
    rows = result.get("rows")
    if rows is None:
        width = max(map(len, result))
        return "\n".join(f"{name:<{width}}  {value:8.3f}" for name, value in result.items())
    names = list(rows["static"])
    lines = [" ".join([f"{'':<12}", *(f"{name:>20}" for name in names)])]
    lines += [" ".join([f"{who:<12}", *(f"{row[name]:>20.3f}" for name in names)]) for who, row in rows.items()]
    return "\n".join(lines)


def plot_pair(predicted: Motion, reference: Motion, path: str | Path) -> None:
    """Draws the opening of the mouth over time, predicted and filmed, into a PNG.

    Raises:
        OutputError: it cannot be written.
    """
    second = metrics.resample(reference.landmarks, reference.fps)
    first = metrics.resample(predicted.landmarks, predicted.fps)
    neutral = second[metrics.neutral_frame(second)]
    draw_opening(_on_face(predicted, first, neutral), metrics.register(second, neutral), path)


def draw_opening(predicted: np.ndarray, reference: np.ndarray, path: str | Path, title: str = "") -> None:
    """Draws the opening of two faces without head motion, (T, 68, 3) at 62.5/s, into a PNG.

    Raises:
        OutputError: it cannot be written.
    """
    # The object interface draws without a display and leaves the process's own matplotlib alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.2), layout="constrained")
    axes = figure.add_subplot()
    width = metrics.mouth_width(reference)
    for face, label, colour in ((reference, "filmed", "#666666"), (predicted, "predicted", "#d1495b")):
        values = 100.0 * metrics.opening(face) / width
        axes.plot(np.arange(len(values)) / FRAME_RATE, values, label=label, color=colour, lw=1.6)
    axes.set(xlabel="time, s", ylabel="opening, % of mouth width", title=title)
    axes.set_ylim(bottom=0.0)
    axes.margins(x=0.0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper right")
    FigureCanvasAgg(figure)
    with storage.replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
