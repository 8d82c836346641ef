"""Values as JSON may have them that readers have fallen over, and valid values with one thing changed."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy


class Raw(str):
    """JSON's text for a value, as it stands."""


LONG = "1" + "0" * 400
#: Values as JSON has them that readers have fallen over.
_TOKENS = tuple(
    Raw(token)
    for token in (
        *("null", "true", "false", "0", "-1", "1", "2", "1.5", "-0.0", "1e-400", "1e400", "-1e400", "NaN", "Infinity"),
        *("-Infinity", LONG, f"-{LONG}", f"{LONG}.5", "2147483647", "2147483648", "-2147483649", "1e39", "1e308"),
        *("4294967296", "9223372036854775807", "9223372036854775808", "[]", "{}", '""', "[[]]", "[null]", '{"":null}'),
        *('"NaN"', '"1"', '"nan"', '"inf"', '"a\\u0000b"', '"\\ud800"', '"\\udcff"', '"\\u202e"', '"a\\nb"', '"\\\\"'),
        *('"../../../etc/passwd"', '"/etc/passwd"', '"/dev/zero"', '"~"', '"file:///etc/passwd"', '"CON"', '"."'),
        *('"' + "x" * 300 + '"', '"' + "x" * 5000 + '"', '"' + "é" * 300 + '"', '"' + "9" * 5000 + '"'),
        *("[" * 30 + "]" * 30, "[" * 70 + "]" * 70, '{"a":' * 70 + "1" + "}" * 70, "[" * 40_000 + "]" * 40_000),
        *("[" + "0," * 3000 + "0]", "[[1],[1,2]]", '[1,"a",null]', "[[[[0]]]]", '{"__class__":"os"}'),
    )
)
TEXT = st.text(max_size=12) | st.text(st.characters(categories=["Cs", "Cc", "Cf", "Zl"]), max_size=3)
_PLAIN = st.integers() | st.floats() | TEXT | st.booleans() | st.none()
VALUES: SearchStrategy[Any] = st.sampled_from(_TOKENS) | st.recursive(
    _PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=5
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


def edit(draw: DrawFn, value: Any) -> Any:
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
        holder[draw(TEXT)] = holder.pop(last)
    else:
        holder[draw(TEXT)] = draw(VALUES)
    return value


def spoil_text(draw: DrawFn, data: bytes) -> bytes:
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
