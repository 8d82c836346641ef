"""`makeittalk animate`: from a portrait and a recording to a film, a .blend, a motion or tables."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..exchange import temporary
from ..exchange.shot_options import OPTIONS, SUFFIXES
from . import arguments
from .command import Command
from .output import check_apart, check_file
from .terminal import progress_bar, tell

_AMOUNTS = (
    ("lip", "lip motion"),
    ("head", "head motion"),
    ("blink", "blinks"),
    ("smooth", "smoothing"),
    ("gaze", "gaze"),
)


def add_arguments(parser: ArgumentParser) -> None:
    """A portrait, a recording, the files to write, and everything that can be chosen between them."""
    parser.add_argument("portrait", type=Path, help="picture of a face: photo, painting or cartoon")
    parser.add_argument("audio", type=Path, help=arguments.AUDIO_HELP)
    arguments.add_outputs(parser, f"file to write, by suffix: {' '.join(SUFFIXES)}; may be given several times")
    arguments.add_style(parser)
    arguments.add_rate(parser, OPTIONS["fps"].default)
    for name, what in _AMOUNTS:
        arguments.add_option(parser, name, f"amount of {what} (default 1)")
    arguments.add_option(parser, "landmarks", "corrected landmarks instead of detection", "FACE.JSON")
    arguments.add_option(parser, "blender", "Blender that writes the .blend", "EXECUTABLE")
    text = "keep what the portrait shows inside an open mouth (default), or draw teeth and tongue"
    arguments.add_option(parser, "own_mouth", text)
    arguments.add_detector(parser)
    arguments.add_prediction(parser)


def run(options: Namespace) -> None:
    """Makes the character once and writes every file that was asked for."""
    from ..exchange.rates import exact_rate

    exact_rate(options.fps)
    outputs: list[Path] = options.output
    for output in outputs:
        check_file(output, SUFFIXES)
    check_apart(outputs, [options.portrait, options.audio, options.landmarks, options.voice, options.weights])
    if any(output.suffix.lower() == ".blend" for output in outputs):
        from ..jobs.blender import blender_command

        blender_command(options.blender)
    from ..jobs.shot import make_shot

    chosen = {name: getattr(options, name) for name in OPTIONS}
    with progress_bar() as progress, temporary.folder() as folder:
        make_shot(options.portrait, options.audio, outputs, chosen, folder, progress, tell)


COMMAND = Command("animate", "make a talking character from a portrait and a recording", run, add_arguments)
