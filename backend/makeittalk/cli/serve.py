"""`makeittalk serve`: the add-on's protocol on standard input and output."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ..exchange.errors import InputError
from ..jobs.idle_memory import IDLE_SECONDS
from .command import Command


def add_arguments(parser: ArgumentParser) -> None:
    """When memory is given back."""
    text = "seconds without a request after which the memory of the networks is given back (default %(default)g)"
    parser.add_argument("--idle-seconds", type=float, default=IDLE_SECONDS, metavar="SECONDS", help=text)


def run(options: Namespace) -> int:
    """Serves until the input ends.

    Raises:
        InputError: memory is to be given back at a time that is none.
    """
    if not 0.01 <= options.idle_seconds <= 1e6:
        raise InputError("--idle-seconds must be from 0.01 to a million.", f"Leave it out for {IDLE_SECONDS:g}.")
    from ..jobs import server

    return server.serve(options.idle_seconds)


COMMAND = Command("serve", "speak the add-on's protocol on standard input and output", run, add_arguments)
