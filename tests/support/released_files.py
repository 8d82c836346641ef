"""State dictionaries with the names and shapes of the released checkpoints, and folders of them; no value is theirs."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import numpy as np
import torch
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.weights.released_layout import released_layout
from safetensors.torch import save_file

LANDMARK_FILES = ("voice_conversion", "content_branch", "speaker_branch")
FILES = (*LANDMARK_FILES, "image_translation")


def released_shapes() -> dict[str, dict[str, tuple[int, ...]]]:
    """Names and shapes of every tensor of the four checkpoints."""
    return {name: dict(network.shapes) for name, network in released_layout().networks.items()}


def positions(shape: tuple[int, ...]) -> np.ndarray:
    """The `pe` buffer (1, T, width) as the description has it: in the exponent 2i and 2(i + 1) for even i."""
    _, frames, width = shape
    table = np.zeros(shape)
    for place in range(0, width, 2):
        table[0, :, place] = np.sin(np.arange(frames) / 10_000 ** (2 * place / width))
        table[0, :, place + 1] = np.cos(np.arange(frames) / 10_000 ** (2 * (place + 1) / width))
    return table


def known_state(network: str) -> dict[str, torch.Tensor]:
    """The filling that the reference answers were made with."""
    return _state(network, lambda key, count: np.sin(0.37 * np.arange(count) + zlib.crc32(key.encode()) % 1000))


def random_state(network: str, seed: int = 0) -> dict[str, torch.Tensor]:
    """Another filling of the same sizes, −1 to 1 before it is scaled."""
    random = np.random.default_rng(seed)
    return _state(network, lambda _key, count: random.uniform(-1.0, 1.0, count))


def _state(network, wave) -> dict[str, torch.Tensor]:
    state = {}
    for key, shape in released_shapes()[network].items():
        if key.endswith("num_batches_tracked"):
            state[key] = torch.tensor(7)
            continue
        if key.endswith(".pe"):
            state[key] = torch.from_numpy(positions(shape)).float()
            continue
        values = wave(key, int(np.prod(shape))).reshape(shape)
        if key.endswith("running_var"):
            values = 1 + 0.5 * values
        elif len(shape) > 1:
            values = values * 1.5 / np.sqrt(np.prod(shape[1:]))
        elif key.endswith(("weight", "alpha")):
            values = 1 + 0.1 * values
        else:
            values = 0.1 * values
        state[key] = torch.from_numpy(values.astype(np.float32))  # as the reference answers were made
    return state


def write_set(folder: Path, names: tuple[str, ...] = FILES, seed: int = 0) -> Path:
    """A set as importing makes it, with values of chance: networks, statistics, and their sums."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        save_file(random_state(name, seed), folder / f"{name}.safetensors")
    save_file(statistics(seed), folder / "statistics.safetensors")
    write_sums(folder)
    return folder


def statistics(seed: int = 0) -> dict[str, torch.Tensor]:
    """Statistics of chance; the mean face is this project's, y up and towards the viewer, and ten times as large."""
    random = np.random.default_rng(seed)
    values = {
        "band_mean": random.uniform(-1.0, 1.0, 80),
        "band_std": random.uniform(0.5, 1.5, 80),
        "target_embedding": np.abs(random.normal(size=256)) / 16,
        "mean_face": 10.0 * MEAN_FACE * (1.0, -1.0, -1.0),
    }
    return {name: torch.from_numpy(value.astype(np.float32)) for name, value in values.items()}


def write_sums(folder: Path) -> None:
    """Lists every network's file of a folder in its SHA256SUMS."""
    files = sorted(folder.glob("*.safetensors"))
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
