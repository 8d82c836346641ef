"""What a .blend holds, block by block, without Blender: two files of the same content can be told from others.

A .blend is memory written down. Each block has a code, the address where it lay and structures whose fields a table at
the end of the file (SDNA) describes. Addresses differ from run to run, and stand wherever something points to something
else; here each is replaced by the number of the block it leads to. See Blender's `doc/blender_file_format`.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

#: What Blender draws by chance each time, in the names of its own structures: nothing is shown by it but in editors.
#: The ends of a window's edges it sorts by their addresses.
CHANCE = frozenset({("Mesh", "face_sets_color_seed"), ("bNode", "identifier"), ("ScrEdge", "*v1"), ("ScrEdge", "*v2")})
_PADDED = 3  # bytes at most behind plain data that Blender before 4.3 rounds up, without setting them
_ZSTD = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True)
class Block:
    """A block: its code, the structure and how many of them, where it lay and its bytes."""

    code: str
    kind: int
    count: int
    address: int
    data: bytes


@dataclass(frozen=True)
class Field:
    """A field of a structure: its name with those of the structures around it, place, size and type."""

    name: str
    first: int
    size: int
    type: str


class BlendBlocks:
    """A .blend file.

    Attributes:
        blocks: all of them in their order. structures: names by number.
    """

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        if data.startswith(_ZSTD):
            import zstandard

            stream = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True)
            data = stream.read()
        old = data[7:8] in (b"-", b"_") and int(data[9:12]) < 403
        self._padded = _PADDED if old else 0
        self.blocks = list(_blocks(data))
        self.structures: list[str] = []
        self._names, self._sizes, self._fields = self._read_table()
        self._known: dict[int, list[Field]] = {}
        self._numbers = {block.address: number for number, block in enumerate(self.blocks)}

    def lines(self) -> Iterator[tuple[str, bytes]]:
        """Of every block what it is, and its content without addresses."""
        for number, block in enumerate(self.blocks):
            if block.code in ("DNA1", "ENDB"):
                yield block.code, block.data
                continue
            name = self.structures[block.kind]
            yield f"{number} {block.code} {name} × {block.count}", self._content(block)

    def differences(self, other: BlendBlocks) -> list[str]:
        """Where two files differ, a line each: the blocks, and of structures the fields."""
        mine, theirs = list(self.lines()), list(other.lines())
        if [name for name, _ in mine] != [name for name, _ in theirs]:
            return [
                "other blocks: " + str(next(pair for pair in zip(mine, theirs, strict=False) if pair[0] != pair[1]))
            ]
        found = []
        for block, (name, first), (_, second) in zip(self.blocks, mine, theirs, strict=True):
            if first == second:
                continue
            fields = self.fields(block.kind) if self._is_structured(block) else []
            named = [
                item.name for item in fields if first[item.first :][: item.size] != second[item.first :][: item.size]
            ]
            found.append(f"{name}: {', '.join(named) or 'bytes'}")
        return found

    def fields(self, kind: int) -> list[Field]:
        """The fields of a structure by its number, those of structures inside it included."""
        if kind not in self._known:
            self._known[kind] = list(self._walk(kind, "", 0))
        return self._known[kind]

    def _walk(self, kind: int, outer: str, first: int) -> Iterator[Field]:
        for type_, name in self._fields[kind]:
            count = int(np.prod([int(number) for number in re.findall(r"\[(\d+)\]", name)], dtype=int))
            inner = self.structures.index(type_) if type_ in self.structures else None
            if name.startswith(("*", "(*")):
                yield Field(outer + name, first, 8 * count, "pointer")
                first += 8 * count
            elif inner is not None:
                for _ in range(count):
                    yield from self._walk(inner, f"{outer}{name}.", first)
                    first += self._sizes[type_]
            else:
                yield Field(outer + name, first, self._sizes[type_] * count, type_)
                first += self._sizes[type_] * count

    def _is_structured(self, block: Block) -> bool:
        size = self._sizes[self.structures[block.kind]]
        return block.kind > 0 and size * block.count == len(block.data)

    def _content(self, block: Block) -> bytes:
        """The block's bytes: addresses as numbers of blocks, texts up to their end, what is chance left out."""
        data = bytearray(block.data)
        if not self._is_structured(block):
            return self._without_addresses(data)
        name = self.structures[block.kind]
        size = self._sizes[name]
        for begin in range(0, len(data), max(size, 1)):
            for item in self.fields(block.kind):
                place = slice(begin + item.first, begin + item.first + item.size)
                if (name, item.name) in CHANCE:
                    data[place] = bytes(item.size)
                elif item.type == "pointer":
                    for first in range(place.start, place.stop, 8):
                        (address,) = struct.unpack_from("<Q", data, first)
                        struct.pack_into("<q", data, first, self._numbers.get(address, -1) if address else -2)
                elif item.type == "char" and item.size >= 16 and b"\0" in data[place]:
                    end = data.index(b"\0", place.start)
                    data[end : place.stop] = bytes(place.stop - end)
        return bytes(data)

    def _without_addresses(self, data: bytearray) -> bytes:
        """An array of pointers or numbers: whatever is the address of a block is replaced by the block's number."""
        words = np.frombuffer(bytes(data[: len(data) // 8 * 8]), "<u8").copy()
        for index, word in enumerate(words.tolist()) if len(words) < 4096 else ():
            if word in self._numbers:
                words[index] = self._numbers[word]
        data[: len(words) * 8] = words.tobytes()
        if self._padded:
            end = data.find(b"\0", max(0, len(data) - 1 - self._padded))
            first = end if end >= 0 and data[:1].isalnum() else len(data) - self._padded
            data[max(first, 0) :] = bytes(len(data) - max(first, 0))
        return bytes(data)

    def _read_table(self) -> tuple[list[str], dict[str, int], list[list[tuple[str, str]]]]:
        data = next(block.data for block in self.blocks if block.code == "DNA1")
        place = 4

        def number(form: str) -> int:
            nonlocal place
            (value,) = struct.unpack_from(form, data, place)
            place += struct.calcsize(form)
            return int(value)

        def texts() -> list[str]:
            nonlocal place
            place = -(-place // 4) * 4 + 4  # the part's name
            found = []
            for _ in range(number("<i")):
                end = data.index(b"\0", place)
                found.append(data[place:end].decode())
                place = end + 1
            return found

        names, types = texts(), texts()
        place = -(-place // 4) * 4 + 4
        sizes = {name: number("<h") for name in types}
        place = -(-place // 4) * 4 + 4
        fields = []
        for _ in range(number("<i")):
            self.structures.append(types[number("<h")])
            fields.append([(types[number("<h")], names[number("<h")]) for _ in range(number("<h"))])
        return names, sizes, fields


def _blocks(data: bytes) -> Iterator[Block]:
    """The blocks of an uncompressed .blend, little-endian and of 64 bits: with the head of before 5.0 or since."""
    place = int(data[7:9]) if data[7:9].isdigit() else 12
    form = "<4siQqq" if data[7:9].isdigit() else "<4siQii"
    while place < len(data):
        if form == "<4siQqq":
            code, kind, address, length, count = struct.unpack_from(form, data, place)
        else:
            code, length, address, kind, count = struct.unpack_from(form, data, place)
        place += struct.calcsize(form)
        yield Block(code.rstrip(b"\0").decode("latin-1"), kind, count, address, data[place : place + length])
        place += length


def digest(path: Path) -> bytes:
    """A sum of a .blend's content: the same for files that hold the same."""
    found = hashlib.sha256()
    for name, content in BlendBlocks(path).lines():
        found.update(name.encode())
        found.update(content)
    return found.hexdigest().encode()
