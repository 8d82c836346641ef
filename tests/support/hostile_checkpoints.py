"""Checkpoints that were made to do harm: pickles that call, build and exhaust, archives that lie, bytes turned over."""

from __future__ import annotations

import encodings.cp437  # noqa: F401 (zipfile's, for names that are no UTF-8: `watched` would see it imported)
import io
import pickle
import pickletools
import random
import struct
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

#: What may not happen while a checkpoint is read, by the names of Python's audit events.
FORBIDDEN = (
    *("compile", "exec", "import", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.remove", "pty.spawn"),
    *("pickle.find_class", "subprocess.Popen", "ctypes.dlopen", "shutil.rmtree", "socket.connect", "os.putenv"),
)
_seen: list[str] | None = None


def _audit(event: str, given: tuple[Any, ...]) -> None:
    if _seen is not None and event in FORBIDDEN:
        _seen.append(f"{event} {given!r:.80}")


sys.addaudithook(_audit)


@contextmanager
def watched() -> Iterator[list[str]]:
    """What Python says that was run, imported or looked up by a pickle inside the `with`."""
    global _seen
    _seen = found = []
    try:
        yield found
    finally:
        _seen = None


class Canary:
    """An innocent class but for how it is restored."""

    path = ""

    def __setstate__(self, state: dict[str, str]) -> None:
        Path(state["path"]).touch()


def text(value: str) -> bytes:
    """The opcode of a text."""
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def _call(module: str, name: str, *given: str) -> bytes:
    return f"c{module}\n{name}\n(".encode() + b"".join(map(text, given)) + b"tR"


def _touch(canary: Path) -> str:
    return f"touch {canary}"


def _write(canary: Path) -> str:
    return f"open({str(canary)!r}, 'w').close()"


def _open_it(canary: Path) -> bytes:
    return f"c__builtin__\nopen\n({text(str(canary)).decode('latin-1')}".encode("latin-1") + text("w") + b"tR"


#: Opcodes that leave one value on the stack. These really do it where Python's unpickler gets them.
LIVE: dict[str, Callable[[Path], bytes]] = {
    "system": lambda canary: _call("os", "system", _touch(canary)),
    "posix": lambda canary: _call("posix", "system", _touch(canary)),
    "eval": lambda canary: _call("builtins", "eval", _write(canary)),
    "exec": lambda canary: _call("builtins", "exec", _write(canary)),
    "python 2's eval": lambda canary: _call("__builtin__", "eval", _write(canary)),
    "open": _open_it,
    "profile": lambda canary: _call("cProfile", "run", _write(canary)),
    "nested pickle": lambda canary: (
        b"cpickle\nloads\n(" + _bytes(b"\x80\x02" + _call("os", "system", _touch(canary)) + b".") + b"tR"
    ),
    "nested in torch's own": lambda canary: (
        b"c_pickle\nloads\n(" + _bytes(b"\x80\x02" + _call("os", "system", _touch(canary)) + b".") + b"tR"
    ),
    "getattr chain": lambda canary: (
        b"cbuiltins\ngetattr\n(cbuiltins\n__import__\n("
        + text("os")
        + b"tR"
        + text("system")
        + b"tR("
        + text(_touch(canary))
        + b"tR"
    ),
    "chain by attributes": lambda canary: b"\x8c\x08builtins\x8c\x0deval.__call__\x93(" + text(_write(canary)) + b"tR",
    "map": lambda canary: b"cbuiltins\nlist\n(cbuiltins\nmap\n(cbuiltins\neval\n](" + text(_write(canary)) + b"etRtR",
    "stack global": lambda canary: b"\x8c\x02os\x8c\x06system\x93(" + text(_touch(canary)) + b"tR",
    "memo": lambda canary: b"cos\nsystem\nq\xf00h\xf0(" + text(_touch(canary)) + b"tR",
    "inst": lambda canary: b"(" + text(_touch(canary)) + b"ios\nsystem\n",
    "obj": lambda canary: b"(csubprocess\ncheck_output\n](" + text("touch") + text(str(canary)) + b"eo",
    "newobj_ex": lambda canary: b"cfunctools\npartial\n(cos\nsystem\n" + text(_touch(canary)) + b"t}\x92)R",
    "setstate": lambda canary: (
        f"c{__name__}\nCanary\n)\x81}}".encode("latin-1") + text("path") + text(str(canary)) + b"sb"
    ),
}
#: These are refused for what they are; a Python may or may not have what they name.
NAMED: dict[str, Callable[[Path], bytes]] = {
    "nt": lambda canary: _call("nt", "system", _touch(canary)),
    "commands": lambda canary: _call("commands", "getoutput", _touch(canary)),
    "popen": lambda canary: b"csubprocess\nPopen\n(](" + text("touch") + text(str(canary)) + b"etR",
    "popen made": lambda canary: b"csubprocess\nPopen\n](" + text("touch") + text(str(canary)) + b"e\x85\x81",
    "runpy": lambda canary: _call("runpy", "_run_code", _write(canary)),
    "webbrowser": lambda canary: _call("webbrowser", "open", f"file://{canary}"),
    "bdb": lambda canary: _call("bdb", "Bdb.run", _write(canary)),
    "torch.load": lambda canary: _call("torch", "load", str(canary)),
    "torch.hub": lambda canary: _call("torch.hub", "load", str(canary), "x"),
    "torch's exec": lambda canary: _call("torch.utils.collect_env", "run", _touch(canary)),
    "numpy's exec": lambda canary: _call("numpy.testing._private.utils", "runstring", _write(canary)),
    "numpy.load": lambda canary: _call("numpy", "load", str(canary)),
    "numpy.fromfile": lambda canary: _call("numpy", "fromfile", "/etc/passwd"),
    "type": lambda canary: _call("builtins", "type", "X"),
    "build on a module's class": lambda canary: b"ctorch\nTensor\n}" + text("add") + text(_write(canary)) + b"sb",
    "build on a function": lambda canary: b"ctorch._utils\n_rebuild_tensor_v2\n}" + text("__code__") + b"Nsb",
    "call of a result": lambda canary: b"ccollections\nOrderedDict\n)R(" + text(_touch(canary)) + b"tR",
    "call of a text": lambda canary: text("os.system") + b"(" + text(_touch(canary)) + b"tR",
    "extension 1": lambda canary: b"\x82\x01",
    "extension 2": lambda canary: b"\x83\x01\x00",
    "extension 4": lambda canary: b"\x84\x01\x00\x00\x00",
    "persistent text": lambda canary: b"Pfile:///etc/passwd\n",
    "persistent number": lambda canary: b"K\x07Q",
    "persistent list": lambda canary: b"]" + text("storage") + b"aQ",
    "persistent module": lambda canary: b"(" + text("module") + b"cos\nsystem\n" + text("a") + text("b") + b"tQ",
    "persistent of another kind": lambda canary: (
        b"(" + text("storage") + b"ctorch\nload\n" + text("0") + text("cpu") + b"K\x01tQ"
    ),
    "long of gigabytes": lambda canary: b"\x8b\xff\xff\xff\x7f" + b"\x01" * 64,
    "long below zero": lambda canary: b"\x8b\xff\xff\xff\xff",
    "long of a megabyte": lambda canary: b"\x8b" + struct.pack("<i", 1 << 20) + b"\x01" * (1 << 20),
    "text of gigabytes": lambda canary: b"X\xff\xff\xff\x7fabc",
    "text of exabytes": lambda canary: b"\x8d" + b"\xff" * 8,
    "bytes of exabytes": lambda canary: b"\x8e" + b"\xff" * 7 + b"\x7f",
    "frame of marks": lambda canary: b"(" * 100_000,
    "nothing to pop": lambda canary: b"0" * 1000,
    "unknown memo": lambda canary: b"j\xff\xff\xff\x7f",
    "unknown opcode": lambda canary: b"\xff",
    "text opcodes": lambda canary: b"S'a'\n",
    "out of band": lambda canary: b"\x97",
    "endless steps": lambda canary: b"N0" * 600_000,
}
#: These are harmless where nothing is executed or walked through: reading goes on behind them.
BORNE: dict[str, Callable[[Path], bytes]] = {
    "memo far away": lambda canary: b"Nr\xff\xff\xff\x7f",
    "billion laughs": lambda canary: text("lol") + b"q\xf0" + (b"0(" + b"h\xf0" * 10 + b"tq\xf0") * 200,
    "deep list": lambda canary: b"]" * 200_000 + b"a" * 199_999,
    "deep tuple": lambda canary: b")" + b"\x85" * 300_000,
    "deep tuple as a key": lambda canary: b"})" + b"\x85" * 300_000 + b"Ns",
    "list in itself": lambda canary: b"]q\xf0h\xf0a",
    "dictionary in itself": lambda canary: b"}q\xf0" + text("a") + b"h\xf0s",
    "numbers whose hashes meet": lambda canary: (
        b"}(" + b"".join(b"\x8a\x0a" + ((2**61 - 1) * n).to_bytes(10, "little") + b"N" for n in range(50_000)) + b"u"
    ),
}


def _bytes(value: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(value)) + value


class _Rebuilt:
    """Pickled as a tensor of torch's, with whatever it is given."""

    def __init__(self, *given: Any) -> None:
        self.given = given

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return torch._utils._rebuild_tensor_v2, (*self.given, False, OrderedDict())


class _Stored:
    """Pickled as a storage."""

    def __init__(self, count: Any, key: Any = "0", kind: Any = torch.FloatStorage) -> None:
        self.identity = ("storage", kind, key, "cpu", count)


class _Pickler(pickle.Pickler):
    def persistent_id(self, item: Any) -> Any:
        return item.identity if isinstance(item, _Stored) else None


_HELD = _Stored(24)
#: Arguments of torch's tensors that reach beyond the 24 numbers of a storage, or are none.
VIEWS: dict[str, tuple[Any, ...]] = {
    "offset below zero": (_HELD, -1, (2,), (1,)),
    "offset beyond": (_HELD, 24, (1,), (1,)),
    "offset far beyond": (_HELD, 2**62, (1,), (1,)),
    "stride below zero": (_HELD, 8, (4,), (-1,)),
    "stride beyond": (_HELD, 0, (2,), (24,)),
    "stride far beyond": (_HELD, 0, (2,), (2**63,)),
    "huge shape": (_HELD, 0, (2**40,), (0,)),
    "huge shape of many": (_HELD, 0, (2**20, 2**20, 2**20), (0, 0, 0)),
    "expanded": (_HELD, 0, (25,), (0,)),
    "shape below zero": (_HELD, 0, (-3,), (1,)),
    "shape of fractions": (_HELD, 0, (2.5,), (1,)),
    "shape of booleans": (_HELD, 0, (True,), (1,)),
    "strides of another count": (_HELD, 0, (2, 3), (1,)),
    "too many dimensions": (_HELD, 0, (1,) * 100, (1,) * 100),
    "no storage": (None, 0, (1,), (1,)),
    "a text for a storage": ("0", 0, (1,), (1,)),
    "storage that promises more": (_Stored(10**9), 0, (4,), (1,)),
    "storage below zero": (_Stored(-1), 0, (0,), (1,)),
    "storage of another type": (_Stored(24, kind=torch.DoubleStorage), 0, (4,), (1,)),
    "storage that is not there": (_Stored(24, "1"), 0, (4,), (1,)),
    "storage up the tree": (_Stored(24, "../0"), 0, (4,), (1,)),
    "storage called by a number": (_Stored(24, 0), 0, (4,), (1,)),
    "complex numbers": (_Stored(24, kind=torch.ComplexFloatStorage), 0, (4,), (1,)),
}


def archive_of_view(given: tuple[Any, ...], path: Path) -> None:
    """Writes an archive whose network `G` is one tensor of those arguments over 24 numbers."""
    stream = io.BytesIO()
    _Pickler(stream, 2).dump({"G": {"w": _Rebuilt(*given)}})
    write_archive(path, {"x/data.pkl": stream.getvalue(), "x/data/0": bytes(96), "x/version": b"3\n"})


def write_archive(path: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> None:
    """Writes an archive as torch does, without compression."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)


def read_archive(path: Path) -> dict[str, bytes]:
    """The entries of an archive."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def inject(path: Path, attack: bytes) -> None:
    """Adds what `attack` leaves on the stack to the dictionary of an archive or of a file of the former format."""
    addition = text("more") + attack + b"s"
    if path.read_bytes()[:2] == b"PK":
        entries = read_archive(path)
        name = next(name for name in entries if name.endswith("/data.pkl"))
        entries[name] = entries[name][:-1] + addition + b"."
        write_archive(path, entries)
        return
    data = path.read_bytes()
    stream = io.BytesIO(data)
    for _ in range(4):  # magic number, version, system, content
        for _opcode, _given, place in pickletools.genops(stream):
            end = place
    path.write_bytes(data[:end] + addition + data[end:])


def corrupt(path: Path, seed: int, canary: Path) -> None:
    """Turns a good checkpoint into a hostile one, another for every seed."""
    rng = random.Random(seed)
    kind = seed % 6
    data = bytearray(path.read_bytes())
    if kind == 0:  # bytes turned over
        for _ in range(rng.choice((1, 4, 32, 256))):
            data[rng.randrange(len(data))] = rng.randrange(256)
    elif kind == 1:  # a piece cut out, doubled, or the end missing
        begin = rng.randrange(len(data))
        end = min(len(data), begin + rng.choice((1, 7, 64, 4096)))
        piece = {0: b"", 1: bytes(data[begin:end]) * 2, 2: rng.randbytes(end - begin)}[rng.randrange(3)]
        data[begin : end if rng.random() < 0.7 else len(data)] = piece
    elif kind == 2:  # an attack behind what is good
        known = {**LIVE, **NAMED, **BORNE}
        inject(path, known[rng.choice(list(known))](canary))
        return
    elif data[:2] == b"PK":
        entries = read_archive(path)
        _corrupt_entries(entries, rng, kind, canary)
        write_archive(path, entries, zipfile.ZIP_DEFLATED if rng.random() < 0.1 else zipfile.ZIP_STORED)
        return
    else:
        data[:] = _corrupt_pickle(bytes(data), min(len(data), 4096), rng, canary)
    path.write_bytes(bytes(data))


def _corrupt_entries(entries: dict[str, bytes], rng: random.Random, kind: int, canary: Path) -> None:
    name = next(name for name in entries if name.endswith("/data.pkl"))
    if kind in (3, 4):
        entries[name] = _corrupt_pickle(entries[name], len(entries[name]), rng, canary)
        return
    victim = rng.choice(list(entries))
    match rng.randrange(5):
        case 0:
            entries["../" * rng.randrange(1, 9) + str(canary.name)] = b"x"
        case 1:
            entries[str(canary)] = b"x"
        case 2:
            del entries[victim]
        case 3:
            entries[victim] = entries[victim][: len(entries[victim]) // 2]
        case 4:
            entries[victim] = rng.randbytes(rng.randrange(1 << 16))


def _corrupt_pickle(data: bytes, until: int, rng: random.Random, canary: Path) -> bytes:
    """An attack between two opcodes, opcodes swapped or dropped, or arguments changed, before the byte `until`."""
    places: list[int] = []
    try:
        for _opcode, _given, place in pickletools.genops(data):
            places.append(place or 0)
    except ValueError:
        pass
    places = [place for place in places if 0 < place < until] or [1, 2]
    for _ in range(rng.choice((1, 1, 3))):
        place = rng.choice(places)
        match rng.randrange(4):
            case 0:
                attacks = {**LIVE, **NAMED}
                data = data[:place] + attacks[rng.choice(list(attacks))](canary) + data[place:]
            case 1:
                data = data[:place] + bytes([rng.randrange(256)]) + data[place + 1 :]
            case 2:
                data = data[:place] + data[place + rng.randrange(1, 9) :]
            case 3:
                other = rng.choice(places)
                data = data[:place] + data[other : other + rng.randrange(1, 40)] + data[place:]
    return data
