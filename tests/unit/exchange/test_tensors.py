"""Headers of files of tensors, and the shape-key basis, as nobody means them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.tensors import file_header, read_basis, read_header

BASIS = Path(__file__).resolve().parents[3] / "backend" / "makeittalk" / "weights" / "basis.safetensors"
ENTRY = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}


def packed(header: Any, data: bytes = bytes(24)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def test_a_header_tells_where_tensors_lie() -> None:
    data = packed({"a": ENTRY, "__metadata__": {"kind": "x"}})
    header = read_header(data)
    assert header.metadata == {"kind": "x"} and header.tensors["a"].shape == (2, 3)
    assert (header.tensors["a"].start, header.tensors["a"].end) == (len(data) - 24, len(data))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"12345678",
        (1 << 62).to_bytes(8, "little") + b"{}",
        packed(b"[1]"),
        packed(b"{" * 4000),
        packed(b'{"a": ' + b"[" * 100_000),
        packed(b"\xff\xfe"),
        packed({"a": 3}),
        packed({"a": ENTRY | {"dtype": "F99"}}),
        packed({"a": ENTRY | {"dtype": ["F32"]}}),
        packed({"a": ENTRY | {"shape": [2, 4]}}),
        packed({"a": ENTRY | {"shape": [-2, -3]}}),
        packed({"a": ENTRY | {"shape": [True, 6]}}),
        packed({"a": ENTRY | {"shape": [2.0, 3]}}),
        packed({"a": ENTRY | {"shape": [1] * 9}}),
        packed({"a": ENTRY | {"data_offsets": [0, 24, 48]}}),
        packed({"a": ENTRY | {"data_offsets": [8, 32]}}),
        packed({"a": {"dtype": "F32", "shape": [10**9, 10**9], "data_offsets": [0, 4 * 10**18]}}),
        packed(b'{"a": {"dtype": "F32", "shape": [1' + b"0" * 5000 + b'], "data_offsets": [0, 24]}}'),
        packed({"a": ENTRY, "__metadata__": {"kind": 3}}),
        packed({"a": ENTRY, "__metadata__": []}),
        packed({"x" * 600: ENTRY}),
        packed({str(number): ENTRY for number in range(2**15 + 1)}),
    ],
    ids=range(23),
)
def test_a_header_that_lies_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_header(data)
    (tmp_path / "a").write_bytes(data)
    with pytest.raises((ValueError, InputError)):
        file_header(tmp_path / "a")


def basis(change: str) -> bytes:
    """The file of a small basis, harmed in one way."""
    names = ["jawOpen", "residual0"]
    named, residual = np.zeros((1, 68, 3), np.float32), np.zeros((1, 68, 3), np.float32)
    if change == "nan":
        named[0, 3, 1] = np.nan
    elif change == "far":
        residual[0, 3, 1] = 1e6
    elif change == "names":
        names = names[:1]
    meta = {"names": {"numbers": "[1, 2]", "text": '"ab"', "none": "["}.get(change, json.dumps(names))}
    shape = [1, 204] if change == "shape" else [1, 68, 3]
    kind = "I32" if change == "kind" else "F32"
    size = named.nbytes
    entries = {
        "named": {"dtype": kind, "shape": shape, "data_offsets": [0, size]},
        "residual": {"dtype": "F32", "shape": [1, 68, 3], "data_offsets": [size, 2 * size]},
    }
    if change == "missing":
        del entries["residual"]
    return packed(entries | {"__metadata__": meta}, named.tobytes() + residual.tobytes())


@pytest.mark.parametrize("change", ["nan", "far", "names", "numbers", "text", "none", "shape", "missing"])
def test_a_basis_that_is_none_is_refused(change: str, tmp_path: Path) -> None:
    (tmp_path / "b.safetensors").write_bytes(basis(change))
    with pytest.raises(InputError, match="is damaged"):
        read_basis(tmp_path / "b.safetensors")


def test_a_basis_is_read(tmp_path: Path) -> None:
    (tmp_path / "b.safetensors").write_bytes(basis(""))
    found = read_basis(tmp_path / "b.safetensors")
    assert found.names == ("jawOpen", "residual0") and found.named.shape == found.residual.shape == (1, 68, 3)
    assert len(read_basis(BASIS).names) == 65
