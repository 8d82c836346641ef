"""Reading and writing that the .npz files share."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from .. import storage
from ..errors import InputError
from .checks import FORMAT, check_format, check_kind, check_numbers, check_shape


@dataclass
class ArraysFile:
    """Common reading and writing of the .npz files."""

    @classmethod
    def shapes(cls) -> dict[str, tuple[int | str, ...]]:
        raise NotImplementedError

    def arrays(self) -> dict[str, Any]:
        """Everything the file holds, `format` included."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {"format": FORMAT} | {name: value for name, value in values.items() if value is not None}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the file whole or not at all.

        Raises:
            OutputError: it cannot be written.
        """
        storage.write_npz(path, self.arrays())

    @classmethod
    def read(cls, path: str | os.PathLike[str], required: frozenset[str]) -> dict[str, Any]:
        """The arrays of a file, each of the shape it must have; what `shapes` does not name is left out.

        Raises:
            InputError: the file is damaged, hostile or of another format, or lacks one of the `required` arrays.
        """
        shapes = cls.shapes()
        sizes: dict[str, int] = {}

        def wanted(name: str, shape: tuple[int, ...], kind: np.dtype) -> bool:
            if name not in shapes:
                return False
            check_shape(path, name, shape, shapes[name], sizes)  # before a byte of it is unpacked
            check_kind(path, name, kind)
            return True

        # The format first: another one may have other shapes.
        known = storage.read_npz(path, wanted=lambda name, shape, _kind: (name, shape) == ("format", ()))
        check_format(path, known.get("format"))
        arrays = storage.read_npz(path, wanted=wanted)
        for name in shapes:
            if name in arrays:
                check_numbers(path, name, arrays[name])
            elif name in required:
                raise InputError(f"{path} lacks the array {name!r}.", "Make the file again.")
        return {name: arrays[name] for name in shapes if name in arrays}
