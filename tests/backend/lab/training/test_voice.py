"""Training of voice conversion on recordings of a few voices, and what is drawn for it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from makeittalk.exchange.errors import InputError
from makeittalk.networks.voice_inference import load_voice
from makeittalk_lab.data.clips import Prepared
from makeittalk_lab.training.task import Draws
from makeittalk_lab.training.train import train
from makeittalk_lab.training.voice import VoiceTask, VoiceTrainingConfig
from makeittalk_lab.training.voice_examples import VoiceExamples
from safetensors.torch import load_file

torch.set_num_threads(1)


def test_the_voice_is_taken_from_another_stretch(prepared_voices: Prepared) -> None:
    examples = VoiceExamples([str(prepared_voices.folder)], [])
    recording = examples.train[0][0]
    rng = np.random.default_rng(0)
    start, end = recording.parts[0].tolist()
    for _ in range(20):
        drawn = examples.embedding(recording, start, end, rng)
        assert not np.array_equal(drawn, recording.embeddings[0])
        assert any(np.array_equal(drawn, other) for other in recording.embeddings[1:])


def test_a_batch_depends_on_its_generator_alone(prepared_voices: Prepared) -> None:
    task = VoiceTask(VoiceTrainingConfig(out="x", data=[str(prepared_voices.folder)], frames=50, blocks=[8, 4]))
    first, second = (task.batch(Draws.of(3, 0, range(4))) for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert first["features"].shape == first["mel"].shape == (4, 50, 80)
    assert int(first["block"]) in (8, 4)


def test_the_critic_drives_the_speaker_out(prepared_voices: Prepared) -> None:
    """Its own layers descend, the code it reads ascends."""
    task = VoiceTask(VoiceTrainingConfig(out="x", data=[str(prepared_voices.folder)]))
    critic = task.networks()["critic"]
    code = torch.randn(3, 20, 64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    speaker = torch.tensor([0, 1, 2])
    value = torch.nn.functional.cross_entropy(critic(code, 0.5), speaker)
    value.backward()
    assert code.grad is not None
    with torch.no_grad():
        worse = torch.nn.functional.cross_entropy(critic(code - 0.1 * code.grad, 0.5), speaker)
    assert worse > value


def test_training_leaves_weights_and_goes_on(trained_voice: tuple[Path, Path]) -> None:
    config, out = trained_voice
    model = load_voice(str(out / "voice.safetensors"))
    voice, average, target = model.network, model.average, model.target
    assert voice.config.width == 16 and abs(float(np.linalg.norm(target.embedding)) - 1.0) < 1e-3
    assert np.abs(voice.mean.numpy() - average.mean).max() < 1e-3
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 4]
    assert {"rough", "fine", "code", "phones", "speaker"} <= rows[0].keys()
    assert any(name.endswith("_phones") for name in rows[3]["validation"])
    before = load_file(out / "voice.safetensors")
    train("voice", config)  # nothing left to do: the same weights again
    after = load_file(out / "voice.safetensors")
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)


def test_a_wrong_configuration_is_one_sentence(tmp_path: Path) -> None:
    config = tmp_path / "voice.toml"
    config.write_text('out = "x"\n')
    with pytest.raises(InputError, match="names no data folders"):
        VoiceTrainingConfig.load(config)
    config.write_text('out = "x"\ndata = ["y"]\nblocks = [0]\n')
    with pytest.raises(InputError, match="blocks"):
        VoiceTrainingConfig.load(config)
