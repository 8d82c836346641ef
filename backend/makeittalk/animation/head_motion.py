"""Head, brows and blinks of a voice: the speaker-aware branch's landmarks, taken apart (paper, section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..exchange.progress import Progress, silent
from ..landmarks.pose import neck_pivot, split_pose
from ..networks.speaker_inference import predict_speaker
from ..networks.speech import Speech
from .blinks import blink_curve, lid_closure
from .brows import brow_raise

POSED_TOGETHER = 4096  # frames whose pose is fitted at once


@dataclass
class HeadMotion:
    """A living head at 62.5 frames/s.

    Attributes:
        rotation: (T, 3) rad, Euler xyz about the neck, positive x is a nod down.
        translation: (T, 3) canonical units. brows: (T,) how far both rise, canonical units (`brows.RAISED`).
        blink: (T,) lid closure, 0 open … 1 shut.
    """

    rotation: np.ndarray
    translation: np.ndarray
    brows: np.ndarray
    blink: np.ndarray


def head_motion(
    speech: Speech,
    face: np.ndarray,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress = silent,
    weights: str = "speaker",
) -> HeadMotion:
    """How a voice moves a head with a recording; lips have no part in it.

    Args:
        speech: the recording, and the voice whose manner it is. face: (68, 3) at rest, canonical, frontal.
        seed: another gives another motion. device, progress, weights: see `predict_speaker`.

    Raises:
        MissingError, InputError: the weights are missing or damaged.
    """
    delta = predict_speaker(speech, face, seed, device, progress, weights)
    return split_head_motion(delta, face)


def split_head_motion(delta: np.ndarray, face: np.ndarray) -> HeadMotion:
    """Splits Δp (T, 68, 3) of a canonical face (68, 3) into the head's rigid motion, brows and blinks.

    What it does to lips, jaw and nose is left out: they belong to the content branch.
    """
    face = np.asarray(face, np.float64)
    pivot = neck_pivot(face)
    rotation, translation = np.zeros((2, len(delta), 3), np.float32)
    brows, lids = np.zeros((2, len(delta)))
    for start in range(0, len(delta), POSED_TOGETHER):
        part = slice(start, start + POSED_TOGETHER)
        rotation[part], translation[part], left = split_pose(face + delta[part], face, pivot)
        brows[part] = brow_raise(left)
        lids[part] = lid_closure(left, face)
    return HeadMotion(rotation, translation, brows.astype(np.float32), blink_curve(lids))
