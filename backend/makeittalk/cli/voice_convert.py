"""`makeittalk voice-convert`: a recording said by another voice, to hear what voice conversion keeps of it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from . import arguments
from .command import Command
from .output import check_apart, check_file
from .terminal import progress_bar, tell


def add_arguments(parser: ArgumentParser) -> None:
    """A recording, and that of the other voice."""
    parser.add_argument("audio", type=Path, help=arguments.AUDIO_HELP)
    parser.add_argument("--to", type=Path, required=True, metavar="OTHER", help="recording of who shall say it")
    arguments.add_output(parser, ".wav file to write")
    arguments.add_device(parser)
    parser.add_argument("--weights", default="voice", metavar="SET", help="of voice conversion (default: voice)")


def run(options: Namespace) -> None:
    """Writes the converted recording."""
    check_file(options.output, (".wav",))
    check_apart([options.output], [options.audio, options.to, options.weights])
    from ..audio.loading import load_audio, write_wav
    from ..exchange.constants import SAMPLE_RATE
    from ..networks.device import choose_device
    from ..networks.voice_inference import convert_voice

    audio, other = load_audio(options.audio), load_audio(options.to)
    with progress_bar() as progress:
        sound = convert_voice(audio, other, choose_device(options.device), options.weights, progress)
    write_wav(options.output, sound, SAMPLE_RATE)
    tell(audio.notices)


COMMAND = Command("voice-convert", "hear what voice conversion keeps of a recording", run, add_arguments)
