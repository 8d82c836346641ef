"""Speeds of filmed lips against films whose speeds are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from faces import portrait
from makeittalk.landmarks.pose import Canonical
from makeittalk_lab.evaluation import lip_speed
from makeittalk_lab.evaluation.lip_speed import FilmedLips, main, pooled_percentile

FPS = 25.0


def film(path: Path, gap: np.ndarray, width: float = 256.0) -> Path:
    """Tracked landmarks of a face whose inner lips are `gap` (T,) canonical units apart, swaying to and fro."""
    face = portrait(width=width)
    content = np.zeros((len(gap), 68, 3))
    content[:, [67, 66, 65], 1] = gap[:, None]
    sway = 5.0 * np.sin(np.arange(len(gap)) / 4.0)[:, None, None]
    landmarks = face + Canonical.of(face).displacement_from(content) + sway
    np.savez(path, landmarks=landmarks.astype(np.float32), fps=FPS)
    return path


def test_speeds_are_those_of_the_film(tmp_path: Path) -> None:
    gap = np.zeros(50)
    gap[20:23] = 0.05, 0.13, 0.03
    for width in (120.0, 300.0):  # how large a face is filmed does not count
        clip = FilmedLips.load(film(tmp_path / "s7_a.npz", gap, width))
        assert clip.speaker == "s7"
        assert clip.speeds().max() == pytest.approx(0.08 * FPS, rel=0.02)
        assert clip.speeds().min() == pytest.approx(-0.10 * FPS, rel=0.02)
        assert clip.speeds(62.5).max() == pytest.approx(0.08 * FPS, rel=0.02)
    # Of the 80 ms around the peak, the least open moment: a line from 0.13 to 0.05 and one to 0.03 meet it at 0.045.
    assert clip.brief().max() == pytest.approx(0.13 - 0.04, abs=0.01)


def test_every_speaker_weighs_the_same() -> None:
    few, many = np.array([10.0]), np.arange(1000) / 1000.0
    assert pooled_percentile([few, many], 50.0) < 1.0 < pooled_percentile([few, many], 50.2)
    assert pooled_percentile([many], 99.5) == pytest.approx(np.percentile(many, 99.5), abs=2e-3)


def test_the_report_names_every_speaker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(0)
    for name in ("s1_a", "s1_b", "s2_a"):
        film(tmp_path / f"{name}.npz", 0.15 * random.random(40))
    assert main([str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("s1          2 clips") and lines[1].startswith("s2          1 clips")
    assert sum(line.startswith(("opening", "closing", "open for")) for line in lines) == 5 * len(lip_speed.UNITS)


def test_a_file_without_landmarks_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "empty.npz", fps=25.0)
    assert main([str(tmp_path / "empty.npz")]) == 2
    assert "empty.npz holds no landmarks" in capsys.readouterr().err
