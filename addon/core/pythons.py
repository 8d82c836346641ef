"""Finds a Python to make the backend's environment with. No bpy here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...backend.makeittalk.exchange import bounded_json, locks
from .quiet import QUIET, clean_environment

_QUESTION = """
import importlib.util as u, json, platform, sys, sysconfig
print(json.dumps([sys.version_info[:2], sys.platform, platform.machine(), sys.maxsize > 2**32,
    sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED"),
    u.find_spec("venv") is not None, u.find_spec("ensurepip") is not None, sys.executable]))
"""
_SECONDS = 15.0  # for a Python to say what it is; one on a network drive is slow
_HOMES = ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/Library/Frameworks/Python.framework/Versions/*/bin")


@dataclass(frozen=True)
class Interpreter:
    """A Python.

    Attributes:
        path: the executable. version: such as (3, 11). platform: as the locks call it.
        usual: CPython of 64 bits with a GIL, which wheels are built for.
        makes_environments: has venv. brings_pip: has ensurepip, which Debian packs apart.
    """

    path: Path
    version: tuple[int, int]
    platform: str
    usual: bool
    makes_environments: bool
    brings_pip: bool

    @property
    def fits(self) -> bool:
        """Whether the backend's locks are made for it."""
        here = self.platform == locks.platform_name()
        return self.usual and here and self.makes_environments and self.version in locks.PYTHONS


def examine(path: Path) -> Interpreter | None:
    """Asks an executable what Python it is; None where it is none or does not answer."""
    try:
        answer = subprocess.run(
            [str(path), "-I", "-c", _QUESTION],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
            stdin=subprocess.DEVNULL,
            env=clean_environment(),
            **QUIET,
        ).stdout
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return understood(answer, path)


def understood(answer: str, path: Path) -> Interpreter | None:
    """What the executable at a path has answered; None where no Python answers so."""
    try:
        version, system, machine, wide, usual, environments, pip, executable = bounded_json.loads(answer)
        major, minor = version
    except (TypeError, ValueError):
        return None
    if not (type(major) is type(minor) is int and all(isinstance(word, str) for word in (system, machine))):
        return None
    # What answers may be another file than was asked: pyenv's shims choose one by what is set up now.
    found = Path(executable) if executable and isinstance(executable, str) else path
    name = locks.platform_name(system, machine)
    return Interpreter(found, (major, minor), name, bool(wide and usual), bool(environments), bool(pip))


def candidates(own: Path | None) -> Iterator[Path]:
    """Executables that may be a Python, Blender's own first, then those named by their version, newest known last.

    Args:
        own: Blender's own Python, where it has one that can be run.
    """
    seen: set[str] = set()
    for path in (own, *_on_path(), *_at_home()):
        if path is None or not os.path.isfile(path):
            continue
        real = os.path.realpath(path)
        if real not in seen:
            seen.add(real)
            yield path


def _on_path() -> Iterator[Path]:
    folders = [Path(name) for name in os.environ.get("PATH", "").split(os.pathsep) if name]
    folders += [Path(name) for name in _HOMES if "*" not in name and Path(name) not in folders]
    names = [f"python{major}.{minor}" for major, minor in locks.PYTHONS] + ["python3", "python"]
    for name in names:
        for folder in folders:
            yield folder / (f"{name}.exe" if os.name == "nt" else name)


def _at_home() -> Iterator[Path]:
    """Where pyenv, uv, python.org's and the Windows installer put theirs."""
    if os.name == "nt":
        local = os.environ.get("LOCALAPPDATA", "")
        roots = [Path(local) / "Programs" / "Python"] if local else []
        roots += [Path(os.environ.get("PROGRAMFILES", r"C:\Program Files"))]
        for major, minor in locks.PYTHONS:
            for root in roots:
                yield root / f"Python{major}{minor}" / "python.exe"
        return
    for major, minor in locks.PYTHONS:
        name = f"python{major}.{minor}"
        pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
        yield from sorted(pyenv.glob(f"versions/{major}.{minor}*/bin/{name}"))
        shared = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
        yield from sorted(shared.glob(f"uv/python/cpython-{major}.{minor}*/bin/{name}"))
        yield Path(f"/Library/Frameworks/Python.framework/Versions/{major}.{minor}/bin/{name}")


def own_python() -> Path | None:
    """The executable of the Python that runs this, where it is one: Blender as a module is run by another program."""
    found = Path(sys.executable or "")
    return found if found.name.lower().startswith("python") and found.is_file() else None


def proposed_build(platform_: str) -> str:
    """The build of torch that fits what the machine has: "cpu", "apple", "cu130", "cu126" or "rocm7.2"."""
    names = [build.name for build in locks.builds(platform_)]
    if "apple" in names:
        return "apple"
    driver, capability = _nvidia()
    if driver >= 580 and capability >= 7.5 and "cu130" in names:
        return "cu130"
    if driver >= 525 and capability >= 5.0 and "cu126" in names:
        return "cu126"
    if "rocm7.2" in names and (shutil.which("rocminfo") or os.path.isdir("/opt/rocm")):
        return "rocm7.2"
    return "cpu"


def _nvidia() -> tuple[int, float]:
    """The NVIDIA driver's main version and the best card's compute capability; zeros where there is none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0, 0.0
    question = [program, "--query-gpu=driver_version,compute_cap", "--format=csv,noheader"]
    try:
        lines = subprocess.run(question, capture_output=True, text=True, timeout=_SECONDS, check=True, **QUIET).stdout
        cards = [line.split(",") for line in lines.splitlines() if line.strip()]
        return int(cards[0][0].split(".")[0]), max(float(card[1]) for card in cards)
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return 0, 0.0
