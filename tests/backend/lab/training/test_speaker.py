"""The speaker-aware branch learns against its critic."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from made_heads import SPEAKER_CONFIG
from makeittalk_lab.training.speaker import SpeakerTrainingConfig
from makeittalk_lab.training.train import train
from project import CONFIGS
from safetensors.torch import load_file


def test_a_killed_training_goes_on_to_the_same_end(heads: Path, tmp_path: Path) -> None:
    def run(name: str, steps: int) -> Path:
        path = tmp_path / f"{name}.toml"
        path.write_text(SPEAKER_CONFIG.format(data=heads, out=tmp_path / name, steps=steps))
        return path

    class Killed(Exception):
        pass

    def kill(fraction: float, _stage: str) -> None:
        if fraction > 0.7:
            raise Killed

    whole = train("speaker", run("whole", 4))
    with pytest.raises(Killed):
        train("speaker", run("halves", 4), kill)
    assert not (tmp_path / "halves" / "speaker.safetensors").exists()
    train("speaker", run("halves", 4))
    first, second = (load_file(tmp_path / name / "speaker.safetensors") for name in ("whole", "halves"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    entries = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    assert len(entries) == 4 and {"distance", "correlation"} <= set(entries[-1]["validation"])
    assert {"discriminator/loss", "generator/loss", "generator/realism"} <= set(entries[0])


def test_shipped_configurations_can_be_read() -> None:
    for path in CONFIGS.glob("speaker*.toml"):
        config = SpeakerTrainingConfig.load(path)
        assert config.data and config.realism == 0.001 and config.loss.laplacian == 1.0
    paper = SpeakerTrainingConfig.load(CONFIGS / "speaker_paper.toml")
    assert (paper.network.hidden, paper.network.layers, paper.network.attention) == (256, 3, 256)
    assert paper.hears == "code" and not paper.network.streaming
