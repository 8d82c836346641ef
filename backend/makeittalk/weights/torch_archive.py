"""The zip archive that `torch.save` writes: where the pickle and each storage lie in it. Standard library only.

Nothing is unpacked: torch stores its entries uncompressed, so that each is a span of the file.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, BinaryIO

from .pickle_walk import Refused

MAX_ENTRIES = 20_000
MAX_DIRECTORY = 4 * 2**20  # bytes of the list of entries
_BLOCK = 2**20  # bytes that are read at once
_LOCAL = struct.Struct("<4s5H3L2H")  # the head before each entry's content
_PICKLE, _DATA = "data.pkl", "data/"
_OTHERS = re.compile(r"version|byteorder|\.format_version|\.storage_alignment|\.data/[A-Za-z0-9_.-]{1,64}")
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True)
class Span:
    """Where numbers lie in a file: the first byte, how many, and their CRC-32 where the file tells one."""

    begin: int
    size: int
    checksum: int | None


@dataclass(frozen=True)
class Archive:
    """Its pickle, and the storages by their keys."""

    pickle: bytes
    data: dict[str, Span]


def read(stream: BinaryIO, size: int, most: int) -> Archive:
    """An archive's pickle and where its storages lie.

    Args:
        size: of the file. most: bytes that the pickle may have.

    Raises:
        Refused: it is damaged, or none that `torch.save` writes.
    """
    try:
        with zipfile.ZipFile(_Bounded(stream)) as archive:
            entries = archive.infolist()
    except Refused:
        raise
    except Exception as error:  # a hostile archive can make zipfile raise nearly anything
        raise Refused("is a damaged archive, or only the beginning of one") from error
    if not 0 < len(entries) <= MAX_ENTRIES:
        raise Refused("is an archive with more entries than any checkpoint has")
    root = entries[0].filename.partition("/")[0]
    spans: dict[str, Span] = {}
    for entry in entries:
        name = _inner_name(entry, root)
        if name in spans:
            raise Refused("is an archive with two entries of one name")
        spans[name] = _span(stream, entry, size)
    _check_apart(list(spans.values()))
    return Archive(_pickle(stream, spans, most), _storages(spans))


def check_sum(stream: BinaryIO, span: Span) -> None:
    """Sees to it that a span's content has the checksum that the archive tells.

    Raises:
        Refused: it has another, or the file ends before it.
    """
    stream.seek(span.begin)
    left, found = span.size, 0
    while left:
        block = stream.read(min(_BLOCK, left))
        if not block:
            raise Refused("ends in the middle")
        found = zlib.crc32(block, found)
        left -= len(block)
    if found != span.checksum:
        raise Refused("is damaged: a checksum in it is wrong")


class _Bounded:
    """A stream for zipfile, which reads an archive's whole list at once, however long that says it is."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def seekable(self) -> bool:
        return True

    def read(self, count: int = -1) -> bytes:
        if not 0 <= count <= MAX_DIRECTORY:
            count = MAX_DIRECTORY + 1
        taken = self._stream.read(count)
        if len(taken) > MAX_DIRECTORY:
            raise Refused("is an archive with more entries than any checkpoint has")
        return taken


def _inner_name(entry: zipfile.ZipInfo, root: str) -> str:
    """An entry's name below the archive's folder, one of those that `torch.save` writes."""
    folder, _, name = entry.filename.partition("/")
    key = name[len(_DATA) :]
    known = name == _PICKLE or _OTHERS.fullmatch(name) or (name.startswith(_DATA) and _KEY.fullmatch(key))
    if folder != root or root in ("", ".", "..") or not known or key == "..":
        if name.startswith("code/") or name == "constants.pkl":
            raise Refused("is a TorchScript program and not a checkpoint")
        raise Refused("is an archive with an entry that no checkpoint has")
    return name


def _span(stream: BinaryIO, entry: zipfile.ZipInfo, size: int) -> Span:
    """Where an entry's content lies, its own head compared with what the list says of it."""
    if entry.flag_bits & 0x2041:
        raise Refused("is an encrypted archive")
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
        raise Refused("is a compressed archive, which PyTorch does not write")
    if not 0 <= entry.header_offset < size:
        raise Refused("is a damaged archive")
    stream.seek(entry.header_offset)
    head = stream.read(_LOCAL.size)
    if len(head) < _LOCAL.size:
        raise Refused("is a damaged archive")
    magic, _version, flags, method, *_rest, name_size, extra_size = _LOCAL.unpack(head)
    if magic != b"PK\x03\x04" or flags & 0x2041 or method != zipfile.ZIP_STORED:
        raise Refused("is a damaged archive")
    if stream.read(name_size) != entry.orig_filename.encode("utf-8", "surrogateescape"):
        raise Refused("is a damaged archive: an entry has two names")
    begin = entry.header_offset + _LOCAL.size + name_size + extra_size
    if begin + entry.file_size > size:
        raise Refused("ends in the middle")
    return Span(begin, entry.file_size, entry.CRC)


def _check_apart(spans: list[Span]) -> None:
    end = 0
    for span in sorted(spans, key=lambda span: (span.begin, span.size)):
        if span.begin < end:
            raise Refused("is an archive whose entries overlap")
        end = span.begin + span.size


def _pickle(stream: BinaryIO, spans: dict[str, Span], most: int) -> bytes:
    if _PICKLE not in spans:
        raise Refused("is an archive, but not a checkpoint of PyTorch's")
    if spans[_PICKLE].size > most:
        raise Refused("describes more than any checkpoint holds")
    order = spans.get("byteorder")
    if order is not None and (order.size > 16 or _content(stream, order) != b"little"):
        raise Refused("was saved on a machine with another order of bytes")
    return _content(stream, spans[_PICKLE])


def _content(stream: BinaryIO, span: Span) -> bytes:
    check_sum(stream, span)
    stream.seek(span.begin)
    return stream.read(span.size)


def _storages(spans: dict[str, Span]) -> dict[str, Span]:
    return {name[len(_DATA) :]: span for name, span in spans.items() if name.startswith(_DATA)}
