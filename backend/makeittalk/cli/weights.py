"""`makeittalk weights`: the files of the networks, listed or checked."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from .command import Command


def add_arguments(parser: ArgumentParser) -> None:
    """What to do with them."""
    parser.add_argument("action", choices=("list", "verify"))


def run(options: Namespace) -> None:
    """Lists the files, after checking them where that is asked for."""
    from ..weights.files import list_weights, verify_weights

    if options.action == "verify":
        verify_weights()
    for entry in list_weights():
        print(entry)


COMMAND = Command("weights", "what the networks know", run, add_arguments)
