"""Hostile files of tensors: headers that say something else, also in the JSON that their metadata holds."""

from __future__ import annotations

import copy
import json
import struct

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from json_values import Raw, dumps, edit


@st.composite
def safetensors_files(draw: DrawFn, sample: bytes) -> bytes:
    """A file of tensors like a sample, whose header, with the JSON in its metadata, says something else."""
    size = int.from_bytes(sample[:8], "little")
    header, content = json.loads(sample[8 : 8 + size]), sample[8 + size :]
    meta = header.get("__metadata__", {})
    for name, text in list(meta.items()):
        if text.startswith(("{", "[")):
            meta[name] = json.loads(text)
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 3)))):
        where = draw(st.sampled_from(("meta", "meta", "header", "numbers", "size", "offsets")))
        if where == "meta" and isinstance(meta, dict) and isinstance(header, dict):
            meta = header["__metadata__"] = edit(draw, meta)
        elif where == "header" and isinstance(header, dict):
            header = edit(draw, copy.copy(header))
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
