"""What a hostile .blend keeps in the character's text properties: files as base64, and JSON. No bpy here."""

from __future__ import annotations

import base64
import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np


class Runs:
    """Unpickled, it would leave a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return open, (str(self.path), "w")


def text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def rewritten(kept: str, change: Callable[[dict[str, np.ndarray]], None]) -> str:
    """A kept npz with its arrays changed in place."""
    with np.load(io.BytesIO(base64.b64decode(kept)), allow_pickle=False) as arrays:
        values = dict(arrays)
    change(values)
    stream = io.BytesIO()
    np.savez_compressed(stream, **values)
    return text(stream.getvalue())


def _all_floats(value: float) -> Callable[[dict[str, np.ndarray]], None]:
    def change(values: dict[str, np.ndarray]) -> None:
        for name, array in values.items():
            if array.dtype.kind == "f" and array.ndim:
                values[name] = np.full_like(array, value)

    return change


def _largest(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[dict[str, np.ndarray]], None]:
    """Changes the largest array of numbers."""

    def apply(values: dict[str, np.ndarray]) -> None:
        numbers = [name for name, array in values.items() if array.dtype.kind in "fiu"]
        name = max(numbers, key=lambda item: values[item].nbytes)
        values[name] = change(values[name])

    return apply


def _renamed_keys(values: dict[str, np.ndarray]) -> None:
    if "key_names" in values:
        values["key_names"] = np.array(['"]/..', *(f"k{number}" for number in range(1, len(values["key_names"])))])


def _indices(values: dict[str, np.ndarray]) -> None:
    for name in ("triangles", "landmark_vertices"):
        if name in values:
            values[name] = np.full_like(values[name], 2**31 - 1)


def _sizes(values: dict[str, np.ndarray]) -> None:
    for name, size in (("image_size", 2**31 - 1), ("fps", 1e-300), ("format", 10**9)):
        if name in values:
            values[name] = np.full_like(values[name], size)


def _pickled(kept: str, ran: Path) -> str:
    stream = io.BytesIO(base64.b64decode(kept))
    out = io.BytesIO()
    with zipfile.ZipFile(stream) as before, zipfile.ZipFile(out, "w") as after:
        for name in before.namelist():
            array = io.BytesIO()
            np.lib.format.write_array_header_1_0(array, {"descr": "|O", "fortran_order": False, "shape": (1,)})
            after.writestr(name, array.getvalue() + pickle.dumps([Runs(ran)]))
    return text(out.getvalue())


def _stated(shape: str, size: int, dtype: str = "<f4") -> Callable[[str, Path], str]:
    """An npz whose arrays' headers state a shape; each holds `size` zeros, which compress to nothing."""

    def make(kept: str, _ran: Path) -> str:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(kept))) as before:
            names = before.namelist()
        header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
        header += b" " * (-(len(header) + 11) % 64) + b"\n"
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
            for name in names:
                with after.open(name, "w") as stream:
                    stream.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
                    for _part in range(max(1, size >> 20)):
                        stream.write(bytes(min(size, 1 << 20)))
        return text(out.getvalue())

    return make


#: By name: the kept text of a sound file, and where code that runs would leave a file → the hostile text.
FILES: dict[str, Callable[[str, Path], str]] = {
    "empty": lambda _kept, _ran: "",
    "no_base64": lambda _kept, _ran: "%%%",
    "spaces": lambda kept, _ran: kept[:40] + "\n \n" + kept[40:],
    "no_zip": lambda _kept, _ran: text(b"PK\x03\x04" + bytes(400)),
    "truncated": lambda kept, _ran: kept[: len(kept) // 2 // 4 * 4],
    "pickle": lambda _kept, ran: text(pickle.dumps(Runs(ran))),
    "object_arrays": _pickled,
    "shape_of_terabytes": _stated("(1000000, 1000000, 3)", 1000),
    "negative_shape": _stated("(-4, 3)", 1000),
    "bomb": _stated("(67108864,)", 256 << 20),
    "nan": lambda kept, _ran: rewritten(kept, _all_floats(np.nan)),
    "infinite": lambda kept, _ran: rewritten(kept, _all_floats(np.inf)),
    "enormous": lambda kept, _ran: rewritten(kept, _all_floats(3e38)),
    "zero": lambda kept, _ran: rewritten(kept, _all_floats(0.0)),
    "strings": lambda kept, _ran: rewritten(kept, _largest(lambda array: array.astype("U8"))),
    "complex": lambda kept, _ran: rewritten(kept, _largest(lambda array: array.astype(complex))),
    "fewer_rows": lambda kept, _ran: rewritten(kept, _largest(lambda array: array[: max(1, len(array) // 2)])),
    "scalar": lambda kept, _ran: rewritten(kept, _largest(lambda array: array.ravel()[0])),
    "renamed_keys": lambda kept, _ran: rewritten(kept, _renamed_keys),
    "far_indices": lambda kept, _ran: rewritten(kept, _indices),
    "far_sizes": lambda kept, _ran: rewritten(kept, _sizes),
    "no_arrays": lambda kept, _ran: rewritten(kept, lambda values: values.clear()),
    "surrogate_names": lambda kept, _ran: rewritten(
        kept, lambda values: values.update(key_names=np.array(["\udc80"] * 3))
    ),
    "long": lambda _kept, _ran: "A" * (200 << 20),
}

#: By name: JSON where an object is expected.
TEXTS: dict[str, str] = {
    "deep": "[" * 100_000,
    "deep_objects": '{"a":' * 900 + "1" + "}" * 900,
    "long_number": '{"face": 1' + "0" * 400 + ', "landmarks": [[1' + "0" * 400 + "]]}",
    "many_digits": "9" * 5000,
    "not_finite": '{"face": NaN, "landmarks": [[Infinity]], "x": 1e999}',
    "number": "5",
    "string": '"x"',
    "null": "null",
    "list": "[1, 2]",
    "lists": '{"face": [], "head": [], "landmarks": [], "rig": [], "keys": [], "lip": []}',
    "nulls": '{"face": null, "head": null, "landmarks": null, "lip": null, "rig": null}',
    "numbers": '{"face": 1, "head": 2, "landmarks": 3, "lip": "x", "rig": 5, "keys": 6, "words": 7, "phones": 8}',
    "surrogates": '{"face": {"\\ud800": "\\udfff"}, "head": {"\\ud800": "x"}, "landmarks": "\\ud800", "lip": 1}',
    "odd_names": json.dumps(
        {part: dict.fromkeys(("", "[", "x[", 'pose.bones["', "a" * 5000), "0") for part in ("face", "head")}
    ),
    "cut_off": '{"face": {"x"',
    "many": json.dumps({"landmarks": [[0.0, 0.0, 0.0]] * 200_000}),
}
