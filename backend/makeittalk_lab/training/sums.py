"""Lists the weights that ship with their SHA-256, after one was added or trained again.

python -m makeittalk_lab.training.sums
"""

from __future__ import annotations

import sys
from pathlib import Path

from makeittalk.exchange import storage
from makeittalk.weights.files import FOLDER, SUMS

from ..tool import exit_status


def write_sums(folder: Path = FOLDER) -> None:
    """Lists every file of weights in a folder with its SHA-256.

    Raises:
        OutputError: the list cannot be written.
    """
    files = sorted(path for kind in ("*.safetensors", "*.task") for path in folder.glob(kind))
    lines = [f"{storage.sha256(file)}  {file.name}" for file in files]
    with storage.replacing(folder / SUMS) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(exit_status(write_sums))
