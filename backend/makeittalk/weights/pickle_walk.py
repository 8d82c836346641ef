"""Reads the pickle in a PyTorch checkpoint without unpickling it: nothing that it names is imported, made or called.

Python's own unpickler, restricted by `find_class`, still hashes what it is told to, makes room for any memo index and
sets attributes (BUILD). This one knows the opcodes that `torch.save` writes and answers each with plain data: numbers,
text, lists, tuples, dictionaries, and descriptions of tensors. What a class would have made is `OPAQUE`.

The opcodes: Python's `pickletools`. The calls and persistent ids: the format that `torch.save` writes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .pickle_names import NameRefused, may_be_called, may_be_named, shown

MAX_OPCODES = 1_000_000  # of all pickles in a file; the image network with its optimizer has about 80,000
MAX_DEPTH = 256  # open marks
MAX_MEMO = 500_000
MAX_STORAGES = 20_000
MAX_DIMENSIONS = 8
MAX_ELEMENTS = 1 << 33
_LONGEST_NAME = 256  # bytes
_LONGEST_INTEGER = 255  # bytes


class Refused(ValueError):
    """Why a checkpoint is not read: the end of a sentence that begins with its name."""


@dataclass(frozen=True)
class Name:
    """A class or function that a pickle names; it is never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return shown(self.module, self.name)


class Opaque:
    """Stands for whatever a class of somebody's would have made."""

    __slots__ = ()


OPAQUE = Opaque()


@dataclass(frozen=True)
class Storage:
    """Numbers that lie in the file: their key there, the storage's class (such as "FloatStorage") and their count."""

    key: str
    kind: str
    count: int


