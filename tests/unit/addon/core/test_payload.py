"""Files that a .blend keeps as text."""

from __future__ import annotations

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
