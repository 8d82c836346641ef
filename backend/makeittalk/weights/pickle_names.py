"""Which classes and functions the pickle of a checkpoint may name. Standard library only.

None of them is ever imported or called (see `pickle_walk`): this only tells a checkpoint, with whatever was saved
beside its tensors, from a file that was made to run something, which is better refused aloud than read past.
"""

from __future__ import annotations

import sys

#: What the standard library's classes may be in a checkpoint: arguments of a training, paths, dates.
_STANDARD = {
    "_codecs": {"encode"},  # how bytes are written in protocol 2
    "argparse": {"Namespace"},
    "collections": {"Counter", "OrderedDict", "defaultdict", "deque"},
    "copy_reg": {"_reconstructor"},
    "copyreg": {"_reconstructor"},
    "datetime": {"date", "datetime", "time", "timedelta", "timezone"},
    "pathlib": {"Path", "PosixPath", "PurePath", "PurePosixPath", "PureWindowsPath", "WindowsPath"},
    "types": {"SimpleNamespace"},
}
_TYPES = frozenset(
    "bool bytearray bytes complex dict float frozenset int list long object range set slice str tuple unicode".split()
)
_BUILTINS = ("__builtin__", "builtins")
#: Python 2's modules, which today's list of the standard library does not have.
_FORMER = frozenset("commands dl imp new os2 popen2 rexec sets thread urllib2 user".split())

#: What may be called, and would have made plain data of plain data.
_NUMPY = frozenset(
    (module, name)
    for base in ("numpy.core", "numpy._core")
    for module, name in (
        (f"{base}.multiarray", "scalar"),
        (f"{base}.multiarray", "_reconstruct"),
        (f"{base}.numeric", "_frombuffer"),
    )
) | {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.random._pickle", "__bit_generator_ctor"),
    ("numpy.random._pickle", "__generator_ctor"),
    ("numpy.random._pickle", "__randomstate_ctor"),
}
_TORCH = frozenset(
    {
        ("torch", "Size"),
        ("torch", "device"),
        ("torch._utils", "_rebuild_device_tensor_from_numpy"),
        ("torch._utils", "_rebuild_parameter_with_state"),
        ("torch.serialization", "_get_layout"),
    }
)


class NameRefused(ValueError):
    """A name that no checkpoint needs: the end of a sentence that begins with the file's name."""


def may_be_named(module: str, name: str) -> None:
    """Sees to it that a class or function is none of those that only harm needs.

    Other people's classes may be named, whatever they are: an optimizer, a logger, a project's own options.

    Raises:
        NameRefused: it is of Python's own library and no plain data.
    """
    top = module.partition(".")[0]
    if "." in name:  # an attribute of an attribute: how chains of getattr are written since protocol 4
        raise _refused(module, name)
    if module in _BUILTINS:
        if name not in _TYPES:
            raise _refused(module, name)
    elif (top in sys.stdlib_module_names or top in _FORMER) and name not in _STANDARD.get(module, ()):
        raise _refused(module, name)


def may_be_called(module: str, name: str) -> None:
    """Sees to it that a call is one that makes plain data.

    Raises:
        NameRefused: it is another.
    """
    plain = module in _BUILTINS or name in _STANDARD.get(module, ())
    if not plain and (module, name) not in _NUMPY | _TORCH:
        raise _refused(module, name)


def shown(module: str, name: str) -> str:
    """A name as a sentence can hold it."""
    text = f"{module}.{name}".encode("ascii", "replace").decode()
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _refused(module: str, name: str) -> NameRefused:
    return NameRefused(f"asks for {shown(module, name)}, which no checkpoint needs; nothing of it was run")
