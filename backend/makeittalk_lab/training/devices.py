"""The devices that a training runs on, through Lightning Fabric."""

from __future__ import annotations

import logging
import os
import warnings
from typing import TYPE_CHECKING, Any

import torch
from makeittalk.exchange.errors import InputError, MissingError

from .config import LoopConfig

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_MEETING = ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK")  # of several machines: where the first is, and which one this is


def make_fabric(config: LoopConfig) -> Fabric:
    """Lightning Fabric for the devices asked for.

    Raises:
        InputError: they are not there, or cannot compute in that precision. MissingError: Fabric is not installed.
    """
    try:
        from lightning_fabric import Fabric
        from lightning_fabric.strategies import DDPStrategy
        from lightning_fabric.utilities.exceptions import MisconfigurationException
    except ImportError as error:
        raise MissingError(
            f"Training needs Lightning Fabric: {error}.", "Install it with `pip install lightning-fabric`."
        ) from error

    # What Fabric tells of itself would tear the progress bar.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="lightning_fabric")
    try:
        chosen: dict[str, Any] = {"accelerator": config.accelerator, **_shared_machines(config)}
        plain = Fabric(**chosen)
        precision = config.precision
        if precision == "auto":
            precision = "32-true"
            if plain.device.type == "cuda":
                precision = "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
        if plain.world_size > 1:
            # Buffers stay each process's own: a network that is called twice in a phase could not learn otherwise.
            chosen["strategy"] = DDPStrategy(broadcast_buffers=False)
        return Fabric(**chosen, precision=precision)  # type: ignore[arg-type]
    except (ValueError, TypeError, RuntimeError, MisconfigurationException) as error:
        asked = f"{config.devices} × {config.accelerator} in {config.precision}"
        raise InputError(f"This machine cannot train on {asked}.", "Use auto for all three.") from error


def _shared_machines(config: LoopConfig) -> dict[str, Any]:
    """How many devices and machines there are, as the configuration says, or torchrun, which has started this process.

    Raises:
        InputError: machines cannot find each other.
    """
    if torch.distributed.is_available() and torch.distributed.is_torchelastic_launched():
        here = int(os.environ["LOCAL_WORLD_SIZE"])
        return {"devices": here, "num_nodes": int(os.environ["WORLD_SIZE"]) // here}
    missing = [name for name in _MEETING if name not in os.environ]
    if config.nodes > 1 and missing:
        raise InputError(
            f"Training on {config.nodes} machines lacks {', '.join(missing)} in the environment.",
            "Set them on each machine, or start it by torchrun.",
        )
    devices = int(config.devices) if str(config.devices).isdigit() else config.devices
    return {"devices": devices, "num_nodes": config.nodes}
