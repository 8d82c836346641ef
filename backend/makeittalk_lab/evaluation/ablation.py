"""The paper's ablations: everything that is predicted for a test set, with one part of the method left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from makeittalk.animation.lips import shut_mouth
from makeittalk.animation.postprocess import apply_amounts
from makeittalk.exchange.amounts import Amounts
from makeittalk.exchange.formats import Motion
from makeittalk.exchange.progress import Progress, silent
from makeittalk.landmarks.pose import Canonical, neck_pivot, split_pose
from makeittalk.networks.content_inference import content_weights
from makeittalk.networks.speaker_inference import predict_speaker

from ..data.clips import Clip, Prepared
from ..data.phone_files import clip_phones
from ..data.splits import speakers_of
from .evaluate import evaluation_clips
from .face_motion import FaceMotion, clip_speech, motion_metrics, predict_clip
from .metrics import LIPS_AND_JAW
from .report import head_row, mean_metrics

#: Parts that can be left out, and the row that says so.
PARTS = {"whisper": "autovc", "content": "no content branch", "speaker": "no speaker branch"}


def ablate(
    folder: str | Path,
    parts: Sequence[str],
    weights: str | None = None,
    autovc_weights: str | None = None,
    progress: Progress = silent,
    device: str = "cpu",
    seed: int = 0,
) -> dict[str, Any]:
    """Metrics of a prepared folder's test clips, whole and with parts left out, as a character shows them.

    - "whisper": the content branch reads the mel and the code A of voice conversion, the paper's own way, as weights of
      its own learned to (`makeittalk train content` with `configs/content_autovc.toml`).
    - "content": lips and jaw move as the speaker branch alone would move them; nothing completes their closures.
    - "speaker": head, brows and lids are still.

    Args:
        folder: made by `makeittalk prepare`. parts: keys of PARTS.
        weights: of the content branch, None for the shipped one. autovc_weights: of the one without Whisper, likewise.
        progress: told after every clip. device: where the networks run. seed: of the head motion.

    Returns:
        `set`, `weights`, `part`, `clips`, `rows` ("full" and those of PARTS) and `heads`, as `evaluate_set` gives them.

    Raises:
        InputError: the folder was not prepared or holds no test clips.
        MissingError: there are no such weights.
    """
    prepared = Prepared.load(folder)
    part, names = evaluation_clips(prepared)

    autovc = autovc_weights or content_weights("autovc")

    def whole(clip: Clip, chosen: str | None = weights) -> Motion:
        return predict_clip(prepared, clip, chosen, device, seed)

    ways: dict[str, Callable[[Clip, Motion], Motion]] = {
        "whisper": lambda clip, _: whole(clip, autovc),
        "content": lambda clip, motion: without_content(motion, speaker_lips(prepared, clip, seed, device)),
        "speaker": lambda _, motion: without_speaker(motion),
    }
    rows: dict[str, list[dict[str, float]]] = {who: [] for who in ("full", *(PARTS[left] for left in parts))}
    heads: dict[str, list[np.ndarray]] = {who: [] for who in rows}
    for number, name in enumerate(names):
        clip = prepared.clip(name)
        filmed, phones = FaceMotion.filmed(clip), clip_phones(prepared, name)
        motion = whole(clip)
        for who, moved in {"full": motion, **{PARTS[left]: ways[left](clip, motion) for left in parts}}.items():
            shown = FaceMotion.animated(moved)
            rows[who].append(motion_metrics(shown, filmed, phones))
            heads[who].append(shown.rotation)
        progress((number + 1) / len(names), "Comparing")
    return {
        "set": str(folder),
        "weights": weights or "default",
        "part": part,
        "clips": len(names),
        "rows": {who: mean_metrics(values) for who, values in rows.items()},
        "heads": {who: head_row(rotations, speakers_of(names)) for who, rotations in heads.items()},
    }


def without_content(motion: Motion, lips: np.ndarray) -> Motion:
    """A predicted motion whose lips and jaw follow `lips` (T, 68, 3), px, and nothing else."""
    return _with_parts(motion, content=lips.astype(np.float32), closure=None)


def without_speaker(motion: Motion) -> Motion:
    """A predicted motion with a still head, still brows and open eyes."""
    parts = motion.parts
    still = {
        name: np.zeros_like(getattr(parts, name)) for name in ("speaker", "blink", "head_rotation", "head_translation")
    }
    return _with_parts(motion, **still)


def _with_parts(motion: Motion, **changed: np.ndarray | None) -> Motion:
    """The shown motion made anew from changed parts."""
    assert motion.parts is not None
    return apply_amounts(replace(motion, parts=replace(motion.parts, **changed)), Amounts())  # type: ignore[arg-type]


def speaker_lips(prepared: Prepared, clip: Clip, seed: int, device: str) -> np.ndarray:
    """What the speaker branch's Δp does to shut lips and jaw with its head motion removed, (T, 68, 3) px."""
    frame = Canonical.of(clip.neutral)
    face = frame.to_canonical(clip.neutral)
    face = face + shut_mouth(face)
    delta = predict_speaker(clip_speech(prepared, clip), face, seed, device)
    left = split_pose(face + delta, face, neck_pivot(face))[2]
    lips = np.zeros_like(left)
    lips[:, LIPS_AND_JAW] = left[:, LIPS_AND_JAW]
    return frame.displacement_from(lips)
