"""Arguments that several commands share, and the types of their values. Standard library only."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..exchange import shot_options
from ..exchange.shot_options import OPTIONS

AUDIO_HELP = "recording: any format libsndfile or FFmpeg reads, videos with sound too"


def add_output(parser: ArgumentParser, text: str) -> None:
    """`-o`, one file or folder: `options.output`, a path."""
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help=text)


def add_outputs(parser: ArgumentParser, text: str) -> None:
    """`-o`, as often as wanted: `options.output`, a list of paths."""
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help=text, action="append")


def add_option(parser: ArgumentParser, name: str, text: str, metavar: str | None = None) -> None:
    """One of `shot_options.OPTIONS`, by its name; `text` is its help."""
    option = OPTIONS[name]
    if option.read is shot_options.switch:
        parser.add_argument(option.flag, action=BooleanOptionalAction, default=option.default, help=text)
    elif option.choices:
        parser.add_argument(option.flag, choices=option.choices, default=option.default, help=text)
    else:
        read = typed(option.read)
        parser.add_argument(option.flag, type=read, default=option.default, metavar=metavar, help=text)


def typed(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """A reader of values whose complaints argparse repeats in its own words."""

    def argument(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from error

    return argument


def add_style(parser: ArgumentParser) -> None:
    """How frames are drawn."""
    text = "drawn by the mesh alone, or photoreal with a network that repairs the face (default: as the picture is)"
    add_option(parser, "style", text)


def add_rate(parser: ArgumentParser, default: str | None) -> None:
    """Frames a second; where `default` is None the motion decides."""
    text = f"default {default}" if default else "default: the motion's own up to 60, else 25"
    parser.add_argument(
        OPTIONS["fps"].flag, default=default, metavar="F", help=f"frames a second, 29.97 is exact ({text})"
    )


def add_detector(parser: ArgumentParser) -> None:
    """What finds the landmarks, and which face's."""
    add_option(parser, "detector", "what finds the landmarks")
    add_option(parser, "face", "which of several faces by size (default 1, the largest)", "N")


def add_device(parser: ArgumentParser) -> None:
    """Where the networks run."""
    add_option(parser, "device", "where networks run (default: the fastest there is)")


def add_seed(parser: ArgumentParser) -> None:
    """Which of the possible head motions."""
    add_option(parser, "seed", "another number gives another head motion")


def add_weights(parser: ArgumentParser) -> None:
    """What predicts a motion."""
    text = "set of content weights (default: the shipped one), or an imported set by its name (released) or folder"
    add_option(parser, "weights", text, "SET")


def add_prediction(parser: ArgumentParser) -> None:
    """All that a prediction from a recording takes."""
    add_option(parser, "voice", "take the manner of another recording", "OTHER_AUDIO")
    add_device(parser)
    add_seed(parser)
    text = "what the lips are predicted from: Whisper's encoder (default), or voice conversion as in the paper"
    add_option(parser, "features", text)
    add_weights(parser)


#: How many of something, as the type of an argument.
count = typed(shot_options.count)
