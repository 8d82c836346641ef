"""What a command says on standard error while it works: how far it is, and notices."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ..exchange.progress import Progress, silent

LINE_INTERVAL = 5.0  # s between two lines where no bar can be drawn; shorter work prints none


@contextmanager
def progress_bar(lines: bool = True) -> Iterator[Progress]:
    """A bar on a terminal; elsewhere, in a log or a pipe, a line now and then.

    Args:
        lines: False leaves the lines out, for work of hours that keeps a log of its own.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield _lines() if lines and sys.stderr is not None else silent
        return
    from tqdm import tqdm

    with tqdm(total=100, bar_format="{desc:<24}{percentage:3.0f}%|{bar}| {remaining}", leave=False) as bar:

        def report(fraction: float, stage: str) -> None:
            bar.set_description_str(stage, refresh=False)
            bar.n = 100.0 * fraction
            bar.refresh()

        yield report


def _lines() -> Progress:
    """Prints stage and percent every `LINE_INTERVAL` seconds, the first time after so many."""
    last = time.monotonic()

    def report(fraction: float, stage: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= LINE_INTERVAL:
            last = now
            print(f"{stage}: {100.0 * fraction:.0f} %", file=sys.stderr, flush=True)

    return report


def tell(notices: Iterable[str]) -> None:
    """Prints notices, a line each."""
    for notice in notices:
        print(f"makeittalk: {notice}", file=sys.stderr)
