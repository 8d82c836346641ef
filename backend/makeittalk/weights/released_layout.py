"""What belongs to the original MakeItTalk checkpoints: files, keys, the names and shapes of their tensors, texts.

Source: the original repository (https://github.com/yzhou359/MakeItTalk) as far as names and shapes go; nothing of its
code or its weights is here.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..exchange import storage
from ..exchange.data_folder import SUMS

LICENCE = "CC BY-NC 4.0"  # of the original checkpoints: not for commerce
CHECKPOINTS = "examples/ckpt"  # where a clone has them
STATISTICS = "statistics"
SUFFIX = ".safetensors"


@dataclass(frozen=True)
class ReleasedNetwork:
    """One of the checkpoints.

    Attributes:
        title: in a sentence. file: its name. key: of the network in it. shapes: of the network's tensors, by name.
    """

    title: str
    file: str
    key: str
    shapes: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class ReleasedText:
    """A text of numbers beside them.

    Attributes:
        title: in a sentence. path: in a clone. arrays: name and shape of what it holds, one after another.
        positive: arrays whose numbers are all above zero.
    """

    title: str
    path: str
    arrays: Mapping[str, tuple[int, ...]]
    positive: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Layout:
    """All of it: networks by the name of the file that each becomes, and texts."""

    networks: Mapping[str, ReleasedNetwork]
    texts: tuple[ReleasedText, ...]

    @property
    def files(self) -> list[str]:
        """The files of an imported set."""
        return [*(f"{name}{SUFFIX}" for name in self.networks), f"{STATISTICS}{SUFFIX}", SUMS]


@functools.cache
def released_layout() -> Layout:
    """The layout of the original checkpoints."""
    found = storage.read_json(Path(__file__).parent / "released_shapes.json")
    shapes = {name: {tensor: tuple(shape) for tensor, shape in tensors.items()} for name, tensors in found.items()}
    networks = {
        name: ReleasedNetwork(title, file, key, shapes[name])
        for name, title, file, key in (
            ("voice_conversion", "voice conversion", "ckpt_autovc.pth", "model"),
            ("content_branch", "content branch", "ckpt_content_branch.pth", "model_g_face_id"),
            ("speaker_branch", "speaker branch", "ckpt_speaker_branch.pth", "G"),
            ("image_translation", "image translation", "ckpt_116_i2i_comb.pth", "G"),
        )
    }
    return Layout(networks, _TEXTS)


_TEXTS = (
    ReleasedText(
        "band means and deviations",
        "src/dataset/utils/MEAN_STD_AUTOVC_RETRAIN_MEL_AU.txt",
        {"band_mean": (80,), "band_std": (80,)},
        frozenset({"band_std"}),
    ),
    ReleasedText("target embedding", "src/autovc/retrain_version/obama_emb.txt", {"target_embedding": (256,)}),
    ReleasedText("mean face", "src/dataset/utils/STD_FACE_LANDMARKS.txt", {"mean_face": (68, 3)}),
)