@dataclass(frozen=True)
class TensorView:
    """A tensor as a view of a storage; offset and strides count elements, and all of it lies inside the storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class PickleWalk:
    """The pickles of one file, read one after another within common bounds.

    Args:
        data: what they lie in. storage_sizes: bytes of an element by the storage's class.

    Attributes:
        position: of the next pickle in `data`. storages: those that were named, by their keys.
    """

    def __init__(self, data: bytes, storage_sizes: dict[str, int]) -> None:
        self.position = 0
        self.storages: dict[str, Storage] = {}
        self._data, self._sizes = data, storage_sizes
        self._left = MAX_OPCODES
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def next(self) -> Any:
        """What the next pickle holds.

        Raises:
            Refused: it holds more than data, is damaged, or exceeds a bound.
        """
        self._stack, self._marks, self._memo = [], [], {}
        try:
            while (code := self._take(1)) != b".":
                self._left -= 1
                if self._left < 0:
                    raise Refused("holds more steps than any checkpoint needs")
                step = _STEPS.get(code)
                if step is None:
                    raise Refused(_why_not(code))
                step(self)
            if self._marks or len(self._stack) != 1:
                raise Refused("is damaged")
            return self._stack.pop()
        except NameRefused as error:
            raise Refused(str(error)) from error
        except (IndexError, KeyError, struct.error, UnicodeDecodeError) as error:
            raise Refused("is damaged") from error
        finally:
            self._stack, self._marks, self._memo = [], [], {}

    # What is read.

    def _take(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self._data):
            raise Refused("ends in the middle")
        taken = self._data[self.position : end]
        self.position = end
        return taken

    def _number(self, form: str) -> int:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _line(self) -> str:
        end = self._data.find(b"\n", self.position, self.position + _LONGEST_NAME)
        if end < 0:
            raise Refused("is damaged")
        line = self._take(end - self.position)
        self._take(1)
        return line.decode("utf-8")

    def _integer(self, form: str) -> None:
        size = self._number(form)
        if not 0 <= size <= _LONGEST_INTEGER:
            raise Refused("holds a number that no checkpoint needs")
        self._stack.append(int.from_bytes(self._take(size), "little", signed=True))

    def _text(self, form: str, encoding: str) -> None:
        size = self._number(form)
        if size < 0:
            raise Refused("is damaged")
        self._stack.append(self._take(size).decode(encoding, "surrogatepass" if encoding == "utf-8" else "strict"))

    def _bytes(self, form: str) -> None:
        self._stack.append(self._take(self._number(form)))

    # What is put together. None of it looks into what it puts together, so that depth costs nothing.

    def _mark(self) -> None:
        if len(self._marks) >= MAX_DEPTH:
            raise Refused("is nested more deeply than any checkpoint is")
        self._marks.append(self._stack)
        self._stack = []

    def _since_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._marks.pop()
        return items

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _tuple(self, count: int) -> None:
        if len(self._stack) < count:
            raise Refused("is damaged")
        items = tuple(self._stack[-count:])
        self._stack[-count:] = [items]

    def _frozen_set(self) -> None:
        self._since_mark()
        self._push(OPAQUE)

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, list):
            target.extend(items)
        elif target is not OPAQUE:
            raise Refused("is damaged")

    def _set_items(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if len(items) % 2:
            raise Refused("is damaged")
        if isinstance(target, dict):
            # Other keys, such as an optimizer's parameters, are left out: hashes of numbers can be made to collide, and
            # those of tuples walk down into them.
            pairs = zip(items[::2], items[1::2], strict=True)
            target.update((key, value) for key, value in pairs if isinstance(key, str))
        elif target is not OPAQUE:
            raise Refused("is damaged")

    def _remember(self, index: int) -> None:
        if len(self._memo) >= MAX_MEMO:
            raise Refused("remembers more than any checkpoint does")
        self._memo[index] = self._stack[-1]

    # What would import, make, call or change something.

    def _global(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str) or len(module) + len(name) > _LONGEST_NAME:
            raise Refused("is damaged")
        may_be_named(module, name)
        self._stack.append(Name(module, name))

    def _stack_global(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._global(module, name)

    def _call(self) -> None:
        given, called = self._stack.pop(), self._stack.pop()
        if not isinstance(called, Name) or not isinstance(given, tuple):
            raise Refused("calls something that is no function's name, which no checkpoint needs")
        self._stack.append(self._result(called, given))

    def _result(self, called: Name, given: tuple[Any, ...]) -> Any:
        """What a call that `torch.save` writes would have given."""
        rebuild = _REBUILDERS.get((called.module, called.name))
        if rebuild is not None:
            return rebuild(given)
        if (called.module, called.name) in _DICTIONARIES:
            made: dict[Any, Any] = {}
            if called.name == "OrderedDict" and given and isinstance(given[0], list):  # as Python 2 wrote it
                self._left -= len(given[0])  # it may be given again and again
                pairs = [pair for pair in given[0] if isinstance(pair, list | tuple) and len(pair) == 2]
                made.update((key, value) for key, value in pairs if isinstance(key, str))
            return made
        may_be_called(called.module, called.name)
        return OPAQUE

    def _new(self) -> None:
        given, made = self._stack.pop(), self._stack.pop()
        if not isinstance(made, Name) or not isinstance(given, tuple):
            raise Refused("makes something of no class, which no checkpoint needs")
        self._stack.append({} if (made.module, made.name) in _DICTIONARIES else OPAQUE)

    def _build(self) -> None:
        self._stack.pop()
        changed = self._stack[-1]
        if isinstance(changed, Name):
            raise Refused(f"would change {changed}, which no checkpoint needs; nothing of it was run")
        if changed is not OPAQUE and not isinstance(changed, dict | TensorView):
            raise Refused("is damaged")

    def _persistent(self) -> None:
        given = self._stack.pop()
        if not isinstance(given, tuple) or len(given) not in (5, 6) or given[0] != "storage":
            raise Refused("names something outside of itself, which no checkpoint needs")
        kind, key, count = given[1], given[2], given[4]
        known = isinstance(kind, Name) and kind.module in ("torch", "torch.storage") and kind.name in self._sizes
        if not known or not isinstance(key, str) or len(key) > _LONGEST_NAME or not _is_count(count):
            raise Refused("holds numbers of a kind that is not read")
        if len(given) == 6 and given[5] is not None:
            raise Refused("was saved by a PyTorch before 0.4, whose files are not read")
        found = Storage(key, kind.name, count)
        if self.storages.setdefault(key, found) != found:
            raise Refused("contradicts itself about what it holds")
        if len(self.storages) > MAX_STORAGES:
            raise Refused("holds more tensors than any checkpoint does")
        self._stack.append(found)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_ELEMENTS


def _view(given: tuple[Any, ...]) -> TensorView:
    """A tensor of a storage, an offset, a shape and strides, all of it inside the storage."""
    if len(given) < 4:
        raise Refused("is damaged")
    storage, offset, shape, strides = given[:4]
    whole = isinstance(storage, Storage) and _is_count(offset) and isinstance(shape, tuple | list)
    if not whole or not isinstance(strides, tuple | list) or not len(shape) == len(strides) <= MAX_DIMENSIONS:
        raise Refused("describes a tensor that cannot be")
    if not all(map(_is_count, (*shape, *strides))):
        raise Refused("describes a tensor with a size or step that cannot be")
    elements, last = 1, offset
    for size, step in zip(shape, strides, strict=True):
        elements *= size
        last += max(0, size - 1) * step
    if elements > storage.count or (elements and last >= storage.count):
        raise Refused("describes a tensor that reaches beyond what the file holds")
    return TensorView(storage, offset, tuple(shape), tuple(strides))


def _parameter(given: tuple[Any, ...]) -> TensorView:
    if not given or not isinstance(given[0], TensorView):
        raise Refused("is damaged")
    return given[0]


_DICTIONARIES = frozenset({("collections", "OrderedDict"), ("collections", "defaultdict")})
_REBUILDERS: dict[tuple[str, str], Callable[[tuple[Any, ...]], TensorView]] = {
    ("torch._utils", "_rebuild_tensor"): _view,
    ("torch._utils", "_rebuild_tensor_v2"): _view,
    ("torch._utils", "_rebuild_parameter"): _parameter,
}
_Step = Callable[[PickleWalk], Any]


def _pushes(make: Callable[[], Any]) -> _Step:
    return lambda walk: walk._push(make())


_STEPS: dict[bytes, _Step] = {
    b"\x80": lambda walk: walk._take(1),  # PROTO
    b"\x95": lambda walk: walk._take(8),  # FRAME
    b"(": PickleWalk._mark,
    b"0": lambda walk: walk._stack.pop(),
    b"1": PickleWalk._since_mark,
    b"2": lambda walk: walk._push(walk._stack[-1]),
    b"N": _pushes(lambda: None),
    b"\x88": _pushes(lambda: True),
    b"\x89": _pushes(lambda: False),
    b"J": lambda walk: walk._push(walk._number("<i")),
    b"K": lambda walk: walk._push(walk._number("<B")),
    b"M": lambda walk: walk._push(walk._number("<H")),
    b"\x8a": lambda walk: walk._integer("<B"),
    b"\x8b": lambda walk: walk._integer("<i"),
    b"G": lambda walk: walk._push(struct.unpack(">d", walk._take(8))[0]),
    b"T": lambda walk: walk._text("<i", "latin-1"),
    b"U": lambda walk: walk._text("<B", "latin-1"),
    b"X": lambda walk: walk._text("<I", "utf-8"),
    b"\x8c": lambda walk: walk._text("<B", "utf-8"),
    b"\x8d": lambda walk: walk._text("<Q", "utf-8"),
    b"B": lambda walk: walk._bytes("<I"),
    b"C": lambda walk: walk._bytes("<B"),
    b"\x8e": lambda walk: walk._bytes("<Q"),
    b"\x96": lambda walk: walk._bytes("<Q"),
    b"]": _pushes(list),
    b"a": lambda walk: walk._extend([walk._stack.pop()]),
    b"e": lambda walk: walk._extend(walk._since_mark()),
    b"l": lambda walk: walk._push(walk._since_mark()),
    b")": _pushes(tuple),
    b"t": lambda walk: walk._push(tuple(walk._since_mark())),
    b"\x85": lambda walk: walk._tuple(1),
    b"\x86": lambda walk: walk._tuple(2),
    b"\x87": lambda walk: walk._tuple(3),
    b"}": _pushes(dict),
    b"s": lambda walk: walk._set_items([walk._stack.pop(-2), walk._stack.pop()]),
    b"u": lambda walk: walk._set_items(walk._since_mark()),
    b"\x8f": _pushes(lambda: OPAQUE),  # EMPTY_SET
    b"\x90": lambda walk: walk._extend(walk._since_mark()),  # ADDITEMS
    b"\x91": PickleWalk._frozen_set,
    b"h": lambda walk: walk._push(walk._memo[walk._number("<B")]),
    b"j": lambda walk: walk._push(walk._memo[walk._number("<I")]),
    b"q": lambda walk: walk._remember(walk._number("<B")),
    b"r": lambda walk: walk._remember(walk._number("<I")),
    b"\x94": lambda walk: walk._remember(len(walk._memo)),
    b"c": lambda walk: walk._global(walk._line(), walk._line()),
    b"\x93": PickleWalk._stack_global,
    b"R": PickleWalk._call,
    b"\x81": PickleWalk._new,
    b"b": PickleWalk._build,
    b"Q": PickleWalk._persistent,
}


def _why_not(code: bytes) -> str:
    """Why an opcode that is not in `_STEPS` is refused."""
    if code in (b"i", b"o", b"\x92"):
        return "makes objects in a way that no checkpoint needs; nothing of it was run"
    if code in (b"\x82", b"\x83", b"\x84"):
        return "asks for registered code by its number, which no checkpoint needs; nothing of it was run"
    if code == b"P":
        return "names something outside of itself, which no checkpoint needs"
    return "is damaged, or was written in a way that PyTorch does not write"
