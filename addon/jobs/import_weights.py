"""A set of weights made of the original checkpoints, in the backend."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...backend.makeittalk.exchange import protocol
from ...backend.makeittalk.exchange.data_folder import check_set_name
from .task import Reading, Task


def start(context: bpy.types.Context, folder: str, name: str) -> Task:
    """Starts importing the original checkpoints.

    Args:
        folder: a clone of the original repository, or a folder of just its files. name: of the new set.

    Raises:
        MakeItTalkError: no set can be called so, or the backend cannot be started.
    """
    check_set_name(name)
    request = protocol.ImportWeights(folder=bpy.path.abspath(folder), name=name)

    def read(_job: Path) -> Reading:
        yield from ()
        return request

    def take(_context: bpy.types.Context, data: protocol.ImportWeightsData) -> str:
        licence = f"Its licence is {data.licence}: not for commerce."
        return f"The set {data.name} is imported: choose it under Weights. {licence}"

    return Task(
        context,
        read,
        take,
        protocol.ImportWeightsData,
        when_cancelled="Cancelled. The sets of weights are as they were.",
    )
