"""Prepared clips and their splits."""

import numpy as np
import torch
from made_clips import talking
from makeittalk_lab.data.clips import Clip, split_names

torch.set_num_threads(1)


def test_splits_keep_test_clips_out():
    names = [f"c{i}" for i in range(100)]
    train, validation, test = split_names(names, {"c1", "c2", "gone"})
    assert test == ["c1", "c2"] and len(validation) == 9
    assert sorted(train + validation + test) == sorted(names)


def test_a_clip_is_read_as_it_was_written_and_its_file_keeps_its_names(tmp_path):
    clip = talking(3)
    clip.pitch_shifted, clip.semitones = clip.mel[::-1].copy(), 4.0
    clip.save(tmp_path)
    with np.load(tmp_path / f"{clip.name}.npz") as values:
        known = {"format", "rate", "semitones", "mel", "landmarks", "neutral", "posed", "raised", "samples"}
        assert set(values) == known and values["samples"].dtype == np.int16
    again = Clip.load(tmp_path / f"{clip.name}.npz")
    assert np.array_equal(again.pitch_shifted, clip.pitch_shifted) and again.semitones == 4.0
    assert again.embedding is None and again.prosody is None
    assert np.abs(again.samples - clip.samples).max() <= 0.5 / 8192  # 16 bits, of which two are room for peaks
