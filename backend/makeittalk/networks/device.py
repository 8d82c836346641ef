"""Which devices networks can run on, and giving their memory back."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

import torch

from ..exchange.errors import InputError
from ..weights.cache import release_loaded


def available_devices() -> list[str]:
    """Devices of this machine, the fastest first; "cpu" is always the last."""
    devices = []
    if torch.cuda.is_available():  # NVIDIA, and AMD under ROCm
        devices.append("cuda")
    if torch.backends.mps.is_available():
        devices.append("mps")
    return [*devices, "cpu"]


def choose_device(name: str) -> str:
    """The device a name stands for; "auto" takes the fastest.

    Raises:
        InputError: this machine has no such device.
    """
    devices = available_devices()
    if name == "auto":
        return devices[0]
    if name not in devices:
        raise InputError(f"This machine has no device {name!r}.", f"Use auto or {' or '.join(devices)}.")
    return name


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Has torch compute on one core within: short work waits long for a second one where others are at work too.

    Holds for the calling thread alone, and may change the last bits of what is computed.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def release() -> None:
    """Drops everything that was kept loaded and returns its memory to the machine."""
    release_loaded()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
