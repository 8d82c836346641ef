"""Valid files turned into damaged ones, byte by byte, each by its own seed."""

from __future__ import annotations

import random
import struct

_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
_WORDS = (b"\0", b"\n", b"NaN", b"-1", b"1e999", b"9" * 400, b"%s%n", b"../", b"\xff\xfe", b"\xed\xa0\x80")
_HEAD = 256  # bytes at the beginning that say most of what there is to say


def mutate(content: bytes, seed: int) -> bytes:
    """A damaged copy of a file; the same for the same seed."""
    rng = random.Random(seed)
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5, 12))):
        _CHANGES[rng.randrange(len(_CHANGES))](data, rng)
    return bytes(data)


def _place(data: bytearray, rng: random.Random) -> int:
    """Anywhere, and the head of the file more often than its rest."""
    return rng.randrange(max(1, min(len(data), _HEAD) if rng.random() < 0.5 else len(data)))


def _flip(data: bytearray, rng: random.Random) -> None:
    if data:
        data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _byte(data: bytearray, rng: random.Random) -> None:
    if data:
        data[_place(data, rng)] = rng.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF, rng.randrange(256)))


def _number(data: bytearray, rng: random.Random) -> None:
    """A field of two, four or eight bytes becomes an extreme one, or a little more or less than it was."""
    width, order = rng.choice((2, 4, 4, 8)), rng.choice("<>")
    at = _place(data, rng)
    if at + width > len(data):
        return
    form = order + {2: "H", 4: "I", 8: "Q"}[width]
    (before,) = struct.unpack_from(form, data, at)
    value = rng.choice((*_EXTREMES, before + 1, before - 1, before * 2, before // 2, len(data), 10**6))
    struct.pack_into(form, data, at, value % 2 ** (8 * width))


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[_place(data, rng) :]


def _drop(data: bytearray, rng: random.Random) -> None:
    at = _place(data, rng)
    del data[at : at + rng.choice((1, 2, 4, 16, 200))]


def _repeat(data: bytearray, rng: random.Random) -> None:
    at, size = _place(data, rng), rng.choice((1, 4, 16, 64, 1000))
    data[at:at] = data[at : at + size] * rng.choice((1, 2, 30))


def _splice(data: bytearray, rng: random.Random) -> None:
    """A piece of the file over another place of it."""
    size, source, target = rng.choice((4, 16, 64, 500)), _place(data, rng), _place(data, rng)
    data[target : target + size] = data[source : source + size]


def _shuffle(data: bytearray, rng: random.Random) -> None:
    """Two stretches change places, as chunks out of order."""
    if len(data) < 8:
        return
    a, b, c = sorted(rng.sample(range(len(data)), 3))
    data[a:c] = data[b:c] + data[a:b]


def _insert(data: bytearray, rng: random.Random) -> None:
    at = _place(data, rng)
    data[at:at] = rng.choice((*_WORDS, rng.randbytes(rng.choice((1, 4, 40))), bytes(rng.choice((8, 4000)))))


def _blank(data: bytearray, rng: random.Random) -> None:
    at = _place(data, rng)
    size = min(rng.choice((4, 16, 300)), len(data) - at)
    data[at : at + size] = (rng.choice((b"\0", b"\xff"))) * max(0, size)


_CHANGES = (
    *(_flip, _flip, _byte, _byte, _number, _number, _number),
    *(_cut, _drop, _repeat, _splice, _shuffle, _insert, _blank),
)
