"""`makeittalk predict`: the motion of a face, from its landmarks and a recording."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from . import arguments
from .command import Command
from .output import check_apart, check_file
from .terminal import progress_bar, tell


def add_arguments(parser: ArgumentParser) -> None:
    """A recording, a face, and what a prediction takes."""
    parser.add_argument("audio", type=Path, help=arguments.AUDIO_HELP)
    parser.add_argument("--face", type=Path, required=True, metavar="FACE.JSON", help="made by detect")
    arguments.add_output(parser, "motion.npz to write")
    arguments.add_prediction(parser)


def run(options: Namespace) -> None:
    """Writes the motion."""
    check_file(options.output, (".npz",))
    check_apart([options.output], [options.audio, options.face, options.voice, options.weights])
    from ..animation.predict import PredictOptions, predict_motion
    from ..audio.loading import load_audio
    from ..exchange.formats import Face

    face = Face.load(options.face)
    audio = load_audio(options.audio)
    voice = load_audio(options.voice) if options.voice else None
    with progress_bar() as progress:
        chosen = PredictOptions(
            seed=options.seed, device=options.device, features=options.features, weights=options.weights
        )
        motion = predict_motion(audio, face, chosen, voice, progress)
    motion.save(options.output)
    tell(audio.notices)


COMMAND = Command("predict", "predict the motion of a face from a recording", run, add_arguments)
