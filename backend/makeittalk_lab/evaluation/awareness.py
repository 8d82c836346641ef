"""Does the head move like the speaker, and with the speech? Measured on voices that nothing was trained on.

    python -m makeittalk_lab.evaluation.awareness LIBRISPEECH [--json OUT.json]

Every recording is cut in two; each half is heard on its own, with the embedding of that half alone. What is shown is
what the product shows (its smoothing at amount 1, a mean face).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from makeittalk.animation.head_motion import head_motion
from makeittalk.animation.postprocess import compose_head
from makeittalk.animation.predict import analyse_speech
from makeittalk.audio.loading import load_audio
from makeittalk.exchange import storage
from makeittalk.exchange.amounts import Amounts
from makeittalk.exchange.constants import FRAME_RATE, SAMPLE_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.networks.speech import Speech
from scipy.ndimage import gaussian_filter1d

from ..data.splits import split_voices
from ..tool import exit_status
from .metrics import SLOW

VOICES = 20
_SHORTEST = 8.0  # s of a recording that is cut in two
_BANDS = (0.0, 0.3, 0.6, 1.2, 2.4, 6.0)  # Hz, edges of the spectrum's bands
_PERMUTATIONS = 9999
_DRAWS = 200
TYPICAL_SPREAD = (1.0, 6.0)  # °, spread of an axis in people who talk
AXES = ("nod", "turn", "tilt")


@dataclass
class Half:
    """Half a recording: its prosody (T, 3), and the head's rotation (T, 3) in degrees, mean angles removed."""

    prosody: np.ndarray
    rotation: np.ndarray

    @classmethod
    def of(cls, speech: Speech, rotation: np.ndarray) -> Half:
        """From what was heard and how the head turned with it, (T, 3) rad."""
        assert speech.prosody is not None
        return cls(speech.prosody, np.degrees(rotation))


#: Rotation in radians, (T, 3), from a recording and a seed.
Predict = Callable[[Speech, int], np.ndarray]


def shown_rotation(weights: str = "speaker") -> Predict:
    """The product's own head on a mean face, at amount 1."""

    def predict(speech: Speech, seed: int) -> np.ndarray:
        moved = head_motion(speech, np.asarray(MEAN_FACE), seed, weights=weights)
        return compose_head(moved.rotation, moved.translation, FRAME_RATE, Amounts())[0]

    return predict


def traits(rotation: np.ndarray) -> np.ndarray:
    """Spread, speed and spectrum of each axis, as logarithms: (T, 3) degrees → (21,)."""
    angles = rotation - rotation.mean(0)
    spread = np.log(np.maximum(angles.std(0), 1e-3))
    speed = np.log(np.maximum((np.diff(angles, axis=0) * FRAME_RATE).std(0), 1e-3))
    power = np.abs(np.fft.rfft(angles * np.hanning(len(angles))[:, None], axis=0)) ** 2
    frequency = np.fft.rfftfreq(len(angles), 1.0 / FRAME_RATE)
    bands = [power[(frequency >= low) & (frequency < high)].sum(0) for low, high in pairwise(_BANDS)]
    spectrum = np.log(np.array(bands) / np.maximum(power.sum(0), 1e-9) + 1e-3)
    return np.concatenate([spread, speed, spectrum.ravel()])


def rank_one_accuracy(first: np.ndarray, second: np.ndarray) -> float:
    """Share of voices whose other half is the nearest of all: (N, K) traits of either half, looked for both ways."""
    both = np.concatenate([first, second])
    spread = np.maximum(both.std(0), 1e-9)
    distance = (((first[:, None] - second[None]) / spread) ** 2).sum(2)
    own = np.arange(len(first))
    return float(((distance.argmin(1) == own).mean() + (distance.argmin(0) == own).mean()) / 2)


def prosody_fit(rotation: np.ndarray, prosody: np.ndarray) -> float:
    """How well a motion goes with a prosody, 0–1: mean of two shares of variance explained by least squares.

    Those of the nod angle by loudness, its slope, its accents and the pitch; and of how lively the head is by loudness
    over a second. The shorter of the two counts.
    """
    frames = min(len(rotation), len(prosody))
    angles, loudness, pitch = rotation[:frames], prosody[:frames, 0], prosody[:frames, 1]

    def smooth(values: np.ndarray, seconds: float) -> np.ndarray:
        return gaussian_filter1d(np.asarray(values, np.float64), seconds * FRAME_RATE, axis=0, mode="nearest")

    speed = np.linalg.norm(np.gradient(angles, axis=0), axis=1)
    life = explained_variance(smooth(speed, 0.4), smooth(loudness, 0.4)[:, None])
    causes = [smooth(loudness, 0.1), smooth(loudness, 0.4), np.gradient(smooth(loudness, 0.2)), smooth(pitch, 0.12)]
    return (explained_variance(angles[:, 0], np.stack(causes, axis=1)) + life) / 2


def explained_variance(effect: np.ndarray, causes: np.ndarray) -> float:
    """Share of the variance of (T,) that (T, K) explain linearly."""
    sides = causes - causes.mean(0)
    centred = effect - effect.mean()
    answer = np.linalg.lstsq(sides, centred, rcond=None)[0]
    return 1.0 - float(((centred - sides @ answer) ** 2).sum()) / max(float((centred**2).sum()), 1e-12)


