"""Readers of weights: networks of every kind, checkpoints of others, sets that were imported, texts beside them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import hostile_checkpoints
import numpy as np
import torch
from byte_mutation import mutate
from makeittalk.animation.basis import BASIS_FILE, load_basis
from makeittalk.exchange.errors import MakeItTalkError
from makeittalk.landmarks.face_landmarker import MODELS
from makeittalk.networks.content import ContentBranch, ContentConfig
from makeittalk.networks.content_inference import ContentModel, load_content, save_content
from makeittalk.networks.correction import CorrectionConfig, CorrectionNet
from makeittalk.networks.image import ImageConfig, PaperUNet
from makeittalk.networks.image_inference import read_image, save_image
from makeittalk.networks.mouth import MouthConfig, MouthNet
from makeittalk.networks.mouth_inference import load_mouth, save_mouth
from makeittalk.networks.normalised_mel import VoiceAverage
from makeittalk.networks.phones import PhoneNet, PhonesConfig
from makeittalk.networks.phones_inference import PhonesModel, load_phones, save_phones
from makeittalk.networks.speaker import SpeakerBranch, SpeakerConfig
from makeittalk.networks.speaker_inference import SpeakerModel, load_speaker, save_speaker
from makeittalk.networks.voice import VoiceConfig, VoiceConversion
from makeittalk.networks.voice_inference import TargetVoice, VoiceModel, load_voice, save_voice
from makeittalk.networks.whisper import WhisperConfig, WhisperEncoder
from makeittalk.networks.whisper_inference import load_whisper, save_whisper
from makeittalk.weights import files
from makeittalk.weights.cache import release_loaded
from makeittalk.weights.importer import import_released
from makeittalk.weights.released import _read_statistics
from makeittalk.weights.released_layout import Layout, ReleasedNetwork, ReleasedText
from makeittalk.weights.released_sources import read_text
from makeittalk.weights.torch_files import open_checkpoint
from reader import Reader
from released_files import statistics, write_sums
from safetensors.torch import save_file

TYPED = (MakeItTalkError,)
_AVERAGE = VoiceAverage(np.linspace(0.2, 0.5, 80, dtype=np.float32), np.full(80, 0.13, np.float32))
_TEXT = ReleasedText("numbers", "numbers.txt", {"first": (3,), "second": (2, 2)}, frozenset({"first"}))
_SMALL = {"a.weight": (3, 2), "a.bias": (3,), "n.num_batches_tracked": ()}
_LAYOUT = Layout({"small": ReleasedNetwork("small network", "small.pth", "model", _SMALL)}, (_TEXT,))


def _saved(save: Callable[[Path], object]) -> Callable[[Path], dict[str, bytes]]:
    def made(folder: Path) -> dict[str, bytes]:
        torch.manual_seed(0)
        save(folder / "own.safetensors")
        return {"own.safetensors": (folder / "own.safetensors").read_bytes()}

    return made


def _loaded(load: Callable[[str], object]) -> Callable[[Path], object]:
    def read(path: Path) -> object:
        release_loaded()
        return load(str(path))

    return read


def _content(path: Path) -> None:
    config = ContentConfig(inputs=80, streaming=True, hidden=8, layers=1, mlp=(8,))
    save_content(path, ContentModel(ContentBranch(config), _AVERAGE, "mel"), {"steps": 3})


def _speaker(path: Path) -> None:
    config = SpeakerConfig(inputs=80, hidden=8, layers=1, embedding=(16, 8), width=16, heads=2, depth=1, feed_forward=8)
    save_speaker(path, SpeakerModel(SpeakerBranch(config), _AVERAGE, "mel"), {})


def _voice(path: Path) -> None:
    config = VoiceConfig(units=4, width=16, convolutions=1, decoder=16, layers=1, postnet=16)
    target = TargetVoice(np.full(256, 0.06, np.float32), _AVERAGE)
    save_voice(path, VoiceModel(VoiceConversion(config), _AVERAGE, target), {})


def _phones(path: Path) -> None:
    save_phones(path, PhonesModel(PhoneNet(PhonesConfig(inputs=80, width=8)), _AVERAGE, "mel"), {})


def _image(folder: Path) -> dict[str, bytes]:
    save_image(folder / "a.safetensors", CorrectionNet(CorrectionConfig(widths=(4, 4), blocks=0)), "correction", {})
    save_image(folder / "b.safetensors", PaperUNet(ImageConfig(4, (1, 1))), "paper", {})
    return {name: (folder / name).read_bytes() for name in ("a.safetensors", "b.safetensors")}


def _mouth(path: Path) -> None:
    save_mouth(path, MouthNet(MouthConfig(widths=(4, 4), blocks=0)), {})


def _whisper(path: Path) -> None:
    save_whisper(path, WhisperEncoder(WhisperConfig(blocks=1)), {})


def _state() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return {name: torch.tensor(7) if "tracked" in name else torch.rand(shape) for name, shape in _SMALL.items()}


def _checkpoints(folder: Path) -> dict[str, bytes]:
    """One as torch saves it today, one as before 1.6, both with an optimizer's state."""
    value = {"model": _state(), "epoch": 3, "optimizer": {"state": {0: {"step": 1}}, "param_groups": [{"lr": 0.1}]}}
    found = {}
    for name, packed in (("today.pth", True), ("former.pth", False)):
        torch.save(value, folder / name, _use_new_zipfile_serialization=packed)
        found[name] = (folder / name).read_bytes()
    return found


