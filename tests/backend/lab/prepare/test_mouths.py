"""Rendered mouths: a tiny campaign by a real Blender, resumed; what a camera does to a picture; damaged files."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest
from human_kit_files import human_kit
from makeittalk.exchange.errors import InputError, MissingError
from makeittalk_lab.data.clips import Prepared
from makeittalk_lab.data.mouth_clip import MouthClip
from makeittalk_lab.prepare.mouths import PYTHON, prepare_mouths
from makeittalk_lab.synthetic.camera_noise import CameraNoise
from makeittalk_lab.synthetic.human_head import write_head
from makeittalk_lab.synthetic.human_job import Settings

SIZE = 48
QUICK = Settings(size=SIZE, samples=2)


@pytest.fixture(scope="module")
def campaign(data_dir, tmp_path_factory) -> Path:
    """One person: the mouth shut, two sounds, two whole faces."""
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("the bpy module is missing")
    kit = human_kit(data_dir)
    dest = tmp_path_factory.mktemp("mouths")
    prepare_mouths(kit.folder, dest, count=1, settings=QUICK, moments=2)
    return dest


def test_a_clip_holds_a_mouth_that_opens(campaign):
    clip = MouthClip.load(campaign / "mouth_0_00000.npz")
    assert clip.pictures.shape == (5, SIZE, SIZE, 3)
    assert list(clip.moments[:3]) == ["rest", "B", "AA"] and list(clip.whole) == [False] * 3 + [True] * 2
    assert clip.pictures.std() > 10
    # Shut and shut alike, wide not: the same light and place.
    shut, still, wide = clip.pictures[:3].astype(float)
    assert np.abs(wide - shut).mean() > 1.5 * np.abs(still - shut).mean()
    lips = clip.landmarks[:3, 48:68]
    assert (lips > 0).all() and (lips < SIZE).all()
    gap = clip.landmarks[:3, 66, 1] - clip.landmarks[:3, 62, 1]
    assert gap[2] > 3 * max(gap[0], 0.3)
    # Between the lips there is real shadow, besides teeth.
    inside = cv2.fillPoly(np.zeros((SIZE, SIZE), np.uint8), [clip.inner[2].astype(np.int32)], 1) > 0
    assert inside.sum() > 30
    assert np.quantile(wide.mean(2)[inside], 0.1) < 0.5 * np.median(wide.mean(2))


def test_a_second_run_renders_nothing(campaign, data_dir, monkeypatch):
    clip = campaign / "mouth_0_00000.npz"
    written = clip.stat().st_mtime_ns
    monkeypatch.setenv(PYTHON, "/nowhere/python")
    prepared = prepare_mouths(human_kit(data_dir).folder, campaign, count=1, settings=QUICK, moments=2)
    assert prepared.train == Prepared.load(campaign).train == ["mouth_0_00000"]
    assert clip.stat().st_mtime_ns == written
    assert not any((campaign / "jobs").iterdir())


def test_an_interrupted_person_goes_on_with_the_next_picture(campaign, data_dir, tmp_path):
    kit = human_kit(data_dir)
    whole, job = tmp_path / "whole", tmp_path / "jobs" / "mouth_0_00000"
    settings = Settings(size=SIZE, samples=2, seed=0)
    shown = write_head(kit, job, (0, 0), settings, 2)
    write_head(kit, whole, (0, 0), settings, 2)
    assert (whole / "head.npz").read_bytes() == (job / "head.npz").read_bytes()  # the same person again
    grey = np.full((SIZE, SIZE, 3), 40000, np.uint16)
    for view in shown.views[:-1]:
        cv2.imwrite(str(job / view.file), grey)
    (job / "mouth_00.4711.png").write_bytes(b"half a picture")
    prepare_mouths(kit.folder, tmp_path, count=1, settings=settings, moments=2)
    clip = MouthClip.load(tmp_path / "mouth_0_00000.npz")
    assert [picture.std() > 15 for picture in clip.pictures] == [False] * 4 + [True]
    name, pictures, _ = (tmp_path / "speed.tsv").read_text().split()
    assert (name, pictures) == ("mouth_0_00000", "1")


def test_what_is_no_blender_is_named(data_dir, tmp_path, monkeypatch):
    monkeypatch.setenv(PYTHON, "/nowhere/python")
    with pytest.raises(MissingError, match="did not render mouth_0_00000") as caught:
        prepare_mouths(human_kit(data_dir).folder, tmp_path, count=1, settings=QUICK, moments=1)
    assert PYTHON in caught.value.hint
    assert not list(tmp_path.glob("*.npz"))


def test_a_damaged_clip_is_refused(tmp_path):
    path = tmp_path / "clip.npz"
    np.savez(path, format=1, pictures=np.zeros((2, 8, 8, 3), np.uint8))
    with pytest.raises(InputError, match="not a clip of a mouth"):
        MouthClip.load(path)


def test_a_camera_adds_grain_and_keeps_the_light():
    grey = np.full((64, 64, 3), 0.5, np.float32)
    kept = CameraNoise(blur=0.5, sharpen=0.3, grain=0.02, coloured=0.5, size=0.5, quality=95)
    noisy = kept.apply(grey, np.random.default_rng(0)).astype(float) / 255
    assert abs(noisy.mean() - 0.5) < 0.01
    assert 0.008 < noisy.std() < 0.04
    for albedo in (0.06, 0.5):
        gain = kept.exposure(grey / 8, albedo)
        shown = kept.develop(grey / 8, gain)
        assert 0.2 < shown.mean() < 0.7
        assert kept.develop(np.ones((2, 2, 3), np.float32), gain).max() <= 1.0
    assert kept.exposure(grey, 0.5) > 2 * kept.exposure(grey, 0.06)
    clean = CameraNoise(blur=0.0, sharpen=0.0, grain=0.0, coloured=0.0, size=0.5, quality=0)
    assert np.abs(clean.apply(grey, np.random.default_rng(0)).astype(float) - 127.5).max() <= 1.0
