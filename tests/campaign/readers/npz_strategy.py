"""Hostile .npz files: other types, shapes, numbers and names, headers and directories that lie."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from json_values import TEXT

_TYPES = ("<f8", "<f4", "<f2", ">f4", ">f8", "<i4", "<i8", "<u8", "|u1", "|b1", "<c8", "<U4", "<U0", "|S3", "|V4", "|O")
_TYPES += ("<M8[s]", "<f16", "<i2", "<U4000")
_NUMBERS = (np.nan, np.inf, -np.inf, 1e38, -1e38, 1e6, 1e7, 0.0, -1.0, 2.0**31, 2.0**63, 0.5)


def _header(shape: Any, kind: str, fortran: bool, version: int = 1) -> bytes:
    text = f"{{'descr': {kind!r}, 'fortran_order': {fortran}, 'shape': {shape!r}, }}"
    return _packed_header(text, version)


def _packed_header(text: str, version: int = 1) -> bytes:
    data = text.encode("latin1", "replace") + b" " * 16 + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", min(len(data), 65_535))
    return b"\x93NUMPY" + bytes((version, 0)) + size + data


@st.composite
def npz_files(draw: DrawFn, sample: bytes) -> bytes:
    """An .npz like a sample: other types, shapes, numbers and names; headers and directories that lie."""
    with zipfile.ZipFile(io.BytesIO(sample)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    method = zipfile.ZIP_DEFLATED
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 3)))):
        if not members:
            break
        name = draw(st.sampled_from(sorted(members)))
        array = _read(members[name])
        how = draw(
            st.sampled_from(
                (
                    *("value", "value", "all", "type", "shape", "header", "drop"),
                    *("rename", "cut", "junk", "big", "grow", "words"),
                )
            )
        )
        if how == "drop":
            del members[name]
        elif how == "rename":
            names = ("../x.npy", "/x.npy", "x", "x.npy", "é.npy", "a" * 300 + ".npy", "format.npy")
            other = draw(st.sampled_from(names))
            members[other] = members.pop(name)
        elif how == "cut":
            members[name] = members[name][: draw(st.integers(0, len(members[name])))]
        elif how == "junk":
            members[name] = draw(st.binary(max_size=200))
        elif how == "big":
            members[name] = _header((10**6, 70), "|u1", False) + bytes(draw(st.sampled_from((0, 1000, 2 * 10**6))))
        elif how == "header" or array is None:
            shape = draw(st.lists(st.sampled_from((0, 1, -1, 2, 3, 68, 2**31, 2**62, 10**30)), max_size=5))
            text = draw(
                st.sampled_from(
                    (
                        f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)}, }}",
                        "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
                        f"{{'descr': [('a', '<f4', {tuple(shape)})], 'fortran_order': False, 'shape': (1,), }}",
                        "__import__('os').system('true')",
                        "{" * 3000,
                        "(" * 900 + ")" * 900,
                        "-" * 3000 + "1",
                        "{'descr': '<f4', 'fortran_order': 1e999, 'shape': (True,), }",
                    )
                )
            )
            members[name] = _packed_header(text, draw(st.sampled_from((1, 2, 3)))) + bytes(draw(st.integers(0, 64)))
        else:
            members[name] = _changed(draw, how, array)
    method = draw(st.sampled_from((method, method, method, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method, compresslevel=1) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return _spoil_archive(draw, out.getvalue())


def _read(member: bytes) -> np.ndarray | None:
    try:
        return np.lib.format.read_array(io.BytesIO(member), allow_pickle=False)
    except Exception:  # it has been changed before
        return None


def _changed(draw: DrawFn, how: str, array: np.ndarray) -> bytes:
    """A member with other numbers, another type or another shape."""
    if how == "words":
        value: np.ndarray = np.array(draw(st.lists(TEXT.filter(_is_stored), min_size=1, max_size=4)))
    elif how == "type":
        kind = draw(st.sampled_from(_TYPES))
        return _header(array.shape, kind, draw(st.booleans())) + array.tobytes()
    elif how == "shape":
        sizes = st.sampled_from((0, 1, 2, 3, 67, 68, 69, 256, len(array) if array.ndim else 1))
        shape = tuple(draw(st.lists(sizes, max_size=4)))
        value = np.zeros(shape, array.dtype) if np.prod(shape, dtype=float) < 1e5 else array[..., None]
    elif how == "grow":
        value = np.concatenate([array, array]) if array.ndim else array[None]
    else:
        value = np.array(array)
        number = draw(st.sampled_from(_NUMBERS))
        if value.dtype.kind in "fiu" and value.size:
            at = slice(None) if how == "all" else draw(st.integers(0, value.size - 1))
            wide = value.astype(np.float64) if value.dtype.kind in "iu" and draw(st.booleans()) else value
            with np.errstate(all="ignore"):
                wide.reshape(-1)[at] = np.array(number).astype(wide.dtype)
            value = wide
    out = io.BytesIO()
    np.lib.format.write_array(out, value, allow_pickle=False)
    return out.getvalue()


def _is_stored(word: str) -> bool:
    return all(not 0xD800 <= ord(letter) <= 0xDFFF for letter in word)


def _spoil_archive(draw: DrawFn, data: bytes) -> bytes:
    """A directory, or anything, that says something else, now and then."""
    how = draw(st.sampled_from(("", "", "", "", "number", "flag", "cut", "twice", "before")))
    if how == "number":
        at = draw(st.integers(0, len(data) - 4))
        return data[:at] + struct.pack("<I", draw(st.sampled_from((0, 1, 2**31, 2**32 - 1)))) + data[at + 4 :]
    if how == "flag":  # encrypted, or of a method that nobody knows
        at = data.rfind(b"PK\x01\x02") + draw(st.sampled_from((8, 10)))
        return data[:at] + b"\x01" + data[at + 1 :]
    if how == "cut":
        return data[: draw(st.integers(0, len(data)))]
    return {"": data, "twice": data + data, "before": b"#!/bin/sh\n" + data}[how]
