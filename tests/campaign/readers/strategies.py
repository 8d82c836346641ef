"""Hypothesis' strategies: a valid file of some structure, and the hostile ones that are like it.

Each takes a valid file's bytes and gives bytes. Hypothesis makes what fails smaller, which is what it is here for.
"""

from __future__ import annotations

import copy
import io
import json
import struct
import zipfile
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy


class Raw(str):
    """JSON's text for a value, as it stands."""


_LONG = "1" + "0" * 400
#: Values as JSON has them that readers have fallen over.
_TOKENS = tuple(
    Raw(token)
    for token in (
        *("null", "true", "false", "0", "-1", "1", "2", "1.5", "-0.0", "1e-400", "1e400", "-1e400", "NaN", "Infinity"),
        *("-Infinity", _LONG, f"-{_LONG}", f"{_LONG}.5", "2147483647", "2147483648", "-2147483649", "1e39", "1e308"),
        *("4294967296", "9223372036854775807", "9223372036854775808", "[]", "{}", '""', "[[]]", "[null]", '{"":null}'),
        *('"NaN"', '"1"', '"nan"', '"inf"', '"a\\u0000b"', '"\\ud800"', '"\\udcff"', '"\\u202e"', '"a\\nb"', '"\\\\"'),
        *('"../../../etc/passwd"', '"/etc/passwd"', '"/dev/zero"', '"~"', '"file:///etc/passwd"', '"CON"', '"."'),
        *('"' + "x" * 300 + '"', '"' + "x" * 5000 + '"', '"' + "é" * 300 + '"', '"' + "9" * 5000 + '"'),
        *("[" * 30 + "]" * 30, "[" * 70 + "]" * 70, '{"a":' * 70 + "1" + "}" * 70, "[" * 40_000 + "]" * 40_000),
        *("[" + "0," * 3000 + "0]", "[[1],[1,2]]", '[1,"a",null]', "[[[[0]]]]", '{"__class__":"os"}'),
    )
)
_TEXT = st.text(max_size=12) | st.text(st.characters(categories=["Cs", "Cc", "Cf", "Zl"]), max_size=3)
_PLAIN = st.integers() | st.floats() | _TEXT | st.booleans() | st.none()
VALUES: SearchStrategy[Any] = st.sampled_from(_TOKENS) | st.recursive(
    _PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3), max_leaves=5
)


def dumps(value: Any) -> str:
    """JSON with raw values in it, and with what JSON has no word for as Python writes it."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(name))}:{dumps(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(dumps, value)) + "]"
    if isinstance(value, str) and type(value) is not str:
        value = str(value)
    return json.dumps(value)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something can be changed; of a long list its first, second and last element."""
    found = [path]
    if isinstance(value, dict):
        for name, item in value.items():
            found += _places(item, (*path, name))
    elif isinstance(value, list):
        for index in sorted({0, 1, len(value) - 1} & set(range(len(value)))):
            found += _places(value[index], (*path, index))
    return found


def _edit(draw: DrawFn, value: Any) -> Any:
    """A value with one thing changed."""
    path = draw(st.sampled_from(_places(value)))
    how = draw(st.sampled_from(("replace", "replace", "replace", "remove", "rename", "repeat", "more")))
    if not path:
        return draw(VALUES) if how == "replace" else value
    holder: Any = value
    for step in path[:-1]:
        holder = holder[step]
    if isinstance(holder, str):
        return value
    last = path[-1]
    if how == "replace":
        holder[last] = draw(VALUES)
    elif how == "remove":
        del holder[last]
    elif isinstance(holder, list):
        holder.extend([holder[last]] * draw(st.integers(1, 100)))
    elif how == "rename":
        holder[draw(_TEXT)] = holder.pop(last)
    else:
        holder[draw(_TEXT)] = draw(VALUES)
    return value


