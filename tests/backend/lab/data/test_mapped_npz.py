"""Arrays that are mapped: plain .npz files, the same bytes for the same arrays, and damaged ones refused."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from made_clips import talking
from makeittalk.exchange import storage
from makeittalk.exchange.errors import InputError
from makeittalk_lab.data.clips import Clip
from makeittalk_lab.data.mapped_npz import read_mapped, write_mapped


def arrays() -> dict[str, object]:
    rng = np.random.default_rng(0)
    return {
        "format": 1,
        "rate": 62.5,
        "mel": rng.random((300, 80), np.float32),
        "phones": np.arange(300),
        "empty": np.zeros((0, 4), np.float32),
        "turned": np.asfortranarray(rng.random((5, 7))),
        "speaker": "p225",
        "sound": np.arange(7, dtype=np.int16),
    }


def test_they_come_back_aligned_and_anybody_can_read_them(tmp_path: Path) -> None:
    path = tmp_path / "clip.npz"
    write_mapped(path, arrays())
    found, plain, ours = read_mapped(path), np.load(path), storage.read_npz(path)
    for name, value in arrays().items():
        for read in (found, plain, ours):
            assert np.array_equal(read[name], np.asarray(value)) and read[name].dtype == np.asarray(value).dtype
    if os.name != "nt":
        assert not found["mel"].flags.owndata and not found["mel"].flags.writeable
        assert found["mel"].ctypes.data % 64 == 0 and found["phones"].ctypes.data % 64 == 0


def test_the_same_arrays_make_the_same_bytes(tmp_path: Path) -> None:
    write_mapped(tmp_path / "a.npz", arrays())
    time.sleep(2.1)  # zip files know even seconds
    write_mapped(tmp_path / "b.npz", arrays())
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_packed_files_are_read_as_before(tmp_path: Path) -> None:
    storage.write_npz(tmp_path / "old.npz", arrays())
    found = read_mapped(tmp_path / "old.npz")
    assert all(np.array_equal(found[name], np.asarray(value)) for name, value in arrays().items())


def test_a_clip_that_is_written_again_does_not_change_under_its_reader(tmp_path: Path) -> None:
    clip = talking(1)
    clip.save(tmp_path)
    before = Clip.load(tmp_path / "clip01.npz", sound=False)
    mel = before.mel.copy()
    assert before.samples is None and Clip.load(tmp_path / "clip01.npz").samples is not None
    clip.mel = clip.mel + 1
    clip.save(tmp_path)
    assert np.array_equal(before.mel, mel)
    assert np.array_equal(Clip.load(tmp_path / "clip01.npz").mel, clip.mel.astype(np.float32))


def test_damaged_files_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "clip.npz"
    write_mapped(path, arrays())
    whole, rng = path.read_bytes(), np.random.default_rng(1)
    refused = 0
    for turn in range(200):
        harmed = bytearray(whole[: rng.integers(1, len(whole))] if turn % 4 == 0 else whole)
        for _ in range(4):
            place = int(rng.integers(len(harmed)))
            harmed[place if turn % 2 else -1 - place % min(1200, len(harmed))] = int(rng.integers(256))
        path.write_bytes(harmed)
        try:
            read_mapped(path)
        except InputError as error:
            refused += 1
            assert "clip.npz" in str(error)
    assert refused > 80
    np.savez(path, objects=np.array([{}], object))
    with pytest.raises(InputError, match="not a readable"):
        read_mapped(path)
