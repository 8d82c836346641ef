"""What training costs here: clips that are read, mapped and packed, and a step of each of the paper's recipes.

    .venv/bin/python tests/bench/bench_training.py

Networks have their full width, the paper's corpora are in miniature. Figures are processor seconds of one thread: what
else the machine does hardly changes them.
"""

# ruff: noqa: E402 - helpers of the tests are found once their folder is on the path

from __future__ import annotations

import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "backend"), str(ROOT / "tests" / "support")]

import numpy as np
import torch
from made_clips import talking
from made_corpora import TalkingPhoto, write_crops, write_obama, write_vctk, write_voxceleb2
from makeittalk.exchange import storage
from makeittalk_lab.data.clips import Clip
from makeittalk_lab.data.mapped_npz import read_mapped
from makeittalk_lab.prepare.frames import prepare_frames
from makeittalk_lab.prepare.obama import prepare_obama
from makeittalk_lab.prepare.vctk import prepare_vctk
from makeittalk_lab.prepare.voxceleb2 import prepare_voxceleb2
from makeittalk_lab.training.config import from_table
from makeittalk_lab.training.loop import run
from makeittalk_lab.training.train import TASKS
from project import CONFIGS

CLIPS, FRAMES = 60, 1250  # of 20 s
#: Recipe, network, corpus; the batch where the recipe's own would take minutes a step.
RECIPES = (
    ("voice_paper", "voice", "vctk", 0),
    ("content_paper", "content", "obama", 0),
    ("speaker_paper", "speaker", "voxceleb2", 0),
    ("image_paper", "image", "frames", 1),
)
STEPS = 3


def read_clips(folder: Path) -> None:
    """Opens every clip and takes a window of 256 frames of it, as a training's first and later examples do."""
    clip = talking(0, FRAMES)
    clip.posed = clip.landmarks + np.random.default_rng(0).normal(0.0, 1.0, clip.landmarks.shape)
    clip.name = "one"
    clip.save(folder)
    packed = dict(storage.read_npz(folder / "one.npz"))
    for number in range(CLIPS):
        clip.name = f"mapped{number}"
        clip.save(folder)
        storage.write_npz(folder / f"packed{number}.npz", packed)
    for kind in ("packed", "mapped"):
        paths = sorted(folder.glob(f"{kind}*.npz"))
        began = time.process_time()
        read = [read_mapped(path) for path in paths]
        opened = time.process_time() - began
        began = time.process_time()
        total = sum(float(values["landmarks"][200:456].sum()) for values in read)
        taken = time.process_time() - began
        own = sum(
            value.nbytes for values in read for value in values.values() if value.flags.owndata or kind == "packed"
        )
        size = paths[0].stat().st_size
        print(
            f"{kind}: {1000 * opened / CLIPS:.2f} ms to open a clip of 20 s, "
            f"{1000 * taken / CLIPS:.3f} ms for 256 frames, "
            f"{own / CLIPS / 2**20:.2f} MiB of memory and {size / 2**20:.2f} MiB of disk each ({total:.0f})"
        )
        del read
    assert Clip.load(folder / "mapped0.npz", sound=False).samples is None


def steps(name: str, network: str, data: Path, batch: int, **more: Any) -> float:
    """Processor seconds of a step of a recipe."""
    config_class, task_class = TASKS[network]
    known = tomllib.loads((CONFIGS / f"{name}.toml").read_text()) | {"data": [str(data)], "steps": STEPS + 1} | more
    known |= {"validate_every": 10**6, "checkpoint_every": 10**6, "accelerator": "cpu", "precision": "32-true"}
    known |= {"threads": 1} | ({"batch": batch} if batch else {})
    config = from_table(config_class, known)
    config.check()
    task = task_class(config)
    task.validate = lambda networks: {}  # type: ignore[method-assign]
    at: list[float] = []
    run(task, config, lambda _share, _stage: at.append(time.process_time()))
    took = (at[STEPS - 1] - at[0]) / (STEPS - 1)
    size = sum(p.numel() for net in task.networks().values() for p in net.parameters()) / 1e6
    print(f"{name}: {took:.2f} s a step of {config.batch}, {size:.1f} million parameters with critics and features")
    return took


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "clips").mkdir()
        read_clips(folder / "clips")
        photo = TalkingPhoto(folder)
        write_vctk(folder / "c" / "vctk", speakers=5, recordings=2, seconds=4.0)
        write_obama(folder / "c" / "obama", photo, films=3, seconds=5.0)
        write_voxceleb2(folder / "c" / "vox", photo, speakers=5, seconds=5.0)
        write_crops(folder / "c" / "crops", photo)
        began = time.process_time()
        prepare_vctk(folder / "c" / "vctk", folder / "vctk")
        print(f"prepare vctk: {(time.process_time() - began) / (10 * 4.0):.2f} s a second of sound")
        began = time.process_time()
        prepare_obama(folder / "c" / "obama", folder / "obama")
        print(f"prepare obama: {(time.process_time() - began) / (4 * 5.0):.2f} s a second of film of 224 px")
        began = time.process_time()
        prepare_voxceleb2(folder / "c" / "vox", folder / "voxceleb2")
        print(f"prepare voxceleb2: {(time.process_time() - began) / (5 * 5.0):.2f} s a second of film of 224 px")
        began = time.process_time()
        prepare_frames(folder / "c" / "crops", folder / "frames")
        print(f"prepare frames: {(time.process_time() - began) / 3:.2f} s a film of 25 frames")
        voice, lips = (
            str(folder / "out" / part)
            for part in ("voice_paper/voice.safetensors", "content_paper/content.safetensors")
        )
        for recipe, network, corpus, batch in RECIPES:
            more: dict[str, Any] = {"out": str(folder / "out" / recipe)}
            more |= {"voice_conversion": voice} if network in ("content", "speaker") else {}
            more |= {"lips": lips} if network == "speaker" else {}
            steps(recipe, network, folder / corpus, batch, **more)


if __name__ == "__main__":
    main()
