"""Readers of the laboratory: clips, indexes, logs, recipes, checkpoints of trainings, books of what was prepared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from makeittalk.exchange import storage
from makeittalk.exchange.errors import MakeItTalkError
from makeittalk_lab.data.clips import Clip, Prepared
from makeittalk_lab.data.image_clips import ImageClip
from makeittalk_lab.data.mouth_clip import MouthClip
from makeittalk_lab.data.mouth_frames import MouthFrames
from makeittalk_lab.data.phone_files import read_phones
from makeittalk_lab.data.transcripts import aligned_words, read_transcripts, spoken_words
from makeittalk_lab.prepare.campaign import _lines as book_lines
from makeittalk_lab.prepare.vctk import read_info
from makeittalk_lab.prepare.voices import _phone_times
from makeittalk_lab.training import checkpoint
from makeittalk_lab.training.content import ContentTrainingConfig
from makeittalk_lab.training.image import ImageTrainingConfig
from makeittalk_lab.training.log import Log
from project import CONFIGS
from reader import Reader

TYPED = (MakeItTalkError,)


def _clip(folder: Path) -> dict[str, bytes]:
    rng = np.random.default_rng(5)
    frames = 6
    face = rng.normal(0, 1, (frames, 68, 3)).astype(np.float32)
    mel = rng.random((frames, 80)).astype(np.float32)
    voice, sound = np.full(256, 0.06, np.float32), np.zeros(900, np.float32)
    made = Clip("one", mel, face, face[0], face, mel, 1.0, voice, None, sound)
    made.save(folder)
    return {"one.npz": (folder / "one.npz").read_bytes()}


def _prepared(folder: Path) -> dict[str, bytes]:
    Prepared(folder, "grid", ["a", "b"], ["c"], ["d"], {"e": "It is short."}).save()
    name = next(path.name for path in folder.iterdir() if path.suffix == ".json")
    return {name: (folder / name).read_bytes()}


def _log(path: Path) -> object:
    log = Log(path.parent)
    return log.read(), log.cut(10)


def _log_lines() -> bytes:
    entries = [{"step": step, "rate": 0.001, "seconds": 2.0 * step, "lip": 0.5} for step in range(4)]
    entries[2]["validation"] = {"lip": 0.4}  # type: ignore[assignment]
    return "".join(json.dumps(entry) + "\n" for entry in entries).encode()


def _recipe(path: Path) -> object:
    storage.read_toml(path)
    kind = ImageTrainingConfig if "image" in path.name else ContentTrainingConfig
    return kind.load(path)


def _recipes(_folder: Path) -> dict[str, bytes]:
    return {name: (CONFIGS / name).read_bytes() for name in ("content.toml", "image.toml")}


class _Training:
    """A network of one layer and its optimizer, as a training holds them."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.network = torch.nn.Linear(3, 2)
        self.optimizer = torch.optim.Adam(self.network.parameters())

    def step(self) -> None:
        self.network(torch.ones(1, 3)).sum().backward()
        self.optimizer.step()


def _checkpoint(folder: Path) -> dict[str, bytes]:
    training = _Training()
    training.step()
    checkpoint.save(folder, "content", 7, {"net": training.network}, {"adam": training.optimizer})
    return {checkpoint.NAME: (folder / checkpoint.NAME).read_bytes()}


def _go_on(path: Path) -> None:
    """What loads can be trained on."""
    training = _Training()
    checkpoint.load(path.parent, "content", {"net": training.network}, {"adam": training.optimizer})
    training.step()


def _book() -> bytes:
    lines: list[dict[str, object]] = [{"corpus": "grid", "format": 1}, {"name": "a", "stamp": [1, 2], "value": 3}]
    lines.append({"name": "b", "fault": "It is short."})
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def _words(path: Path) -> object:
    return aligned_words(path), spoken_words(path.read_bytes().decode("utf-8", "replace"))


def _image_clip(folder: Path) -> dict[str, bytes]:
    rng = np.random.default_rng(1)
    clip = ImageClip("one", *_pictures(rng))
    clip.save(folder)
    return {"one.npz": (folder / "one.npz").read_bytes()}


def _pictures(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    from makeittalk_lab.data.image_clips import SIZE

    pictures = np.zeros((2, SIZE, SIZE, 3), np.uint8)
    rest, landmarks = rng.random((68, 2)).astype(np.float32), rng.random((2, 68, 2)).astype(np.float32)
    return pictures[0], pictures, pictures, rest, landmarks


def _mouth_frames(folder: Path) -> dict[str, bytes]:
    from makeittalk_lab.data.image_clips import SIZE

    clip = ImageClip("one", *_pictures(np.random.default_rng(1)))
    cards = np.zeros((2, SIZE, SIZE, 3), np.uint8)
    MouthFrames(clip, cards, np.ones(3), 1.0, np.array([64, 32]), True).save(folder)
    return {"one.card.npz": (folder / "one.card.npz").read_bytes()}


def _mouth_clip(folder: Path) -> dict[str, bytes]:
    clip = MouthClip(
        np.zeros((2, 16, 16, 3), np.uint8),
        np.array(["rest", "ah"]),
        np.array([True, False]),
        np.zeros((2, 68, 2), np.float32),
        np.zeros((2, 12, 2), np.float32),
        np.zeros(2, np.float32),
        np.zeros((2, 3), np.float32),
        1,
        np.zeros(3, np.int32),
    )
    clip.save(folder / "one.npz")
    return {"one.npz": (folder / "one.npz").read_bytes()}


_PHONES = json.dumps([[0.0, 0.1, "SIL"], [0.1, 0.25, "AA"]])
_TSV = "file\tmean_logprob\ttext\na\t-0.1\tHello there\nb\t-0.2\tMr. Fox\n"
_ALIGN = "0 1000 sil\n1000 5000 bin\n5000 9000 b\n"
_VCTK = "ID  AGE  GENDER  ACCENTS  REGION\n"
_VCTK += "p225  23  F    English    Southern  England\n226 22 M English Surrey (mic2 is bad)\n"


def _one(name: str, text: str):
    return lambda _folder: {name: text.encode()}


READERS = (
    Reader("clip", _clip, Clip.load, TYPED, "npz", 800),
    Reader("prepared index", _prepared, lambda path: Prepared.load(path.parent), TYPED, "json", 1200),
    Reader("training log", lambda _folder: {"log.jsonl": _log_lines()}, _log, TYPED, "lines", 1200),
    Reader("recipe", _recipes, _recipe, TYPED, "words", 800),
    Reader("training checkpoint", _checkpoint, _go_on, TYPED, "safetensors", 800),
    Reader("book", lambda _folder: {"book.jsonl": _book()}, book_lines, TYPED, "lines", 1200),
    Reader("phones", _one("phones.json", _PHONES), read_phones, TYPED, "json", 1200),
    Reader("phones of a voice", _one("voice.json", _PHONES), _phone_times, TYPED, "json", 1200),
    Reader("transcripts", _one("transcripts.tsv", _TSV), lambda p: read_transcripts(p.parent), TYPED, "table", 1000),
    Reader("spoken words", _one("words.align", _ALIGN), _words, TYPED, "words", 600),
    Reader("speakers", _one("speaker-info.txt", _VCTK), read_info, TYPED, "words", 600),
    Reader("image clip", _image_clip, lambda path: ImageClip.load(path.parent, "one"), TYPED, "npz", 300),
    Reader("mouth frames", _mouth_frames, lambda path: MouthFrames.load(path.parent, "one"), TYPED, "npz", 300),
    Reader("mouth clip", _mouth_clip, MouthClip.load, TYPED, "npz", 500),
)
