"""The content branch learns, on data small enough to see through."""

import json
from pathlib import Path

import pytest
import torch
from made_clips import write_clips, write_config
from makeittalk.exchange.errors import InputError
from makeittalk.networks.content_inference import load_content
from makeittalk_lab.evaluation import evaluate
from makeittalk_lab.training.train import train

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    return write_clips(tmp_path_factory.mktemp("prepared"))


def test_a_small_network_learns_a_small_world(prepared, tmp_path):
    out = train("content", write_config(tmp_path, prepared))
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in log] == list(range(1, 121))
    assert log[-1]["loss"] < 0.15 * log[0]["loss"]
    assert log[-1]["validation"]["opening correlation"] > 0.9
    meta = load_content(str(out / "content.safetensors"))
    assert meta.branch.config.hidden == 32
    # What was learnt is what `evaluate` measures, on clips that were never seen, better than doing nothing.
    plot = tmp_path / "opening.png"
    rows = evaluate.evaluate_set(prepared, str(out / "content.safetensors"), plot=plot)["rows"]
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert rows["prediction"]["opening correlation"] > 0.9
    assert rows["prediction"]["D-A"] < 0.4 * rows["static"]["D-A"]
    assert rows["static"]["opening correlation"] == 0


def test_a_run_can_start_from_another(prepared, tmp_path):
    first = tmp_path / "first"
    first.mkdir()
    train("content", write_config(first, prepared, steps=40))
    path = write_config(tmp_path, prepared, steps=1)
    text = path.read_text()
    path.write_text(f'start = "{(first / "out").as_posix()}"\n' + text)
    train("content", path)
    fresh, more = (json.loads((folder / "out/log.jsonl").read_text().split("\n")[0]) for folder in (first, tmp_path))
    assert more["loss"] < 0.5 * fresh["loss"]
    path.write_text(f'start = "{tmp_path.as_posix()}"\n' + text.replace("/out", "/other"))
    with pytest.raises(InputError, match="no checkpoint to start from"):
        train("content", path)


def test_data_that_was_not_prepared_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a prepared data set"):
        train("content", write_config(tmp_path, tmp_path))
    with pytest.raises(InputError, match="not a prepared data set"):
        evaluate.evaluate_set(tmp_path)
