"""The shipped weights on films that were never trained on."""

import shutil

import pytest
import torch
from makeittalk_lab.evaluation import evaluate
from makeittalk_lab.prepare.grid import prepare_grid
from project import DATA

torch.set_num_threads(1)


@pytest.mark.data
def test_shipped_weights_move_real_lips(tmp_path):
    """Films that were never trained on, tracked here and measured by `evaluate` with the shipped weights."""
    source = DATA / "grid_s1"
    if not source.is_dir():
        pytest.skip("MAKEITTALK_DATA does not name the training data")
    test = (source / "test.txt").read_text().split()
    other = sorted(path.stem for path in (source / "video").glob("*.mp4") if path.stem not in test)
    for part, suffix in (("video", "mp4"), ("audio", "flac")):
        (tmp_path / "grid" / part).mkdir(parents=True)
        for name in test[:8] + other[:6]:
            shutil.copy(source / part / f"{name}.{suffix}", tmp_path / "grid" / part)
    shutil.copy(source / "test.txt", tmp_path / "grid")
    prepare_grid(tmp_path / "grid", tmp_path / "prepared")
    rows = evaluate.evaluate_set(tmp_path / "prepared")["rows"]
    spoken, loud, still = rows["prediction"], rows["loudness"], rows["static"]
    assert spoken["opening correlation"] > 0.85 > loud["opening correlation"]
    for name in ("D-LL", "D-VL", "D-A"):
        assert spoken[name] < loud[name] and spoken[name] < still[name]
