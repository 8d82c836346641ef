"""Sees what a process does while a file is read: code that is run, sockets, and files it touches outside a folder."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

_ROOT = Path(__file__).resolve().parents[3]
#: Where code may come from: this project, and what is installed.
_CODE = tuple(
    os.path.realpath(path)
    for path in {str(_ROOT), sys.prefix, sys.base_prefix, *map(sysconfig.get_path, ("stdlib", "purelib", "platlib"))}
    | {path for path in sys.path if path.endswith("site-packages")}
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_RUN = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "subprocess.Popen", "pty.spawn")
_RUN += ("ctypes.dlopen", "pickle.find_class", "webbrowser.open", "cpython.run_file")
#: Events about a file, and how many of their arguments are paths.
_TOUCH = {"os.remove": 1, "os.rmdir": 1, "os.mkdir": 1, "os.rename": 2, "os.link": 2, "os.symlink": 2, "os.truncate": 1}
_TOUCH |= {"os.chmod": 1, "os.chown": 1, "shutil.rmtree": 1, "shutil.move": 2}
_IMPORT = "<frozen importlib._bootstrap>"  # the file of the frames of an import
_NOWHERE = os.path.realpath(os.devnull)


class Watch:
    """Watches this process; there can be one, as Python forgets no audit hook.

    Args:
        folder: where a reader may write.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = os.path.realpath(folder)
        self._seen: list[str] | None = None
        sys.addaudithook(self._hear)

    @contextmanager
    def reading(self) -> Iterator[list[str]]:
        """What is seen while the block runs, in words."""
        seen: list[str] = []
        self._seen = seen
        try:
            yield seen
        finally:
            self._seen = None

    def _hear(self, event: str, given: tuple[Any, ...]) -> None:
        if self._seen is None:
            return
        said = self._fault(event, given)
        if said and len(self._seen) < 20:
            self._seen.append(said)

    def _fault(self, event: str, given: tuple[Any, ...]) -> str:
        if event == "exec":
            code = given[0]
            known = isinstance(code, CodeType) and (_installed(code.co_filename) or _imports())
            name, file = getattr(code, "co_name", code), getattr(code, "co_filename", "?")
            return "" if known else f"runs {name!s:.40} of {file}"
        if event == "import":  # of a module in machine code; one in Python is an exec
            return "" if not given[1] or _installed(given[1]) else f"imports {given[1]}"
        if event.startswith("socket.") or event in ("urllib.Request", "ftplib.connect", "smtplib.connect"):
            return f"opens a connection ({event})"
        if event in _RUN:
            return f"runs code ({event} {given!r:.100})"
        if event == "open" and isinstance(given[2], int) and given[2] & _WRITING:
            return self._outside(given[0], "writes to")
        if event in _TOUCH:
            return next(filter(None, (self._outside(path, event) for path in given[: _TOUCH[event]])), "")
        return ""

    def _outside(self, path: Any, what: str) -> str:
        if not isinstance(path, str | bytes | os.PathLike):
            return ""
        where = os.path.realpath(os.path.dirname(os.path.abspath(os.fsdecode(path))))
        whole = os.path.join(where, os.path.basename(os.fsdecode(path)))
        inside = whole == self._folder or whole.startswith(self._folder + os.sep) or whole == _NOWHERE
        return "" if inside else f"{what} {whole}"


def _imports() -> bool:
    """Whether the code that runs belongs to an import: a dataclass of an installed module is text that is executed.

    What a file makes somebody import from elsewhere has been seen before: its module is code that is not installed.
    """
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code.co_filename != _IMPORT:
        frame = frame.f_back
    return frame is not None


def _installed(filename: str) -> bool:
    """Whether code is of a file that is installed; text that was compiled has another name."""
    return filename.startswith("<frozen ") or os.path.realpath(filename).startswith(_CODE)
