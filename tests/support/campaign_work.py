"""What the processes of a campaign do in tests: they import it by its name."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from makeittalk.exchange.errors import InputError, OutputError
from makeittalk_lab.prepare.pool import Unusable


def halve(_name: str, path: Path) -> int:
    """Copies a file and answers half of what it holds; files tell what is to go wrong."""
    text = path.read_text()
    if text == "bad":
        raise InputError(f"{path.name} is bad.")
    if text == "poor":
        raise Unusable(f"{path.name} is poor.", {"how": "very"})
    if text == "bug":
        return 1 // 0
    if text == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if text == "full":
        raise OutputError("The disk is full.", "Free some space.")
    path.with_suffix(".out").write_text(text)
    return int(text) // 2


def threads(_name: str, _argument: None) -> list[object]:
    """How many threads there are."""
    import cv2
    import torch

    return [cv2.getNumThreads(), torch.get_num_threads(), os.environ["OPENBLAS_NUM_THREADS"]]
