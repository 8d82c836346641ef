"""`makeittalk predict`: the motion of a face, from its landmarks and a recording."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..exchange.progress import part
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
    from ..animation.predict import PredictOptions, analyse_speech, predict_parts, show_parts
    from ..audio.loading import load_audio
    from ..exchange.formats import Face

    face = Face.load(options.face)
    with progress_bar() as progress:
        audio = load_audio(options.audio)
        voice = load_audio(options.voice) if options.voice else None
        notices = audio.notices
        chosen = PredictOptions(
            seed=options.seed, device=options.device, features=options.features, weights=options.weights
        )
        other = None if voice is None else voice.samples
        speech = analyse_speech(audio.samples, other, part(progress, 0.0, 0.3))
        del audio, voice, other  # hours of sound are as large as the motion
        parts = predict_parts(speech, face, chosen, part(progress, 0.3, 1.0))
        del speech
    show_parts(face, parts).save(options.output)
    tell(notices)


COMMAND = Command("predict", "predict the motion of a face from a recording", run, add_arguments)
