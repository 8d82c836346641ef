"""Builds `weights/basis.safetensors`: named keys from a sculpted head, residual keys from what they leave of speech.

    python -m makeittalk_lab.training.basis ICT_FACEKIT.npz RECORDING… [-o BASIS.safetensors]

Needed again only when the basis is to change, which renames what the keys mean in every file made before.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from makeittalk.animation.bake import bounded_fit
from makeittalk.animation.basis import BASIS_FILE, RESIDUAL
from makeittalk.animation.brows import RAISED
from makeittalk.animation.head_motion import head_motion
from makeittalk.animation.lips import shut_mouth
from makeittalk.animation.postprocess import finish_lips
from makeittalk.animation.predict import analyse_speech
from makeittalk.animation.rounding import rounded_lips, rounding_curve
from makeittalk.audio.loading import load_audio
from makeittalk.exchange import storage
from makeittalk.exchange.constants import CANONICAL_JAW, FRAME_RATE
from makeittalk.landmarks.ibug68 import INNER_PAIRS, MIRROR
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.networks.content_inference import CONTENT_WEIGHTS, predict_content
from makeittalk.networks.phones_inference import closure_of, predict_phones, rounding_of
from safetensors.numpy import save_file

from ..data.augment import Augment, vary_face
from ..tool import exit_status

RESIDUAL_KEYS = 52
FACES = Augment(shape=0.1, identity=0.08)  # wider than in training: portraits are paintings and cartoons too
_ROUNDS = 8
SMALLEST = 0.01  # canonical units, norm over all landmarks: no residual key is finer at value 1
LEAST = 0.004  # canonical units: a sculpted key that moves no landmark further is left out
_PAIRED_TO_ONE = {"browInnerUp": ("browInnerUp_L", "browInnerUp_R")}
_LEFT_OUT = ("eyeBlink", "eyeLook", "cheek")  # blinks fit the portrait, the others hardly move a landmark


def sculpted_keys(path: str | Path) -> tuple[list[str], np.ndarray]:
    """The named keys of an ICT-FaceKit head: names, (N, 68, 3) canonical displacements at value 1."""
    data = storage.read_npz(path)
    points = data["landmarks68"]
    flip = np.array([1.0, -1.0, -1.0])
    head = data["neutral"][points].astype(np.float64) * flip
    scale = CANONICAL_JAW / np.linalg.norm(head[16] - head[0])
    deltas = data["expressions"][:, points].astype(np.float64) * flip * scale
    found = {str(name): delta for name, delta in zip(data["expression_names"], deltas, strict=True)}
    for name, parts in _PAIRED_TO_ONE.items():
        found[name] = sum(found.pop(part) for part in parts)
    keys = {
        name.replace("_L", "Left").replace("_R", "Right"): delta
        for name, delta in found.items()
        if not name.startswith(_LEFT_OUT) and np.linalg.norm(delta, axis=1).max() > LEAST
    }
    names = sorted(keys)
    return names, np.stack([keys[name] for name in names])


def speech_displacements(recordings: list[Path], each: int = 5) -> np.ndarray:
    """What the shipped networks predict for voices, closures completed: (T, 68, 3) canonical displacement from rest.

    Of another face for every voice, mirrored too, from all that lips are predicted from, at several lip amounts: the
    keys must hold whatever is asked for.
    """
    found: list[np.ndarray] = []
    still = np.zeros((1, 68, 3), np.float32)
    for number, path in enumerate(recordings):
        face = vary_face(np.asarray(MEAN_FACE, np.float32), still, FACES, np.random.default_rng(number))[0]
        face = (face + shut_mouth(face)).astype(np.float32)
        speech = analyse_speech(load_audio(path).samples)
        brows = head_motion(speech, face, seed=number).brows[:, None, None] * RAISED
        phones = predict_phones(speech)
        closure = closure_of(phones)
        rounded = rounding_curve(rounding_of(phones), FRAME_RATE)[:, None, None] * rounded_lips(face)
        for weights in CONTENT_WEIGHTS.values():
            lips = predict_content(speech, face, weights=weights) + rounded
            closed = finish_lips(lips, FRAME_RATE, closure)
            mirrored = closed[:, MIRROR] * np.array([-1.0, 1.0, 1.0])
            found += [part[::each] for part in (lips, closed + brows, mirrored + brows, 2.0 * closed)]
    return np.concatenate(found)


def pair_modes() -> np.ndarray:
    """Each inner lip point alone, across and down: (12, 68, 3). What completes a closure moves along these."""
    modes = np.zeros((12, 68, 3))
    outer = ((50, 58), (51, 57), (52, 56))
    for index, ((upper, lower), (above, below)) in enumerate(zip(INNER_PAIRS, outer, strict=True)):
        modes[4 * index, [upper, above], 1] = 1.0
        modes[4 * index + 1, [lower, below], 1] = 1.0
        modes[4 * index + 2, upper, 0] = 1.0
        modes[4 * index + 3, lower, 0] = 1.0
    return modes


def residual_keys(named: np.ndarray, speech: np.ndarray, count: int = RESIDUAL_KEYS) -> np.ndarray:
    """Principal components of what the named keys leave: (count, 68, 3), each as large as its spread in speech."""
    keys = named.reshape(len(named), -1)
    flat = speech.reshape(len(speech), -1)
    left = flat - bounded_fit(flat / _unit(keys), keys / _unit(keys)) @ keys
    fixed = np.linalg.qr(pair_modes().reshape(12, -1).T)[0].T
    rest = left - left @ fixed.T @ fixed
    basis = fixed
    weights = np.ones(len(rest))
    # What counts is the worst frame, not the mean: frames that come out badly weigh more in the next round.
    for _ in range(_ROUNDS):
        moment = (rest * weights[:, None]).T @ rest
        components = np.linalg.eigh(moment)[1][:, ::-1].T
        basis = np.concatenate([fixed, components[: count - len(fixed)]])
        missed = rest - rest @ basis.T @ basis
        worst = np.linalg.norm(missed.reshape(-1, 68, 3), axis=2).max(axis=1)
        weights *= 1.0 + (worst / np.percentile(worst, 90)) ** 2
        weights /= weights.mean()
    spread = np.maximum((left @ basis.T).std(axis=0), SMALLEST)
    order = np.argsort(-spread)
    return (basis * spread[:, None])[order].reshape(-1, 68, 3)


def build(head: Path, recordings: list[Path], target: Path) -> None:
    """Makes the basis file from an ICT-FaceKit head and recordings of voices.

    Raises:
        InputError: one of them cannot be read. OutputError: the file cannot be written.
    """
    names, named = sculpted_keys(head)
    residual = residual_keys(named, speech_displacements(recordings))
    every = [*names, *(f"{RESIDUAL}{index:02d}" for index in range(1, len(residual) + 1))]
    with storage.replacing(target) as temporary:
        tensors = {"named": named.astype(np.float16), "residual": residual.astype(np.float16)}
        save_file(tensors, temporary, metadata={"format": "1", "names": json.dumps(every)})


def _unit(keys: np.ndarray) -> float:
    return float(np.sqrt((keys**2).sum(1).max()))


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m makeittalk_lab.training.basis`."""
    parser = argparse.ArgumentParser("makeittalk_lab.training.basis", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("head", type=Path, help="ict_facekit.npz")
    parser.add_argument("recordings", type=Path, nargs="+", help="speech of different voices")
    parser.add_argument("-o", "--output", type=Path, default=BASIS_FILE, help="instead of the shipped file")
    options = parser.parse_args(arguments)
    return exit_status(lambda: build(options.head, options.recordings, options.output))


if __name__ == "__main__":
    sys.exit(main())
