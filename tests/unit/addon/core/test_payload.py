"""Files that a .blend keeps as text."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from extension import part_outside

payload = part_outside("addon.core.payload")
AddonError = part_outside("addon.core.errors").AddonError


def test_a_file_comes_back(tmp_path: Path) -> None:
    data = bytes(range(256)) * 33
    (tmp_path / "a.npz").write_bytes(data)
    text = payload.pack(tmp_path / "a.npz")
    assert text.isascii()
    payload.unpack(text, tmp_path / "b.npz")
    assert (tmp_path / "b.npz").read_bytes() == data


@pytest.mark.parametrize("text", ["?", "AAA", "ü", "AA==AA"])
def test_damaged_text_is_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(AddonError, match="damaged"):
        payload.unpack(text, tmp_path / "b.npz")
    assert not (tmp_path / "b.npz").exists()


def test_what_cannot_be_read_or_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(AddonError, match=r"a\.npz cannot be read"):
        payload.pack(tmp_path / "a.npz")
    with pytest.raises(AddonError, match=r"b\.npz cannot be written"):
        payload.unpack("AAAA", tmp_path / "none" / "b.npz")


def test_a_file_that_is_asked_for_again_is_written_once(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"motion")
    text = payload.pack(tmp_path / "a.npz")
    first = payload.file(text)
    written = first.stat().st_mtime_ns
    assert first.read_bytes() == b"motion"
    assert payload.file(text) == first
    assert first.stat().st_mtime_ns == written


def test_few_files_are_kept_and_those_that_went_come_back(tmp_path: Path) -> None:
    texts = []
    for number in range(12):
        (tmp_path / "a.npz").write_bytes(bytes([number]) * 9)
        texts.append(payload.pack(tmp_path / "a.npz"))
    paths = [payload.file(text) for text in texts]
    assert sum(path.is_file() for path in paths) == 8
    assert payload.file(texts[0]).read_bytes() == bytes(9)
    shutil.rmtree(paths[0].parent)
    assert payload.file(texts[3]).read_bytes() == bytes([3]) * 9


@pytest.mark.parametrize("text", ["?", "ü", "\udcff"])
def test_a_damaged_text_makes_no_file(text: str) -> None:
    with pytest.raises(AddonError, match="damaged"):
        payload.file(text)
