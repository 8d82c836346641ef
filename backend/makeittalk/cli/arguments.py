"""Arguments that several commands share, and the types of their values. Standard library only."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

from ..exchange.amounts import HIGHEST
from ..exchange.constants import DETECTORS, DEVICES, LARGEST_INTEGER, LIP_FEATURES, STYLES

AUDIO_HELP = "recording: any format libsndfile or FFmpeg reads, videos with sound too"


def add_output(parser: ArgumentParser, text: str) -> None:
    """`-o`, one file or folder: `options.output`, a path."""
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help=text)


def add_outputs(parser: ArgumentParser, text: str) -> None:
    """`-o`, as often as wanted: `options.output`, a list of paths."""
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help=text, action="append")


def add_style(parser: ArgumentParser) -> None:
    """How frames are drawn."""
    text = "drawn by the mesh alone, or photoreal with a network that repairs the face (default: as the picture is)"
    parser.add_argument("--style", choices=STYLES, default="auto", help=text)


def add_rate(parser: ArgumentParser, default: str | None) -> None:
    """Frames a second; where `default` is None the motion decides."""
    text = f"default {default}" if default else "default: the motion's own up to 60, else 25"
    parser.add_argument("--fps", default=default, metavar="F", help=f"frames a second, 29.97 is exact ({text})")


def add_detector(parser: ArgumentParser) -> None:
    """What finds the landmarks, and which face's."""
    parser.add_argument("--detector", choices=DETECTORS, default="auto")
    text = "which of several faces by size (default 1, the largest)"
    parser.add_argument("--face", type=count, default=1, metavar="N", help=text)


def add_device(parser: ArgumentParser) -> None:
    """Where the networks run."""
    parser.add_argument("--device", default="auto", choices=DEVICES)


def add_seed(parser: ArgumentParser) -> None:
    """Which of the possible head motions."""
    parser.add_argument("--seed", type=seed, default=0, help="another number gives another head motion")


def add_weights(parser: ArgumentParser) -> None:
    """What predicts a motion."""
    parser.add_argument(
        "--weights",
        default=None,
        metavar="SET",
        help="set of content weights (default: the shipped one), or an imported set by its name (released) or folder",
    )


def add_prediction(parser: ArgumentParser) -> None:
    """All that a prediction from a recording takes."""
    parser.add_argument("--voice", type=Path, metavar="OTHER_AUDIO", help="take the manner of another recording")
    add_device(parser)
    add_seed(parser)
    text = "what the lips are predicted from: Whisper's encoder (default), or voice conversion as in the paper"
    parser.add_argument("--features", choices=LIP_FEATURES, default=LIP_FEATURES[0], help=text)
    add_weights(parser)


def amount(text: str) -> float:
    """How much of a part of the motion is shown, 1 as predicted."""
    value = float(text)
    if not 0.0 <= value <= HIGHEST:  # also refuses nan
        raise ArgumentTypeError(f"an amount is between 0 and {HIGHEST:g}, not {text}")
    return value


def seed(text: str) -> int:
    """A number that networks are seeded with."""
    value = int(text)
    if not 0 <= value <= LARGEST_INTEGER:
        raise ArgumentTypeError(f"a seed is a whole number from 0 on, not {text}")
    return value


def count(text: str) -> int:
    """How many of something."""
    value = int(text)
    if value < 1:
        raise ArgumentTypeError(f"at least 1, not {text}")
    return value
