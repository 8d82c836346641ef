"""Empty modules in the place of what a library imports and never uses here. Standard library only."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from types import ModuleType

_LOCK = threading.RLock()


@contextlib.contextmanager
def empty_modules(*names: str) -> Iterator[None]:
    """Lets a library be imported without some that it names at its top, whether they are installed or not.

    MediaPipe's drawing helpers import matplotlib and Resemblyzer's mel imports librosa: 300 MB and seconds, for
    functions that nothing here calls. Afterwards the names are free again, for whoever wants the real ones; a module
    that has already been imported stays.

    Args:
        names: dotted; packages before what is in them.
    """
    with _LOCK:
        missing = [name for name in names if name not in sys.modules]
        for name in missing:
            module = sys.modules[name] = ModuleType(name, "Empty: see makeittalk.weights.stand_ins.")
            parent, _, child = name.rpartition(".")
            if parent in missing:
                setattr(sys.modules[parent], child, module)
        try:
            yield
        finally:
            for name in missing:
                del sys.modules[name]
