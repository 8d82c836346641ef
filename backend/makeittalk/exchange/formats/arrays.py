"""Reading and writing that the .npz files share."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import Any

from .. import storage
from ..errors import InputError
from .checks import FORMAT, check_array, check_format


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
        return read_arrays(path, cls.shapes(), required)


def read_arrays(
    path: str | os.PathLike[str], shapes: dict[str, tuple[int | str, ...]], required: frozenset[str]
) -> dict[str, Any]:
    """The arrays of a file, each of the shape it must have; what `shapes` does not name is left out.

    Raises:
        InputError: the file is damaged, hostile or of another format, or lacks one of the `required` arrays.
    """
    arrays = storage.read_npz(path)
    check_format(path, arrays.get("format"))
    sizes: dict[str, int] = {}
    values: dict[str, Any] = {}
    for name, shape in shapes.items():
        array = arrays.get(name)
        if array is None:
            if name in required:
                raise InputError(f"{path} lacks the array {name!r}.", "Make the file again.")
            continue
        check_array(path, name, array, shape, sizes)
        values[name] = array
    return values
