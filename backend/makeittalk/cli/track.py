"""`makeittalk track`: reference motion from a filmed face."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from . import arguments
from .command import Command
from .output import check_apart, check_file
from .terminal import progress_bar


def add_arguments(parser: ArgumentParser) -> None:
    """A film, and the motion to write."""
    parser.add_argument("video", type=Path)
    arguments.add_output(parser, "motion.npz to write")


def run(options: Namespace) -> None:
    """Follows the face through the film."""
    check_file(options.output, (".npz",))
    check_apart([options.output], [options.video])
    from ..landmarks.tracking import reference_motion

    with progress_bar() as progress:
        motion = reference_motion(options.video, progress)
    motion.save(options.output)


COMMAND = Command("track", "follow a filmed face: reference motion", run, add_arguments)
