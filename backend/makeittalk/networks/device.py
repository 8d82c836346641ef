"""Which devices networks can run on, and giving their memory back."""

from __future__ import annotations

import gc

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


def release() -> None:
    """Drops everything that was kept loaded and returns its memory to the machine."""
    release_loaded()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
