"""What a command of the command line is: its name, its arguments and its run. Standard library only."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One command; its module imports heavy libraries in `run` only, so that `--help` answers at once.

    Attributes:
        name: as it is typed. help: a line for `makeittalk --help`.
        run: does the work; returns the exit status, None for 0, and raises `MakeItTalkError` with a sentence.
        add_arguments: adds what the command takes to its parser.
    """

    name: str
    help: str
    run: Callable[[Namespace], int | None]
    add_arguments: Callable[[ArgumentParser], None] = lambda parser: None
