"""The folder in the user's data where the backend's environment lies, shared by all Blender versions. No bpy here.

makeittalk/env-ID/            a Python environment; ID changes with the locks, so that releases do not mix
makeittalk/env-ID/installed.json   written last: without it the environment is not finished
makeittalk/new-ID/            one that is being made; takes the other's place when it works
makeittalk/cache/             what has been downloaded, until the installation has ended well
makeittalk/cache/temporary/   what pip and the others keep for a moment, emptied when an installation begins and ends
makeittalk/python/            a Python that uv has fetched, where the machine had none
makeittalk/weights/           sets of weights that the user has imported: see exchange/data_folder
makeittalk/install.log, install.lock
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ...backend.makeittalk.exchange import bounded_json, locks, storage, temporary
from ...backend.makeittalk.exchange.data_folder import data_folder
from ...backend.makeittalk.exchange.errors import InputError
from ...backend.makeittalk.exchange.file_lock import lock_file
from .errors import AddonError
from .quiet import clean_environment

MARKER = "installed.json"
_TRIES = 8  # to remove or rename what a virus scanner holds for a moment
_PAUSE = 0.25  # s between them


@dataclass(frozen=True)
class Installed:
    """What `installed.json` says of a finished environment.

    Attributes:
        product: the add-on's version that made it. python: such as "3.11". build: of torch.
        disk: bytes. seconds: that the installation took.
    """

    product: str = ""
    python: str = ""
    build: str = ""
    disk: int = 0
    seconds: float = 0.0


class Installation:
    """The environment that this version of the add-on wants, and the folders around it.

    Args:
        root: the product's data folder. identity: of the environment; that of this machine's locks where none is given.
    """

    def __init__(self, root: Path | None = None, identity: str = "") -> None:
        self.root = root or data_folder()
        self.identity = identity or locks.environment_id(locks.platform_name())

    @property
    def folder(self) -> Path:
        """The finished environment."""
        return self.root / f"env-{self.identity}"

    @property
    def new(self) -> Path:
        """One that is being made."""
        return self.root / f"new-{self.identity}"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @contextlib.contextmanager
    def variables(self) -> Iterator[dict[str, str]]:
        """For the programs that install: they keep their temporary files in a folder of this one while a block runs.

        It is on the disk that is installed to, where torch must have room (the system's may be small), and what a
        killed pip has left there goes with the next installation.

        Raises:
            OSError: there is no room or no right to make it.
        """
        folder = self.cache / "temporary"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)  # without it, Python would take the system's
        try:
            yield clean_environment() | temporary.environment(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def log(self) -> Path:
        return self.root / "install.log"

    @property
    def python(self) -> Path:
        """The finished environment's interpreter."""
        return interpreter(self.folder)

    @property
    def ready(self) -> bool:
        """Whether the environment is finished and its Python still there: Blender's own goes with that Blender."""
        return (self.folder / MARKER).is_file() and self.python.is_file()

    @property
    def broken(self) -> bool:
        """Whether the environment was finished, and the Python that it was made with is gone."""
        return (self.folder / MARKER).is_file() and not self.python.is_file()

    def read(self) -> Installed:
        """What is installed; empty fields where nothing is, or where it cannot be read."""
        try:
            found = bounded_json.loads(storage.read_bytes(self.folder / MARKER, 4096))
            return Installed(
                str(found["product"]),
                str(found["python"]),
                str(found["build"]),
                int(found["disk"]),
                float(found["seconds"]),
            )
        except (InputError, ValueError, KeyError, TypeError, OverflowError):
            return Installed()

    def others(self) -> list[Path]:
        """Environments of other versions of the add-on."""
        return [path for path in sorted(self.root.glob("env-*")) if path != self.folder and path.is_dir()]

    def finish(self, found: Installed) -> None:
        """Puts the new environment in the finished one's place; the old one goes when it stands there.

        Raises:
            AddonError: a file of one of them is in use; the old one stays.
        """
        (self.new / MARKER).write_text(json.dumps(asdict(found), indent=1), encoding="utf-8")
        old = _set_aside(self.folder)
        try:
            _persist(lambda: os.replace(self.new, self.folder), self.new)
        except AddonError:
            if old is not None:
                _persist(lambda: os.replace(old, self.folder), old)
            raise
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)  # what is left is swept later

    def uninstall(self) -> None:
        """Removes every environment, the fetched Python and what was downloaded; the log stays.

        Raises:
            AddonError: a file is in use.
        """
        for path in (*self.root.glob("env-*"), *self.root.glob("new-*"), self.cache, self.root / "python"):
            remove(path)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the folder for one installation; the lock goes with the process that holds it.

        Raises:
            AddonError: another Blender holds it, or the folder cannot be written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            stream = open(self.root / "install.lock", "a+b")  # noqa: SIM115 (closed below; the lock lives with it)
        except OSError as error:
            raise unwritable(self.root, error) from error
        with stream:
            try:
                lock_file(stream.fileno())
            except OSError as error:
                raise AddonError(
                    "Another Blender is installing the backend.", "Wait until it has finished, then press again."
                ) from error
            yield


def interpreter(environment: Path) -> Path:
    """An environment's Python."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def size(folder: Path) -> int:
    """Bytes of all files in a folder; links count nothing."""
    total = 0
    for path, _folders, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_size
    return total


def remove(folder: Path) -> None:
    """Removes a folder whole: it is renamed first, so that nobody ever finds half of it.

    Raises:
        AddonError: a file in it is in use.
    """
    away = _set_aside(folder)
    if away is not None:
        _persist(lambda: shutil.rmtree(away), away)


def _set_aside(folder: Path) -> Path | None:
    """Renames a folder to what `sweep` removes, and says to what; None where there is none."""
    if not os.path.lexists(folder):
        return None
    away = folder.with_name(f"old-{uuid.uuid4().hex[:8]}")
    _persist(lambda: os.replace(folder, away), folder)
    return away


def sweep(root: Path) -> None:
    """Removes what interrupted removals have left; what is in use stays for the next time."""
    for path in root.glob("old-*"):
        shutil.rmtree(path, ignore_errors=True)


def unwritable(folder: Path, error: OSError) -> AddonError:
    """What to say of a folder that nothing can be written to."""
    return AddonError(
        f"Nothing can be written to {folder} ({error.strerror or error}).",
        "Give yourself the right to, or name another folder in MAKEITTALK_HOME.",
    )


def _persist(action, folder: Path) -> None:
    """Does it again while something, such as a virus scanner, holds a file for a moment."""
    for attempt in range(_TRIES):
        try:
            action()
            return
        except FileNotFoundError:
            return
        except OSError as error:
            if attempt == _TRIES - 1:
                raise AddonError(
                    f"A file in {folder} is in use ({error.strerror or error}).",
                    "Close other Blenders, wait for the virus scanner, and press again.",
                ) from error
            time.sleep(_PAUSE)
