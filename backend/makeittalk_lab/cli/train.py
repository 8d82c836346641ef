"""`makeittalk train`: a network learns as a recipe says, and goes on where it was stopped."""

from __future__ import annotations

import os
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from makeittalk.cli import arguments
from makeittalk.cli.command import Command
from makeittalk.cli.output import check_apart, check_file
from makeittalk.cli.terminal import progress_bar
from makeittalk.exchange.constants import DEVICES
from makeittalk.exchange.progress import Progress, silent

if TYPE_CHECKING:
    from ..training.log import Log

_REDRAW = 60.0  # s between two pictures of a training
# Not 0 in a process of the same run for another device or on another machine, as Lightning Fabric and torchrun say it.
_PLACES = ("LOCAL_RANK", "NODE_RANK", "RANK", "GROUP_RANK")
# Keys of training.train.TASKS, which brings torch.
NETWORKS = (
    "voice",
    "content",
    "speaker",
    "phones",
    "image",
    "mouth",
)


def add_arguments(parser: ArgumentParser) -> None:
    """A network, its recipe, and what of it this machine does otherwise."""
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("config", type=Path, help="TOML file, see training/configs")
    parser.add_argument("--device", choices=DEVICES, help="instead of the file's accelerator")
    parser.add_argument("--devices", metavar="N", help="how many of them, or auto for all")
    parser.add_argument(
        "--nodes", type=arguments.count, metavar="N", help="machines with so many each, see docs/scale.md"
    )
    parser.add_argument("--precision", metavar="P", help="32-true, bf16-mixed, 16-mixed … or auto")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="also draw losses and validation, again every minute")


def run(options: Namespace) -> None:
    """Trains, and draws the log as it grows."""
    if options.plot:
        check_file(options.plot, (".png",))
    check_apart([options.plot], [options.config])
    # What the network library says of connections that break; `training.watch` has a sentence for it.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    from makeittalk.exchange import storage

    from ..training.log import Log
    from ..training.train import train

    log = Log(os.path.expanduser(str(storage.read_toml(options.config).get("out", ""))))
    asked = {
        "accelerator": options.device,
        "devices": options.devices,
        "nodes": options.nodes,
        "precision": options.precision,
    }
    overrides = {key: value for key, value in asked.items() if value is not None}
    if any(os.environ.get(name, "0") not in ("", "0") for name in _PLACES):
        train(options.network, options.config, silent, **overrides)
        return
    with progress_bar(lines=False) as progress:  # it takes hours, and its log says more
        try:
            shown = _drawing(progress, log, options.plot) if options.plot else progress
            train(options.network, options.config, shown, **overrides)
        finally:
            if options.plot and log.read():
                log.plot(options.plot)


def _drawing(progress: Progress, log: Log, target: Path) -> Progress:
    """A progress that also draws the log once a minute."""
    drawn = time.monotonic()

    def report(fraction: float, stage: str) -> None:
        nonlocal drawn
        progress(fraction, stage)
        if time.monotonic() - drawn > _REDRAW:
            log.plot(target)
            drawn = time.monotonic()

    return report


COMMAND = Command("train", "train a network", run, add_arguments)
