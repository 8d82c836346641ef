"""`makeittalk serve`: the add-on's protocol on standard input and output."""

from __future__ import annotations

from argparse import Namespace

from .command import Command


def run(_options: Namespace) -> int:
    """Serves until the input ends."""
    from ..jobs import server

    return server.serve()


COMMAND = Command("serve", "speak the add-on's protocol on standard input and output", run)
