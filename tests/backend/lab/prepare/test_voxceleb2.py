"""VoxCeleb2: films become clips with head motion."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made_heads import SPEAKER_CONFIG
from makeittalk_lab.prepare.voxceleb2 import QUALITY, prepare_voxceleb2
from makeittalk_lab.training.train import train


@pytest.mark.slow
def test_voxceleb2_becomes_clips_and_trains(data_dir: Path, tmp_path: Path) -> None:
    films = sorted((data_dir / "grid_s1" / "video").glob("*.mp4"))[:6]
    for number, film in enumerate(films):
        folder = tmp_path / "vox" / "dev" / "mp4" / f"id{number % 5:05d}" / "aB-c_d"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:05d}.mp4").symlink_to(film)
        (folder / f"{number:05d}.flac").symlink_to(data_dir / "grid_s1" / "audio" / f"{film.stem}.flac")
    (folder / "00009.mp4").write_bytes(b"no film")
    prepared = prepare_voxceleb2(tmp_path / "vox", tmp_path / "dest")
    assert (len(prepared.train), len(prepared.validation), len(prepared.test)) in {(4, 1, 1), (3, 2, 1), (3, 1, 2)}
    assert list(prepared.skipped) == ["id00000-aB-c_d-00009"]
    quality = json.loads((tmp_path / "dest" / QUALITY).read_text())
    assert len(quality) == 6 and all(0.0 < row["jitter"] < 1.5 for row in quality.values())
    clip = prepared.clip(prepared.train[0])
    assert np.linalg.norm(clip.posed - clip.landmarks, axis=2).mean() > 0.05  # px: pose was kept
    assert clip.embedding is not None and clip.embedding.any() and clip.samples is not None
    again = prepare_voxceleb2(tmp_path / "vox", tmp_path / "dest", speakers=3, clips=1)
    assert len(again.train + again.validation + again.test) == 3
    prepare_voxceleb2(tmp_path / "vox", tmp_path / "dest")
    config = tmp_path / "run.toml"
    text = SPEAKER_CONFIG.format(data=tmp_path / "dest", out=tmp_path / "run", steps=2)
    config.write_text('lips = "default"\nmirror = 0.5\nspeakers = 2\n' + text)
    assert (train("speaker", config) / "speaker.safetensors").is_file()
