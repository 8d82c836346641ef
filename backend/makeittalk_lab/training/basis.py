"""Builds `weights/basis.safetensors`: named keys from a sculpted head, residual keys from what they leave of speech.

    python -m makeittalk_lab.training.basis ICT_FACEKIT.npz RECORDING… [-o BASIS.safetensors]

The shipped one is of every fifth recording to learn from, in their order: `split_voices(names)[0][::5]`; its residual
keys were made last, with `--keep-named`.

Needed again only when the basis is to change, which renames what the keys mean in every file made before.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from makeittalk.animation.basis import BASIS_FILE, RESIDUAL, load_basis
from makeittalk.animation.brows import RAISED
from makeittalk.animation.key_fit import fit_named_keys
from makeittalk.animation.lips import shut_mouth
from makeittalk.animation.postprocess import finish_lips
from makeittalk.animation.predict import analyse_speech
from makeittalk.animation.rounding import rounded_lips, rounding_curve
from makeittalk.audio.loading import load_audio
from makeittalk.exchange import storage
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.landmarks.ibug68 import INNER_PAIRS, MIRROR
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.networks.content_inference import CONTENT_WEIGHTS, predict_content
from makeittalk.networks.phones_inference import closure_of, predict_phones, rounding_of
from makeittalk.weights import tensor_file
from safetensors.numpy import save_file

from ..data.augment import Augment, vary_face
from ..tool import exit_status
from .named_keys import sculpted_keys, spoken_keys

RESIDUAL_KEYS = 24  # all predictions within 0.5 px at 256 px face width; 18 leave 0.6 px, with AutoVC 0.9
FACES = Augment(shape=0.1, identity=0.08)  # wider than in training: portraits are paintings and cartoons too
_ROUNDS = 8
SMALLEST = 0.02  # canonical units, norm over all landmarks: no residual key is finer at value 1
_REFITS = 2


def speech_displacements(recordings: list[Path], each: int = 4) -> np.ndarray:
    """What the shipped networks predict for voices, lips finished: (T, 68, 3) canonical displacement from shut lips.

    Of another face for every voice, from all that lips are predicted from.
    """
    found: list[np.ndarray] = []
    still = np.zeros((1, 68, 3), np.float32)
    for number, path in enumerate(recordings):
        face = vary_face(np.asarray(MEAN_FACE, np.float32), still, FACES, np.random.default_rng(number))[0]
        face = (face + shut_mouth(face)).astype(np.float32)
        speech = analyse_speech(load_audio(path).samples)
        phones = predict_phones(speech)
        closure = closure_of(phones)
        rounded = rounding_curve(rounding_of(phones), FRAME_RATE)[:, None, None] * rounded_lips(face)
        for weights in CONTENT_WEIGHTS.values():
            lips = predict_content(speech, face, weights=weights) + rounded
            found.append(finish_lips(lips, FRAME_RATE, closure)[::each])
    return np.concatenate(found)


def residual_keys(
    names: Sequence[str], named: np.ndarray, speech: np.ndarray, count: int = RESIDUAL_KEYS
) -> np.ndarray:
    """Principal components of what the named keys leave of speech: (count, 68, 3), each as large as its spread there.

    One of them lifts the brows: named keys, none negative, do not lower them as little as predictions do. None parts
    the inner lips: where they meet is said by named keys alone.

    Args:
        names: of the named keys. named: (N, 68, 3). speech: (T, 68, 3).
    """
    both = np.concatenate([speech, speech[:, MIRROR] * np.array([-1.0, 1.0, 1.0])])
    keys = np.zeros((0, 68, 3))
    for _ in range(_REFITS):
        left = both - np.tensordot(fit_named_keys(both, named, names, keys), named, 1)
        keys = _components(_with_lips_together(left).reshape(len(left), -1), count)
    return keys


def _with_lips_together(displacement: np.ndarray) -> np.ndarray:
    """Displacements (T, 68, 3) whose inner lip pairs move as one."""
    together = displacement.copy()
    upper, lower = np.array(INNER_PAIRS).T
    middle = 0.5 * (displacement[:, upper] + displacement[:, lower])
    together[:, upper] = together[:, lower] = middle
    return together


def _components(rest: np.ndarray, count: int) -> np.ndarray:
    fixed = RAISED.reshape(1, -1) / np.linalg.norm(RAISED)
    left: np.ndarray = rest - rest @ fixed.T @ fixed
    components, weights = fixed, np.ones(len(rest))
    # What counts is the worst frame, not the mean: frames that come out badly weigh more in the next round.
    for _ in range(_ROUNDS):
        moment = (left * weights[:, None]).T @ left
        found = np.linalg.eigh(moment)[1][:, ::-1].T[: count - len(fixed)]
        missed = left - left @ found.T @ found
        worst = np.linalg.norm(missed.reshape(-1, 68, 3), axis=2).max(axis=1)
        weights *= 1.0 + (worst / np.percentile(worst, 90)) ** 2
        weights /= weights.mean()
        components = np.concatenate([found, fixed])
    spread = np.maximum((rest @ components.T).std(axis=0), SMALLEST)
    order = np.argsort(-spread)
    return np.asarray((components * spread[:, None])[order].reshape(-1, 68, 3))


def build(head: Path, recordings: list[Path], target: Path, keep_named: bool = False) -> None:
    """Makes the basis file from an ICT-FaceKit head and recordings of voices.

    Args:
        head: the sculpted one. recordings: of voices. target: the file. keep_named: whether the named keys stay those
            of the shipped basis, so that they mean what they do in files made before.

    Raises:
        InputError: one of them cannot be read. OutputError: the file cannot be written.
    """
    names, sculpted = sculpted_keys(head)
    speech = speech_displacements(recordings)
    named = load_basis().named if keep_named else spoken_keys(names, sculpted, speech)
    residual = residual_keys(names, named, speech)
    every = [*names, *(f"{RESIDUAL}{index:02d}" for index in range(1, len(residual) + 1))]
    with storage.replacing(target) as temporary, tensor_file.settled(temporary):
        tensors = {"named": named.astype(np.float16), "residual": residual.astype(np.float16)}
        save_file(tensors, temporary, metadata={"format": "1", "names": json.dumps(every)})


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m makeittalk_lab.training.basis`."""
    parser = argparse.ArgumentParser("makeittalk_lab.training.basis", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("head", type=Path, help="ict_facekit.npz")
    parser.add_argument("recordings", type=Path, nargs="+", help="speech of different voices")
    parser.add_argument("-o", "--output", type=Path, default=BASIS_FILE, help="instead of the shipped file")
    parser.add_argument("--keep-named", action="store_true", help="the shipped named keys; only residual ones anew")
    options = parser.parse_args(arguments)
    return exit_status(lambda: build(options.head, options.recordings, options.output, options.keep_named))


if __name__ == "__main__":
    sys.exit(main())
