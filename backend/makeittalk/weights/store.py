"""Weights on disk: safetensors files beside this module, each listed in SHA256SUMS."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from safetensors.torch import save_file

from ..exchange import storage
from ..exchange.errors import InputError, MissingError
from ..networks.content import ContentBranch, ContentConfig
from ..networks.normalised_mel import VoiceAverage

FOLDER = Path(__file__).parent
SUMS = "SHA256SUMS"
DEFAULT_CONTENT = "content"
FORMAT = 1
MAX_BYTES = 512 * 2**20  # of one file
_MAX_HEADER = 1 << 20
_AGAIN = "Install MakeItTalk again, or name other weights."


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
        raise MissingError(f"The list of weights {path} is missing.", _AGAIN)
    files: list[WeightFile] = []
    for line in storage.read_bytes(path, 1 << 20).decode("utf-8", "replace").splitlines():
        digest, _, name = line.strip().partition("  ")
        if not line.strip():
            continue
        if len(digest) != 64 or not name or Path(name).name != name:
            raise InputError(f"{path} is damaged.", _AGAIN)
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


def write_sums(folder: Path | None = None) -> None:
    """Lists every .safetensors file of a folder with its SHA-256; for whoever adds weights to the project."""
    folder = folder or FOLDER
    files = sorted(folder.glob("*.safetensors"))
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" for file in files]
    with storage.replacing(folder / SUMS) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def fingerprint_of(name: str) -> str:
    """The SHA-256 of weights, without loading them.

    Args:
        name: a listed set, or a path to a .safetensors file of one's own training.

    Raises:
        MissingError: no such weights. InputError: the file cannot be read.
    """
    if name.endswith(".safetensors"):
        return hashlib.sha256(storage.read_bytes(name, MAX_BYTES)).hexdigest()
    return _listed(name).sha256


def load_content(name: str | None = None, device: str = "cpu") -> tuple[ContentBranch, dict[str, Any]]:
    """The content branch with its weights, ready to predict.

    Args:
        name: a listed set, a path to a .safetensors file of one's own training, or None for the default.
        device: "cpu", "cuda" or "mps".

    Returns:
        The branch in eval mode, float32, and a dict: `name`, `config` (ContentConfig), `average` (VoiceAverage),
        `features` (what the branch hears, one of hearing.KINDS) and `notes` (what training wrote down).

    Raises:
        MissingError: no such weights. InputError: they are damaged or of another kind.
    """
    name = name or DEFAULT_CONTENT
    if name.endswith(".safetensors"):
        path = Path(name)
        data = storage.read_bytes(path, MAX_BYTES)
    else:
        file = next((file for file in list_weights() if file.name == name), None)
        if file is None:
            known = ", ".join(file.name for file in list_weights())
            raise MissingError(f"There are no weights called {name!r}.", f"There are: {known}.")
        path, data = file.path, _verified(file)
    try:
        meta = _metadata(data)
        if meta["kind"] != "content" or int(meta["format"]) != FORMAT:
            raise ValueError("another kind")
        config = ContentConfig.from_dict(json.loads(meta["config"]))
        average = VoiceAverage.from_dict(json.loads(meta["voice"]))
        notes = dict(json.loads(meta["notes"]))
        heard = str(notes.get("features", "mel"))
        branch = ContentBranch(config)
        branch.load_state_dict({key: value.float() for key, value in read_tensors(data).items()})
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError, RecursionError) as error:
        raise InputError(f"{path} does not hold weights of a content branch.", _AGAIN) from error
    found = {"name": name, "config": config, "average": average, "features": heard, "notes": notes}
    return branch.to(device).eval(), found


def load_tensors(name: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """A file's tensors as they are stored, and what its metadata says under `data` (JSON).

    Args:
        name: a listed set, or a path to a .safetensors file of one's own training.

    Raises:
        MissingError: no such weights. InputError: they are damaged.
    """
    if name.endswith(".safetensors"):
        path = Path(name)
        data = storage.read_bytes(path, MAX_BYTES)
    else:
        file = _listed(name)
        path, data = file.path, _verified(file)
    try:
        return read_tensors(data), json.loads(_metadata(data)["data"])
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{path} does not hold usable weights.", _AGAIN) from error


def save_content(path: str | Path, branch: ContentBranch, average: VoiceAverage, notes: dict[str, Any]) -> None:
    """Writes a content branch in half precision with everything that is needed to use it.

    Raises:
        OutputError: it cannot be written.
    """
    meta = {
        "format": str(FORMAT),
        "kind": "content",
        "config": json.dumps(branch.config.to_dict()),
        "voice": json.dumps(average.to_dict()),
        "notes": json.dumps(notes),
    }
    with storage.replacing(path) as temporary:
        save_file(half_precision(branch), temporary, meta)


def half_precision(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A network's tensors as they are shipped: floating ones in fp16, on the CPU."""
    return {
        name: (value.half() if value.is_floating_point() else value).contiguous().cpu()
        for name, value in network.state_dict().items()
    }


def _listed(name: str) -> WeightFile:
    """The listed file of that name.

    Raises:
        MissingError: there is none.
    """
    file = next((file for file in list_weights() if file.name == name), None)
    if file is None:
        raise MissingError(f"There are no weights called {name!r}.", _AGAIN)
    return file


def _verified(file: WeightFile) -> bytes:
    """A listed file's content, its checksum compared."""
    if not file.size:
        raise MissingError(f"The weights {file.path} are missing.", _AGAIN)
    data = storage.read_bytes(file.path, MAX_BYTES)
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise InputError(f"The weights {file.path} are damaged: their SHA-256 is not the listed one.", _AGAIN)
    return data


def _metadata(data: bytes) -> dict[str, str]:
    """The metadata in a safetensors file's header."""
    size = int.from_bytes(data[:8], "little")
    if not 2 <= size <= min(_MAX_HEADER, len(data) - 8):
        raise ValueError("no header")
    value = json.loads(data[8 : 8 + size])["__metadata__"]
    if not isinstance(value, dict):
        raise ValueError("no metadata")
    return value
