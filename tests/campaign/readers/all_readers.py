"""Every reader of both sides, table by table; a table is imported where one of its readers is asked for."""

from __future__ import annotations

import functools
import importlib

from reader import Reader

TABLES = (
    "exchange_readers",
    "addon_readers",
    "jobs_readers",
    "tools_readers",
    "weights_readers",
    "lab_readers",
    "media_readers",
)
_PLANTED = "planted_readers"  # for the tests of the campaign itself


@functools.cache
def readers() -> dict[str, Reader]:
    """The readers by their names."""
    found: dict[str, Reader] = {}
    for table in TABLES:
        for reader in importlib.import_module(table).READERS:
            assert reader.name not in found, reader.name
            found[reader.name] = reader
    return found


def find(name: str) -> Reader:
    """The reader of a name, without importing more tables than need be."""
    for table in (_PLANTED,) if name.startswith("planted") else TABLES:
        for reader in importlib.import_module(table).READERS:
            if reader.name == name:
                return reader
    raise KeyError(name)
