"""Seconds from sound to landmarks, ours against the released architectures with random weights, in one run.

    .venv/bin/python tests/bench/bench_landmarks.py [--threads N]

Detection of the face and decoding of the recording are apart. Of the released pipeline only the three networks are
timed (voice conversion, content branch, speaker branch; sizes as released); of ours everything: mel, voice embedding,
networks, head, closures, post-processing. They take turns, so that a busy machine slows both sides. The last line is
`ratio X`: released networks ÷ all of ours, for 10 s.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "backend"))

from makeittalk.animation.predict import PredictOptions, analyse_speech, move_face  # noqa: E402
from makeittalk.audio.embedding import speaker_embedding  # noqa: E402
from makeittalk.audio.loading import load_audio, normalise_loudness  # noqa: E402
from makeittalk.audio.mel import mel_spectrogram  # noqa: E402
from makeittalk.exchange.constants import EMBEDDING, FRAME_RATE, MEL_BANDS, SAMPLE_RATE  # noqa: E402
from makeittalk.exchange.formats import Face  # noqa: E402
from makeittalk.landmarks.mean_face import MEAN_FACE  # noqa: E402
from makeittalk.networks.content import COORDINATES, ContentBranch, ContentConfig  # noqa: E402
from makeittalk.networks.speaker import SpeakerBranch, SpeakerConfig  # noqa: E402
from makeittalk.networks.speech import Speech  # noqa: E402
from makeittalk.networks.voice import VoiceConfig, VoiceConversion  # noqa: E402

SPEECH = ROOT / "backend" / "makeittalk" / "assets" / "speech.flac"
SECONDS = (10.0, 60.0)
REPEATS = 9
_BATCH = 1024  # windows of the released content branch at once


def rounds(works: dict[str, Callable[[], object]], repeats: int = REPEATS) -> dict[str, np.ndarray]:
    """Seconds (repeats,) of some pieces of work, one after the other in every round.

    What disturbs the machine for a moment then falls on both sides of a ratio. A first round warms up.
    """
    taken: dict[str, list[float]] = {name: [] for name in works}
    for number in range(repeats + 1):
        for name, work in works.items():
            begun = time.perf_counter()
            work()
            if number:
                taken[name].append(time.perf_counter() - begun)
    return {name: np.array(seconds) for name, seconds in taken.items()}


class Released:
    """The three landmark networks at their released sizes, random weights."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.voice = VoiceConversion(VoiceConfig.released()).eval()
        self.content = ContentBranch(ContentConfig.released()).eval()
        self.speaker = SpeakerBranch(SpeakerConfig.released()).eval()
        self.face = torch.randn(1, COORDINATES)
        self.source, self.target = torch.rand(2, 1, EMBEDDING)

    @torch.inference_mode()
    def convert(self, mel: torch.Tensor) -> None:
        self.voice(mel, self.source, self.target)

    @torch.inference_mode()
    def move_lips(self, mel: torch.Tensor) -> None:
        for part in mel.split(_BATCH, 1):
            self.content(part, self.face)

    @torch.inference_mode()
    def move_head(self, mel: torch.Tensor) -> None:
        for part in mel.split(self.speaker.config.attention, 1):
            self.speaker(part, self.source, self.face)


def unheard(speech: Speech, samples: np.ndarray) -> Speech:
    """The same recording, which Whisper has not heard yet: it would remember."""
    return Speech(speech.mel, speech.embedding, speech.style_embedding, speech.prosody, samples)


def parameters(network: torch.nn.Module) -> str:
    return f"{sum(p.numel() for p in network.parameters()) / 1e6:.2f} M"


def compare(released: Released, samples: np.ndarray, seconds: float) -> float:
    """Prints the parts for so much speech and gives released networks ÷ all of ours: the median over the rounds."""
    samples = np.resize(samples, int(seconds * SAMPLE_RATE))
    mel = torch.randn(1, int(seconds * FRAME_RATE), MEL_BANDS)
    loud = normalise_loudness(samples)
    points = (100.0 * MEAN_FACE + 256.0).astype(np.float32)
    face = Face(Path("mean face"), 512, 512, points)
    speech = analyse_speech(samples)
    theirs = {
        f"voice conversion, {parameters(released.voice)}": partial(released.convert, mel),
        f"content branch, {parameters(released.content)}": partial(released.move_lips, mel),
        f"speaker branch, {parameters(released.speaker)}": partial(released.move_head, mel),
    }
    ours = {
        "listening": partial(analyse_speech, samples),
        "networks, head, closures, post-processing": lambda: move_face(
            unheard(speech, loud), face, PredictOptions(device="cpu")
        ),
    }
    within = {
        "of listening: mel": partial(mel_spectrogram, loud),
        "of listening: voice embedding (Resemblyzer)": partial(speaker_embedding, loud),
    }

    taken = rounds(theirs | ours | within)
    their_sum, our_sum = (sum(taken[name] for name in names) for names in (theirs, ours))
    print(f"{seconds:g} s of speech")
    print("  released networks, random weights")
    for name in theirs:
        line(name, taken[name])
    line("all three", their_sum)
    print("  ours")
    for name in (*within, *ours):
        line(name, taken[name])
    line("sound to landmarks", our_sum)
    moved = taken["networks, head, closures, post-processing"]
    print(f"  networks and post-processing alone: {np.median(their_sum / moved):.2f} times as fast")
    return float(np.median(their_sum / our_sum))


def line(what: str, seconds: np.ndarray) -> None:
    print(f"    {np.median(seconds):7.3f} s  {what}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--threads", type=int, default=1, help="of torch, on both sides (default 1)")
    torch.set_num_threads(options.parse_args().threads)
    print(f"CPU, {torch.get_num_threads()} thread(s) on both sides, medians of {REPEATS} rounds")
    released, samples = Released(), load_audio(SPEECH).samples
    ratios = [compare(released, samples, seconds) for seconds in SECONDS]
    for seconds, ratio in zip(SECONDS, ratios, strict=True):
        print(f"{seconds:g} s of speech: sound to landmarks {ratio:.2f} times as fast as the released networks alone")
    print(f"ratio {ratios[0]:.2f}")


if __name__ == "__main__":
    main()
