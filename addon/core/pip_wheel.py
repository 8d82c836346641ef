"""Gets the locked pip, which installs everything else, and uv, which fetches a Python. No bpy here.

pip is run from its unpacked wheel: nothing of it need be installed, and a Python that came without pip will do. Where
the wheel is not at hand, a helper environment of some Python with a pip of any age downloads it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import threading
import zipfile
from pathlib import Path
from typing import IO

from . import pythons
from .errors import AddonError
from .installation import Installation, interpreter
from .pip_run import failure, watch


class Tools:
    """What an installation is made with.

    Args:
        place: where things lie. locks: the folder with `pip.txt` and `uv.txt`. wheels: a folder of wheels instead of
            the network. own: Blender's own Python.
        variables: of the programs that are started. log, cancelled: see `pip_run.watch`.
        explain: words for the sentences about failures.
    """

    def __init__(
        self,
        place: Installation,
        locks: Path,
        wheels: Path | None,
        own: Path | None,
        variables: dict[str, str],
        log: IO[str],
        cancelled: threading.Event,
        explain: dict[str, str],
    ) -> None:
        self._place, self._locks, self._wheels, self._own = place, locks, wheels, own
        self._variables, self._log, self._cancelled, self._explain = variables, log, cancelled, explain

    def pip(self) -> Path:
        """The folder that pip is run from: its wheel, downloaded if need be, unpacked.

        Raises:
            AddonError: it cannot be had. OSError: it cannot be unpacked.
        """
        wheel = self._pip_wheel()
        if wheel is None and self._wheels is not None:
            raise AddonError(
                f"The pip in {self._wheels} is not the file that was locked.", "Fill the folder with makeittalk-wheels."
            )
        if wheel is None:
            self._pip_of_helper("download", "--dest", str(self._place.cache), "-r", str(self._locks / "pip.txt"))
            wheel = self._pip_wheel()
            assert wheel is not None
        folder = self._place.cache / "pip"
        shutil.rmtree(folder, ignore_errors=True)
        with zipfile.ZipFile(wheel) as bundle:  # its hash is locked: nothing in it leads out of the folder
            bundle.extractall(folder)
        return folder

    def _pip_wheel(self) -> Path | None:
        """A wheel of pip with a locked hash, from the folder of wheels or among what was downloaded."""
        hashes = self._hashes("pip.txt")
        for path in sorted((self._wheels or self._place.cache).glob("pip-*.whl")):
            if not path.is_file():  # reading from a pipe would wait for whoever writes to it
                continue
            with open(path, "rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() in hashes:
                    return path
        return None

    def uv(self) -> Path:
        """uv's program, downloaded if need be.

        Raises:
            AddonError: it cannot be had.
        """
        folder = interpreter(self._helper()).parent
        found = [path for path in (folder / "uv", folder / "uv.exe") if path.is_file()]
        if not found:
            self._pip_of_helper("install", "-r", str(self._locks / "uv.txt"))
            found = [path for path in (folder / "uv", folder / "uv.exe") if path.is_file()]
        return found[0]

    def _hashes(self, name: str) -> set[str]:
        return set(re.findall(r"sha256:([0-9a-f]{64})", (self._locks / name).read_text(encoding="utf-8")))

    def _pip_of_helper(self, command: str, *arguments: str) -> None:
        python = interpreter(self._helper())
        options = [
            "--no-input",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
            "--only-binary",
            ":all:",
        ]
        options += ["--retries", "3", "--timeout", "30", "--progress-bar", "off"]
        lines, status = watch(
            [str(python), "-I", "-m", "pip", command, *options, *arguments],
            self._variables,
            self._log,
            self._cancelled,
        )
        if status:
            raise failure(lines, self._explain)

    def _helper(self) -> Path:
        """An environment with the pip of whatever Python has one.

        Raises:
            AddonError: none has.
        """
        folder = self._place.cache / "helper"
        finished = folder / "finished"
        if finished.is_file() and interpreter(folder).is_file():
            return folder
        for path in pythons.candidates(self._own):
            found = pythons.examine(path)
            if found is None or not (found.makes_environments and found.brings_pip):
                continue
            command = [str(found.path), "-I", "-m", "venv", "--clear", str(folder)]
            _lines, status = watch(command, self._variables, self._log, self._cancelled)
            if status == 0:
                finished.write_text("")
                return folder
        raise AddonError(
            "No Python with pip was found.", "Install python3-venv, or a Python from python.org, then press again."
        )
