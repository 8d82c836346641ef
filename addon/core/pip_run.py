"""Runs pip: what it says becomes progress, and what went wrong one sentence. No bpy here."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from .errors import AddonError
from .quiet import QUIET

_TIED = Path(__file__).with_name("tied.py")
#: What makes pip quiet, patient and sure: no questions, no build from source, progress as numbers.
_OPTIONS = (
    *("--no-input", "--disable-pip-version-check", "--no-python-version-warning", "--progress-bar", "raw"),
    *("--only-binary", ":all:", "--retries", "3", "--timeout", "30"),
    "--no-compile",  # Python does it for what is used, at the first use: a tenth of the disk and of the time
)
_LOOK = 0.2  # s
_KEPT = 400  # lines of its output that a failure is looked for in

#: What pip says, and what the user is told: the problem (with what the pattern caught) and the way out. What comes
#: first is the cause: behind a dead network nothing is found either.
_FAILURES: tuple[tuple[str, str, str], ...] = (
    (
        r"No space left on device|not enough space on the disk|Disk quota exceeded",
        "The disk is full.",
        "Free some space, then press again.",
    ),
    (r"Read-only file system", "The folder of the installation is read-only.", "{elsewhere}"),
    (
        r"DO NOT MATCH THE HASHES(?:.|\n)*?\n\s+(\S+)",
        "{0} is not the file that was locked: it was damaged on the way, or changed.",
        "Press again; with a folder of wheels, fill it anew.",
    ),
    (
        r"[Ww]heel '?([\w.+-]+)'? (?:located at .* )?is invalid"
        r"|([\w./\\:+-]+\.whl) is not a (?:valid|supported) wheel|BadZipFile",
        "A downloaded package is damaged: {0}.",
        "Press again; with a folder of wheels, fill it anew.",
    ),
    (r"ProxyError|Tunnel connection failed|Cannot connect to proxy", "The proxy refuses the connection.", "{proxy}"),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError|certificate verify failed",
        "The connection is not trusted: its certificate cannot be verified.",
        "Ask whoever runs your network for its certificate and name it in PIP_CERT.",
    ),
    (r"Connection refused|ConnectionRefusedError", "The package index refuses the connection.", "{network}"),
    (
        r"Name or service not known|Temporary failure in name resolution|getaddrinfo failed|NameResolutionError"
        r"|nodename nor servname|Network is unreachable|No route to host",
        "There is no network.",
        "{network}",
    ),
    (
        r"IncompleteRead|incomplete-download|Connection broken|ConnectionResetError|RemoteDisconnected"
        r"|Download failed|Response ended prematurely",
        "The download was cut off.",
        "Press again: what has come is kept.",
    ),
    (r"Read timed out|ReadTimeoutError|ConnectTimeout|timed out", "The package index does not answer.", "{network}"),
    (
        r"No matching distribution found for (\S+)",
        "{0} cannot be found {where}.",
        "{refill}",
    ),
    (
        r"(?:Permission ?denied|PermissionError|Access is denied|WinError (?:5|32)\b).*?['\"]?([^'\":\n]*)['\"]?$",
        "A file is in use or may not be written: {0}.",
        "Close other Blenders, wait for the virus scanner, and press again.",
    ),
)


class PipRun:
    """Runs pip and watches it.

    Args:
        python: the environment's. pip: the folder that pip is run from. variables: of its process.
        log, cancelled, heard, look: see `watch`.
    """

    def __init__(
        self,
        python: Path,
        pip: Path,
        variables: dict[str, str],
        log: IO[str],
        cancelled: threading.Event,
        heard: Callable[[str], None] = lambda line: None,
        look: Callable[[], None] = lambda: None,
    ) -> None:
        self._python, self._pip, self._variables = python, pip, variables
        self._log, self._cancelled = log, cancelled
        self._heard, self._look = heard, look

    def install(self, *arguments: str, cache: Path, explain: dict[str, str]) -> None:
        """`pip install` with the given arguments.

        Args:
            cache: where downloads are kept. explain: words for the sentences of `_FAILURES`.

        Raises:
            AddonError: it failed, or was cancelled.
        """
        arguments = ("install", *_OPTIONS, *arguments)
        command = [str(self._python), "-I", "-u", str(_TIED), str(self._pip), "pip", *arguments]
        print(f"$ pip {' '.join(arguments)}", file=self._log, flush=True)
        variables = self._variables
        if "--no-index" in arguments:  # the folder alone counts, whatever else this machine's pip is set up for
            variables = {name: value for name, value in variables.items() if not name.startswith("PIP_")}
            variables["PIP_CONFIG_FILE"] = os.devnull
        variables = variables | {"PIP_CACHE_DIR": str(cache), "PYTHONUTF8": "1", "NO_COLOR": "1"}
        lines, status = watch(command, variables, self._log, self._cancelled, self._heard, self._look)
        if status:
            raise failure(lines, explain)


def watch(
    command: Sequence[str],
    variables: dict[str, str],
    log: IO[str],
    cancelled: threading.Event,
    heard: Callable[[str], None] = lambda line: None,
    look: Callable[[], None] = lambda: None,
) -> tuple[list[str], int]:
    """Runs a program; returns the last lines that it said and its exit status.

    Args:
        command, variables: what to run. log: takes all that it says. cancelled: set by whoever wants it to stop.
        heard: is told each line. look: is called now and then meanwhile, from another thread.

    Raises:
        AddonError: it cannot be started, or was cancelled.
    """
    if cancelled.is_set():
        raise AddonError("Cancelled.")
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=variables,
            **QUIET,
        )
    except OSError as error:
        raise AddonError(f"{command[0]} cannot be started: {error.strerror or error}.", "Press again.") from error

    def stop_when_cancelled() -> None:
        while process.poll() is None:
            if cancelled.wait(_LOOK):
                process.kill()
                return
            look()

    stopper = threading.Thread(target=stop_when_cancelled, daemon=True)
    stopper.start()
    assert process.stdout is not None and process.stdin is not None
    lines: list[str] = []
    with process.stdout, contextlib.suppress(ValueError):
        for line in process.stdout:
            heard(line.rstrip())
            if line.startswith("Progress "):
                continue
            lines.append(line.rstrip())
            del lines[:-_KEPT]
            with contextlib.suppress(OSError):  # a full disk is said by who needs the room
                log.write(line)
                log.flush()
    status = process.wait()
    with contextlib.suppress(OSError):
        process.stdin.close()
    stopper.join()
    if cancelled.is_set():
        raise AddonError("Cancelled.")
    return lines, status


def failure(lines: list[str], explain: dict[str, str]) -> AddonError:
    """One sentence for what pip said."""
    text = "\n".join(lines)
    for pattern, message, hint in _FAILURES:
        found = re.search(pattern, text, re.MULTILINE)
        if found is not None:
            caught = next((group for group in found.groups() if group), "a file of it")
            return AddonError(message.format(os.path.basename(caught.strip()), **explain), hint.format(**explain))
    said = next((line for line in reversed(lines) if line.startswith("ERROR:")), lines[-1] if lines else "no word")
    return AddonError(
        f"The installation failed: {said.removeprefix('ERROR:').strip()[:200]}", "Open Log says more; press again."
    )
