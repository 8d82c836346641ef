"""The files of shipped weights, each listed in SHA256SUMS beside this module and verified before it is used."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..exchange import storage
from ..exchange.errors import InputError, MissingError

FOLDER = Path(__file__).parent
SUMS = "SHA256SUMS"
MAX_BYTES = 512 * 2**20  # of one file
_LONGEST = 255  # bytes of a file's name
AGAIN = "Install MakeItTalk again, or name other weights."


@dataclass(frozen=True)
class WeightFile:
    """A listed file: its name without suffix, path, size in bytes (0 where missing) and SHA-256."""

    name: str
    path: Path
    size: int
    sha256: str

    def __str__(self) -> str:
        size = f"{self.size / 1e6:.2f} MB" if self.size else "missing"
        return f"{self.name}  {size}  SHA-256 {self.sha256[:12]}…"


def list_weights(folder: Path | None = None) -> list[WeightFile]:
    """Every file of SHA256SUMS, in its order.

    Raises:
        MissingError: there is no list. InputError: the list is damaged.
    """
    folder = folder or FOLDER
    path = folder / SUMS
    if not path.is_file():
        raise MissingError(f"The list of weights {path} is missing.", AGAIN)
    files: list[WeightFile] = []
    for line in storage.read_bytes(path, 1 << 20).decode("utf-8", "replace").splitlines():
        digest, _, name = line.strip().partition("  ")
        if not line.strip():
            continue
        usable = name.isprintable() and 0 < len(name.encode()) <= _LONGEST
        if len(digest) != 64 or not usable or Path(name).name != name:
            raise InputError(f"{path} is damaged.", AGAIN)
        file = folder / name
        files.append(WeightFile(Path(name).stem, file, file.stat().st_size if file.is_file() else 0, digest.lower()))
    return files


def verify_weights(folder: Path | None = None) -> list[WeightFile]:
    """Reads every listed file and compares its SHA-256; returns them when all are whole.

    Raises:
        MissingError: a file is missing. InputError: a file is damaged.
    """
    files = list_weights(folder)
    for file in files:
        _verified(file)
    return files


def fingerprint_of(name: str) -> str:
    """The SHA-256 of weights, without loading them.

    Args:
        name: a listed set, or a path to a .safetensors file of one's own training.

    Raises:
        MissingError: no such weights. InputError: the file cannot be read.
    """
    if name.endswith(".safetensors"):
        return hashlib.sha256(storage.read_bytes(name, MAX_BYTES)).hexdigest()
    return listed(name).sha256


def listed(name: str) -> WeightFile:
    """The listed file of that name.

    Raises:
        MissingError: there is none.
    """
    files = list_weights()
    file = next((file for file in files if file.name == name), None)
    if file is None:
        known = ", ".join(file.name for file in files)
        raise MissingError(f"There are no weights called {name!r}.", f"There are: {known}.")
    return file


def _verified(file: WeightFile) -> bytes:
    """A listed file's content, its checksum compared."""
    if not file.size:
        raise MissingError(f"The weights {file.path} are missing.", AGAIN)
    data = storage.read_bytes(file.path, MAX_BYTES)
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise InputError(f"The weights {file.path} are damaged: their SHA-256 is not the listed one.", AGAIN)
    return data


def listed_bytes(name: str) -> bytes:
    """A listed file's content, its checksum compared.

    Raises:
        MissingError: there is no such file. InputError: it is damaged.
    """
    return _verified(listed(name))
