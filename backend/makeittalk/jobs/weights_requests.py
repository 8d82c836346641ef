"""The server's answers about sets of weights."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..exchange import protocol
from ..exchange.errors import InputError
from ..exchange.progress import Progress


def import_weights(request: protocol.ImportWeights, progress: Progress) -> dict[str, Any]:
    """Makes a set of weights of the original checkpoints."""
    from ..weights.importer import import_released
    from ..weights.released_layout import LICENCE

    if not request.folder:
        raise InputError("No folder is named to import from.", "Name a clone of the original MakeItTalk repository.")
    folder = import_released(request.folder, request.name, progress)
    return asdict(protocol.ImportWeightsData(name=request.name, folder=str(folder), licence=LICENCE))
