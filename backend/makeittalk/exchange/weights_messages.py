"""The messages about sets of weights that are imported. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .data_folder import RELEASED
from .message import Fields


@dataclass
class ImportWeights(Fields):
    """Makes a set of weights of the original checkpoints in `folder`, under `name` in the user's data."""

    method: ClassVar[str] = "import_weights"
    folder: str = ""
    name: str = RELEASED


@dataclass
class ImportWeightsData(Fields):
    """What `import_weights` answers: the set's name, its folder and the licence that it is under."""

    name: str = ""
    folder: str = ""
    licence: str = ""
