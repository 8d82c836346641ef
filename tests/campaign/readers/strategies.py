"""Hypothesis' strategies: a valid file of some structure, and the hostile ones that are like it.

Each takes a valid file's bytes and gives bytes. Hypothesis makes what fails smaller, which is what it is here for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from json_values import LONG, TEXT, VALUES, dumps, edit, spoil_text
from npz_strategy import npz_files
from safetensors_strategy import safetensors_files


@st.composite
def json_files(draw: DrawFn, sample: bytes) -> bytes:
    """JSON like a sample, with up to three changes."""
    value = json.loads(sample)
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 3)))):
        if isinstance(value, dict | list):
            value = edit(draw, value)
    return spoil_text(draw, dumps(value).encode("utf-8", "surrogatepass"))


@st.composite
def json_lines(draw: DrawFn, sample: bytes) -> bytes:
    """Lines of JSON like a sample's, some changed, left out, repeated or empty."""
    lines = sample.splitlines()
    for _ in range(draw(st.sampled_from((1, 1, 2, 4)))):
        at = draw(st.integers(0, len(lines) - 1)) if lines else 0
        how = draw(st.sampled_from(("edit", "edit", "edit", "drop", "repeat", "junk"))) if lines else "junk"
        if how == "edit":
            try:
                value = json.loads(lines[at])
            except (ValueError, RecursionError):  # it has been changed before
                continue
            value = edit(draw, value) if isinstance(value, dict | list) else draw(VALUES)
            lines[at] = dumps(value).encode("utf-8", "surrogatepass")
        elif how == "junk":
            junk = st.binary(max_size=20) | st.sampled_from((b"", b"\0", b"{", b"[" * 40_000, b" " * 5000))
            lines.insert(at, draw(junk))
        else:
            lines[at : at + 1] = [lines[at]] * (0 if how == "drop" else draw(st.integers(2, 50)))
    return spoil_text(draw, b"\n".join(lines) + b"\n")


_CELLS = st.sampled_from(
    (
        *("", " ", "0", "-1", "1e400", "nan", "inf", "-inf", LONG, "1e308", "1_0", "٣", "½", "0x10", "1,5", "true"),
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
    for _ in range(draw(st.sampled_from((1, 1, 2, 4)))):
        row = draw(st.integers(0, len(rows) - 1)) if rows else 0
        if not rows or not rows[row]:
            break
        column = draw(st.integers(0, len(rows[row]) - 1))
        how = draw(st.sampled_from(("cell", "cell", "cell", "text", "drop", "more", "row", "repeat", "less")))
        if how == "cell":
            rows[row][column] = draw(_CELLS)
        elif how == "text":
            rows[row][column] = draw(TEXT)
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
    return spoil_text(draw, end.join(comma.join(row) for row in rows).encode("utf-8", "surrogatepass"))


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
            parts[at] = draw(TEXT)
        elif how == "drop":
            del parts[at]
        elif how == "repeat":
            parts[at:at] = [parts[at]] * draw(st.integers(1, 40))
        else:
            parts[at] += draw(st.sampled_from(("\n", "\r", "\0", "\n\n[", "\n#", "\n=")))
    return spoil_text(draw, " ".join(parts).encode("utf-8", "surrogatepass"))


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