def permutation_test(scores: np.ndarray, seed: int = 0) -> float:
    """Probability that the diagonal of (N, N) scores (motion by row, audio by column) is so large by chance."""
    rng = np.random.default_rng(seed)
    rows = np.arange(len(scores))
    own = scores.trace()
    others = sum(scores[rows, rng.permutation(len(scores))].sum() >= own for _ in range(_PERMUTATIONS))
    return (1 + int(others)) / (1 + _PERMUTATIONS)


def statistics(halves: list[Half]) -> dict[str, list[float]]:
    """Of each axis over all halves: mean, least and greatest spread (°), the share of halves where it is within
    `TYPICAL_SPREAD`, and the share of power under 4 Hz; of all together, the peak speed (°/s)."""
    spread = np.array([half.rotation.std(0) for half in halves])
    slow = []
    for half in halves:
        power = np.abs(np.fft.rfft(half.rotation - half.rotation.mean(0), axis=0)) ** 2
        frequency = np.fft.rfftfreq(len(half.rotation), 1.0 / FRAME_RATE)
        slow.append(power[frequency < SLOW].sum(0) / power.sum(0))
    speed = [np.linalg.norm(np.diff(half.rotation, axis=0), axis=1).max() * FRAME_RATE for half in halves]
    return {
        "spread": spread.mean(0).tolist(),
        "least spread": spread.min(0).tolist(),
        "greatest spread": spread.max(0).tolist(),
        "usual spread": ((spread >= TYPICAL_SPREAD[0]) & (spread <= TYPICAL_SPREAD[1])).mean(0).tolist(),
        "slow power": np.mean(slow, axis=0).tolist(),
        "peak speed": [float(np.max(speed))],
    }


def measure_awareness(
    source: str | Path,
    weights: str = "speaker",
    voices: int = VOICES,
    seed: int = 0,
    progress: Progress = silent,
    predict: Predict | None = None,
) -> dict[str, object]:
    """All figures of speaker-awareness on the test voices of a folder of recordings.

    Args:
        source: folder with `*.flac`, one recording a speaker. weights: of the speaker branch.
        voices: how many of the test voices the first figures are of; others follow for draws of so many from all.
        seed: of the noise. predict: another way to move a head, to compare.

    Raises:
        InputError: there are not enough recordings.
    """
    recordings = {path.stem: path for path in sorted(Path(source).glob("*.flac"))}
    names = split_voices(recordings)[2]
    predict = predict or shown_rotation(weights)
    heard: list[list[Speech]] = []
    for number, name in enumerate(names):
        progress(0.6 * number / len(names), "Listening")
        samples = load_audio(recordings[name]).samples
        if len(samples) >= _SHORTEST * SAMPLE_RATE:
            middle = len(samples) // 2
            # Each half knows nothing of the other.
            heard.append([analyse_speech(samples[:middle]), analyse_speech(samples[middle:])])
    if len(heard) < voices:
        raise InputError(f"{source} holds only {len(heard)} test voices.", f"{voices} recordings are needed.")
    result: dict[str, object] = {"voices": voices, "all voices": len(heard)}
    for kind in ("same seed", "different seeds"):
        halves: list[list[Half]] = []
        for row, parts in enumerate(heard):
            progress(0.6 + 0.4 * row / len(heard), "Moving heads")
            seeds = (seed, seed) if kind == "same seed" else (seed + 1 + 2 * row, seed + 2 + 2 * row)
            halves.append(
                [Half.of(speech, predict(speech, number)) for speech, number in zip(parts, seeds, strict=True)]
            )
        first, second = (np.array([traits(pair[side].rotation) for pair in halves]) for side in (0, 1))
        rng = np.random.default_rng(0)
        draws = [rng.choice(len(halves), voices, replace=False) for _ in range(_DRAWS)]
        every = [half for pair in halves for half in pair]
        fits = np.array([[prosody_fit(pair[0].rotation, other[0].prosody) for other in halves] for pair in halves])
        result[kind] = {
            "found first": rank_one_accuracy(first[:voices], second[:voices]),
            "found first over draws": float(np.mean([rank_one_accuracy(first[d], second[d]) for d in draws])),
            "chance": 1.0 / voices,
            "fit to own audio": float(fits.diagonal()[:voices].mean()),
            "fit to other audio": float(fits[:voices, :voices][~np.eye(voices, dtype=bool)].mean()),
            "p": permutation_test(fits[:voices, :voices]),
            **statistics(every),
        }
    progress(1.0, "Moving heads")
    return result


def table(result: dict[str, object]) -> str:
    """The figures as text."""
    lines = [f"{result['voices']} test voices × 2 halves ({result['all voices']} for draws and spreads)"]
    for kind in ("same seed", "different seeds"):
        values = result[kind]
        assert isinstance(values, dict)
        lines.append(f"\n{kind}")
        for name, value in values.items():
            if isinstance(value, list):
                axes = AXES if len(value) == 3 else ("all",)
                shown = "  ".join(f"{axis} {number:.3g}" for axis, number in zip(axes, value, strict=True))
            else:
                shown = f"{value:.4g}"
            lines.append(f"  {name:<24} {shown}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m makeittalk_lab.evaluation.awareness`."""
    parser = argparse.ArgumentParser("makeittalk_lab.evaluation.awareness", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("source", type=Path, help="folder with one .flac recording a speaker")
    parser.add_argument("--weights", default="speaker", help="a listed set, or a .safetensors file")
    parser.add_argument("--voices", type=int, default=VOICES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write the figures")
    options = parser.parse_args(arguments)

    def work() -> None:
        result = measure_awareness(options.source, options.weights, options.voices, options.seed)
        print(table(result))
        if options.json:
            storage.write_json(options.json, result)

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