def _checkpoint(path: Path) -> object:
    with open_checkpoint(path) as checkpoint:
        found = checkpoint.tensors("model")
        return [checkpoint.read(tensor) for tensor in found.values()]


def _clone(folder: Path) -> dict[str, bytes]:
    (folder / "numbers.txt").write_text("1 2 3 4 5 6 7\n")
    torch.save({"model": _state()}, folder / "small.pth")
    return {"small.pth": (folder / "small.pth").read_bytes(), "numbers.txt": b"1 2 3 4 5 6 7\n"}


def _numbers(_folder: Path) -> dict[str, bytes]:
    return {"numbers.txt": b"1 2 3 4 5 6 7\n"}


def _import(path: Path) -> object:
    made = import_released(path.parent, "mine", layout=_LAYOUT)
    shutil.rmtree(made)
    return made


def _attack(content: bytes, seed: int, folder: Path) -> bytes:
    """A checkpoint with code in it; of a text beside it, a damaged one."""
    if not content.startswith((b"PK", b"\x80")):
        return mutate(content, seed)
    path = folder / "attacked.bin"
    path.write_bytes(content)
    hostile_checkpoints.corrupt(path, seed, folder.parent.parent / "canary")
    return path.read_bytes()


def _statistics(folder: Path) -> dict[str, bytes]:
    save_file(statistics(), folder / "statistics.safetensors")
    return {"statistics.safetensors": (folder / "statistics.safetensors").read_bytes()}


def _read_listed(path: Path) -> object:
    """Statistics whose sum is the listed one, as that of a set from strangers is."""
    write_sums(path.parent)
    return _read_statistics(path)


def _basis(_folder: Path) -> dict[str, bytes]:
    return {"basis.safetensors": BASIS_FILE.read_bytes()}


def _task(folder: Path) -> dict[str, bytes]:
    """The networks that find faces: whatever happened to their file, it is found before anything starts on it."""
    content = (files.FOLDER / f"{MODELS}.task").read_bytes()
    (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(content).hexdigest()}  {MODELS}.task\n")
    return {f"{MODELS}.task": content}


def _verify(path: Path) -> object:
    return files.verify_weights(path.parent)


Samples = Callable[[Path], dict[str, bytes]]


def _network(name: str, samples: Samples, load: Callable[[str], object], count: int = 500) -> Reader:
    return Reader(name, samples, _loaded(load), TYPED, "safetensors", count)


READERS = (
    _network("content network", _saved(_content), load_content),
    _network("speaker network", _saved(_speaker), load_speaker),
    _network("voice network", _saved(_voice), load_voice),
    _network("phone network", _saved(_phones), load_phones),
    _network("image network", _image, read_image, 600),
    _network("mouth network", _saved(_mouth), load_mouth),
    _network("whisper network", _saved(_whisper), load_whisper, 60),
    Reader("checkpoint", _checkpoints, _checkpoint, TYPED, count=2000, change=_attack),
    Reader("import", _clone, _import, TYPED, count=1200, change=_attack),
    Reader("released text", _numbers, lambda path: read_text(path, _TEXT), TYPED, "words", 1500),
    Reader("statistics", _statistics, _read_listed, TYPED, "safetensors", 800),
    Reader("basis", _basis, lambda path: load_basis.__wrapped__(path), TYPED, "safetensors", 800),
    Reader("face finder's file", _task, _verify, TYPED, count=40),
)