def _spoil_text(draw: DrawFn, data: bytes) -> bytes:
    """A text that is no longer quite one, now and then."""
    how = draw(st.sampled_from(("", "", "", "", "", "", "cut", "bytes", "bom", "end", "utf-16", "twice")))
    if how == "cut":
        return data[: draw(st.integers(0, max(0, len(data) - 1)))]
    if how == "bytes":
        at = draw(st.integers(0, len(data)))
        return data[:at] + draw(st.binary(max_size=6)) + data[at:]
    if how == "utf-16":
        return data.decode("utf-8", "replace").encode("utf-16")
    return {"": data, "bom": b"\xef\xbb\xbf" + data, "end": data + b"\n\n\0", "twice": data + data}[how]


@st.composite
def json_files(draw: DrawFn, sample: bytes) -> bytes:
    """JSON like a sample, with up to three changes."""
    value = json.loads(sample)
    for _ in range(draw(st.integers(1, 3))):
        if isinstance(value, dict | list):
            value = _edit(draw, value)
    return _spoil_text(draw, dumps(value).encode("utf-8", "surrogatepass"))


@st.composite
def json_lines(draw: DrawFn, sample: bytes) -> bytes:
    """Lines of JSON like a sample's, some changed, left out, repeated or empty."""
    lines = sample.splitlines()
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1)) if lines else 0
        how = draw(st.sampled_from(("edit", "edit", "edit", "drop", "repeat", "junk"))) if lines else "junk"
        if how == "edit":
            try:
                value = json.loads(lines[at])
            except (ValueError, RecursionError):  # it has been changed before
                continue
            value = _edit(draw, value) if isinstance(value, dict | list) else draw(VALUES)
            lines[at] = dumps(value).encode("utf-8", "surrogatepass")
        elif how == "junk":
            junk = st.binary(max_size=20) | st.sampled_from((b"", b"\0", b"{", b"[" * 40_000, b" " * 5000))
            lines.insert(at, draw(junk))
        else:
            lines[at : at + 1] = [lines[at]] * (0 if how == "drop" else draw(st.integers(2, 50)))
    return _spoil_text(draw, b"\n".join(lines) + b"\n")


_CELLS = st.sampled_from(
    (
        *("", " ", "0", "-1", "1e400", "nan", "inf", "-inf", _LONG, "1e308", "1_0", "٣", "½", "0x10", "1,5", "true"),
        *('"', '"a', "a;b", "=1+1", "../..", "/etc/passwd", "/dev/zero", "~", "x" * 300, "x" * 5000, "a\tb", "."),
        *("00:00:00:00", "99:99:99:99.999", "-1:0:0:0", "1:2", ":", "9" * 30, "00:00:00:1e400", "1/0", "30000/1001"),
    )
)


@st.composite
def tables(draw: DrawFn, sample: bytes) -> bytes:
    """A table like a sample with other cells, columns and rows."""
    text = sample.decode("utf-8")
    comma = "\t" if "\t" in text.splitlines()[0] else ","
    rows = [line.split(comma) for line in text.splitlines()]
    for _ in range(draw(st.integers(1, 4))):
        row = draw(st.integers(0, len(rows) - 1)) if rows else 0
        if not rows or not rows[row]:
            break
        column = draw(st.integers(0, len(rows[row]) - 1))
        how = draw(st.sampled_from(("cell", "cell", "cell", "text", "drop", "more", "row", "repeat", "less")))
        if how == "cell":
            rows[row][column] = draw(_CELLS)
        elif how == "text":
            rows[row][column] = draw(_TEXT)
        elif how == "drop":
            del rows[row][column]
        elif how == "more":
            rows[row].insert(column, draw(_CELLS))
        elif how == "row":
            rows.insert(row, draw(st.lists(_CELLS, max_size=4)))
        elif how == "repeat":
            rows += [list(rows[row])] * draw(st.integers(1, 30))
        else:
            del rows[row]
    end = draw(st.sampled_from(("\n", "\n", "\n", "\r\n", "\r", "\x85")))
    return _spoil_text(draw, end.join(comma.join(row) for row in rows).encode("utf-8", "surrogatepass"))


