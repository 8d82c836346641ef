"""`makeittalk visemes`: the mouth shapes of a recording, as the files that Rhubarb Lip Sync writes."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..exchange.cue_files import USUAL_RATE, WRITERS, VisemeTrack, check_dat_rate
from ..exchange.cues import EXTENDED, closed_shape
from ..exchange.rates import exact_rate
from . import arguments
from .command import Command
from .output import check_apart, check_file
from .terminal import progress_bar, tell

SUFFIXES = tuple(WRITERS)


def add_arguments(parser: ArgumentParser) -> None:
    """A recording, the files to write, and which shapes there are."""
    parser.add_argument("audio", type=Path, help=arguments.AUDIO_HELP)
    arguments.add_outputs(parser, f"file to write, by suffix: {' '.join(SUFFIXES)}; may be given several times")
    text = f'which of the extended mouth shapes are drawn (default {EXTENDED}; "" for the six basic ones)'
    parser.add_argument("--extended", default=EXTENDED, metavar="SHAPES", help=text)
    parser.add_argument("--fps", default=str(USUAL_RATE), metavar="F", help="frames a second of a .dat (default 24)")
    parser.add_argument("--preston-blair", action="store_true", help="MBP, etc, E … instead of letters in a .dat")
    arguments.add_device(parser)


def run(options: Namespace) -> None:
    """Writes the shapes in every format that was asked for."""
    outputs: list[Path] = options.output
    for output in outputs:
        check_file(output, SUFFIXES)
    check_apart(outputs, [options.audio])
    rate = exact_rate(options.fps)
    if any(output.suffix.lower() == ".dat" for output in outputs):
        check_dat_rate(rate)
    from ..exchange import storage
    from ..jobs.visemes import hear_cues

    with progress_bar() as progress:
        found = hear_cues(options.audio, extended=options.extended, device=options.device, progress=progress)
    track = VisemeTrack(
        cues=found.cues.shapes_shown(),
        seconds=found.cues.seconds,
        sound=str(options.audio.absolute()),
        closed=closed_shape(options.extended),
        rate=rate,
        preston_blair=options.preston_blair,
    )
    for output in outputs:
        storage.write_text(output, WRITERS[output.suffix.lower()](track))
    tell(found.notices)


COMMAND = Command("visemes", "write a recording's mouth shapes as Rhubarb Lip Sync does", run, add_arguments)
