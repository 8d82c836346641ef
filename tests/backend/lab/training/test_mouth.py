"""The mouth's network learns what lies between lips; short, real trainings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from makeittalk.exchange.errors import InputError
from makeittalk.images.mouth_crop import SIZE
from makeittalk.networks.mouth_inference import load_mouth
from makeittalk_lab.data.mouth_frames import MouthFrames
from makeittalk_lab.training.log import Log
from makeittalk_lab.training.mouth import MouthTask, MouthTrainingConfig, detail_loss, person
from makeittalk_lab.training.mouth_examples import mouth_example, mouth_pictures, stack_mouths
from makeittalk_lab.training.train import train

CONFIG = """
data = ["{data}"]
out = "{out}"
seed = 1
steps = {steps}
batch = 2
learning_rate = 0.004
warmup = 2
validate_every = {steps}
checkpoint_every = 20
threads = 1
leave_out = ["two"]
[mouth]
widths = [8, 16]
[loss]
perceptual = 0.0
"""


def configured(folder: Path, data: Path, steps: int = 40) -> Path:
    path = folder / "mouth.toml"
    path.write_text(CONFIG.format(data=data, out=folder / "out", steps=steps))
    return path


def test_an_example_is_the_moment_itself_when_nothing_varies(prepared_mouths: Path) -> None:
    frames = MouthFrames.load(prepared_mouths, "one.0")
    example = mouth_example(frames, 3)
    pictures = mouth_pictures(stack_mouths([example]))[0]
    assert np.array_equal(np.rint(pictures[6:].numpy() * 255).transpose(1, 2, 0), frames.clip.targets[3])
    assert example["drawn"][0].max() == 255 and example["zone"].max() > 0.5
    middle = frames.clip.landmarks[3][60:68].mean(axis=0)
    assert np.abs(example["corner"] + 64 - middle).max() < 8
    again = [mouth_example(frames, 3, None, (np.random.default_rng(5), MouthTrainingConfig().augment)) for _ in "ab"]
    assert all(np.array_equal(again[0][name], again[1][name]) for name in again[0])
    varied = mouth_pictures(stack_mouths(again))
    assert varied.shape == (2, 9, SIZE, SIZE) and 0 <= varied.min() <= varied.max() <= 1


def test_a_short_training_learns_and_its_weights_load(prepared_mouths: Path, tmp_path: Path) -> None:
    log = Log(train("mouth", configured(tmp_path, prepared_mouths, 60))).read()
    first, last = (np.mean([entry["mouth/l1"] for entry in part]) for part in (log[:10], log[-10:]))
    assert last < 0.9 * first
    figures = log[-1]["validation"]
    name = prepared_mouths.name
    assert figures[f"{name} made"] > 0 and figures[f"{name} detail"] > 0
    model = load_mouth(str(tmp_path / "out" / "mouth.safetensors"))
    clip = MouthFrames.load(prepared_mouths, "three.0").clip
    made = model.changes(np.asarray(clip.portrait), clip.rest, np.asarray(clip.warps[:2]), clip.landmarks[:2])
    assert np.abs(made).max() > 0.01


def test_people_who_are_left_out_are_learned_from_by_nobody(prepared_mouths: Path, tmp_path: Path) -> None:
    config = MouthTrainingConfig.load(configured(tmp_path, prepared_mouths))
    task = MouthTask(config)
    learned = {frames.clip.name for people in task.people for clips in people for frames in clips}
    held = {frames.clip.name for clips in task.held for frames in clips}
    assert learned == {"one.0", "one.1"} and held >= {"two.0", "two.1"}


def test_who_is_seen_is_read_from_a_clips_name() -> None:
    assert person("s26_bgbsza.1") == "s26" and person("bbaf2n.0") == person("lgwm9p.0")
    assert person("portrait_01.0") != person("portrait_02.0")


def test_detail_is_missed_where_an_average_has_none() -> None:
    random = torch.Generator().manual_seed(0)
    sharp = torch.rand(1, 3, 64, 64, generator=random)
    soft = torch.nn.functional.avg_pool2d(sharp, 5, 1, 2)
    opening = torch.ones(1, 1, 64, 64)
    assert detail_loss(sharp, sharp, opening) == 0
    assert detail_loss(soft, sharp, opening) > 0.5
    other = torch.rand(1, 3, 64, 64, generator=random)  # another texture of the same strength
    assert detail_loss(other, sharp, opening) < 0.1


def test_configurations_that_cannot_be_used_say_why(prepared_mouths: Path, tmp_path: Path) -> None:
    path = configured(tmp_path, prepared_mouths)
    text = path.read_text()
    path.write_text(text.replace("batch = 2", "batch = 2\nshare = [0.5, 0.5]"))
    with pytest.raises(InputError, match="share needs one"):
        train("mouth", path)
    path.write_text(text.replace(f'data = ["{prepared_mouths}"]', "data = []"))
    with pytest.raises(InputError, match="names no data"):
        train("mouth", path)