@st.composite
def words(draw: DrawFn, sample: bytes) -> bytes:
    """A text like a sample with other words and lines."""
    parts = sample.decode("utf-8").split(" ")
    for _ in range(draw(st.integers(1, 5))):
        if not parts:
            break
        at = draw(st.integers(0, len(parts) - 1))
        how = draw(st.sampled_from(("cell", "cell", "text", "drop", "repeat", "line")))
        if how == "cell":
            parts[at] = draw(_CELLS)
        elif how == "text":
            parts[at] = draw(_TEXT)
        elif how == "drop":
            del parts[at]
        elif how == "repeat":
            parts[at:at] = [parts[at]] * draw(st.integers(1, 40))
        else:
            parts[at] += draw(st.sampled_from(("\n", "\r", "\0", "\n\n[", "\n#", "\n=")))
    return _spoil_text(draw, " ".join(parts).encode("utf-8", "surrogatepass"))


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
    for _ in range(draw(st.integers(1, 3))):
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
        value: np.ndarray = np.array(draw(st.lists(_TEXT.filter(_is_stored), min_size=1, max_size=4)))
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


@st.composite
def safetensors_files(draw: DrawFn, sample: bytes) -> bytes:
    """A file of tensors like a sample, whose header, with the JSON in its metadata, says something else."""
    size = int.from_bytes(sample[:8], "little")
    header, content = json.loads(sample[8 : 8 + size]), sample[8 + size :]
    meta = header.get("__metadata__", {})
    for name, text in list(meta.items()):
        if text.startswith(("{", "[")):
            meta[name] = json.loads(text)
    for _ in range(draw(st.integers(1, 3))):
        where = draw(st.sampled_from(("meta", "meta", "header", "numbers", "size", "offsets")))
        if where == "meta" and isinstance(meta, dict) and isinstance(header, dict):
            meta = header["__metadata__"] = _edit(draw, meta)
        elif where == "header" and isinstance(header, dict):
            header = _edit(draw, copy.copy(header))
        elif where == "numbers" and content:
            at = draw(st.integers(0, len(content) - 1)) & ~3
            number = draw(st.sampled_from((b"\0\0\xc0\x7f", b"\xff\xff\x7f\x7f", b"\0\x7c\0\x7c")))
            content = content[:at] + number + content[at + 4 :]
        elif where == "offsets" and isinstance(header, dict):
            names = sorted(name for name, item in header.items() if isinstance(item, dict) and "shape" in item)
            if names:
                item = header[draw(st.sampled_from(names))]
                sizes = st.sampled_from((0, 1, -1, 2, 3, 16, 2**31, 2**62, 2**64))
                item["shape"] = draw(st.lists(sizes, max_size=4))
        elif where == "size":
            content = content[: draw(st.integers(0, len(content)))]
    if isinstance(header, dict) and isinstance(header.get("__metadata__"), dict):
        known = header["__metadata__"]
        said = {name: text if isinstance(text, str) else Raw(json.dumps(dumps(text))) for name, text in known.items()}
        header = {**header, "__metadata__": said}
    packed = dumps(header).encode("utf-8", "surrogatepass")
    length = draw(st.sampled_from((len(packed), len(packed), len(packed), len(packed), 0, 2**63, len(packed) + 9)))
    return struct.pack("<Q", length) + packed + content


#: By the name of a structure: given a valid file, the hostile ones.
STRUCTURES: Mapping[str, Callable[[bytes], SearchStrategy[bytes]]] = MappingProxyType(
    {
        "json": json_files,
        "lines": json_lines,
        "table": tables,
        "words": words,
        "npz": npz_files,
        "safetensors": safetensors_files,
    }
)
