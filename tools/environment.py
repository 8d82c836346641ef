"""Makes the project's Python environments; standard library only. `python tools/environment.py run|lab|dev|VERSION…`.

run      .venv with the backend, its command line and, where this Python has one, Blender as a module: for `make demo`
lab      the same and what trains and measures
dev      the same and the tools of `make test`
VERSION  .venv-bpyXY, which holds Blender X.Y (such as 5.3) and runs the add-on's tests

Versions are those of `requirements/` and of the backend's own locks. A stamp in each environment makes a second call
instant.
"""

from __future__ import annotations

import ctypes
import glob
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NoReturn

import locks
from locks import PROJECT, REQUIREMENTS, ROOT

TORCH = "torch==2.13.0"
#: Where PyTorch keeps its CPU builds; asked only where pip, as it is set up, finds none.
TORCH_INDEX = os.environ.get("MAKEITTALK_TORCH_INDEX", "https://download.pytorch.org/whl/cpu")
BLENDERS: dict[str, dict[str, str]] = tomllib.loads(PROJECT.read_text())["tool"]["makeittalk"]["locks"]["blender"]
#: What pip says of a version that no index has.
ABSENT = ("No matching distribution", "ResolutionImpossible")
STUBS = "fake-bpy-module-4-5==20260730"

#: What bpy, OpenCV and Mesa load, and the Debian package that brings it.
LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGLESv2.so.2": "libgles2",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXi.so.6": "libxi6",
    "libXxf86vm.so.1": "libxxf86vm1",
    "libXfixes.so.3": "libxfixes3",
    "libXrender.so.1": "libxrender1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libglib-2.0.so.0": "libglib2.0-0",
}
DRIVERS = ("/usr/lib/*/dri/swrast_dri.so", "/usr/lib64/dri/swrast_dri.so", "/usr/lib/*/libgallium*.so")


def main() -> None:
    kinds = {"run": make_run, "lab": make_lab, "dev": make_dev}
    names = sys.argv[1:]
    if not names or not set(names) <= kinds.keys() | BLENDERS.keys():
        stop(f"Usage: python tools/environment.py {'|'.join([*kinds, *BLENDERS])} …")
    if version_of() not in locks.PYTHONS:
        stop(
            f"Python {locks.PYTHONS[0]} to {locks.PYTHONS[-1]} is needed and this is {platform.python_version()}: "
            f"say make PYTHON=/path/to/python{locks.PYTHONS[0]}."
        )
    for name in names:
        kinds[name]() if name in kinds else make_blender(name)


def make_run() -> Path:
    """The environment of the command line, `.venv`; returns its interpreter."""
    system_packages()
    python = environment(ROOT / ".venv")
    lock, blender = locks.runtime_lock(locks.here(), version_of()), own_blender()
    if not lock.is_file():
        stop(f"There are no wheels of all that is needed for {locks.here()}.")
    files = [lock, *([REQUIREMENTS / f"bpy-{blender}.txt"] if blender else [])]
    with Stamp(ROOT / ".venv" / "makeittalk-run", [*files, PROJECT, Path(__file__)]) as stamp:
        if stamp.stale:
            for file in files:
                install_lock(python, file)
            install_torch(python)
            pip(python, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    if not blender:
        say(f"Blender has no module for Python {version_of()}: a .blend is written where a blender is on the PATH.")
    return python


def make_lab() -> Path:
    """`.venv` with the laboratory; returns its interpreter."""
    python = make_run()
    lock = REQUIREMENTS / "lab.txt"
    with Stamp(ROOT / ".venv" / "makeittalk-lab", [lock, Path(__file__)]) as stamp:
        if stamp.stale:
            install_lock(python, lock)
    return python


def make_dev() -> None:
    """`.venv` with the tools of the tests; the type stubs lie apart, as they would hide the real bpy."""
    python = make_lab()
    files = [REQUIREMENTS / "test.txt", REQUIREMENTS / "dev.txt"]
    with Stamp(ROOT / ".venv" / "makeittalk-dev", [*files, Path(__file__)]) as stamp:
        if stamp.stale:
            for file in files:
                install_lock(python, file)
            pip(python, "--no-deps", "--upgrade", "--target", str(ROOT / ".venv" / "stubs"), STUBS)


def make_blender(version: str) -> Path | None:
    """The interpreter of the environment that holds a Blender; None where this machine lacks its Python.

    That is `.venv` where its Python has that Blender, else one of its own.
    """
    if version == own_blender():
        return ROOT / ".venv" / "bin" / "python"
    interpreter = find_python(BLENDERS[version]["python"])
    if interpreter is None:
        return None
    system_packages()
    folder = ROOT / f".venv-bpy{version.replace('.', '')}"
    python = environment(folder, interpreter)
    files = [REQUIREMENTS / f"bpy-{version}.txt", REQUIREMENTS / "test.txt"]
    with Stamp(folder / "makeittalk-blender", files) as stamp:
        if stamp.stale:
            for file in files:
                install_lock(python, file)
    return python


def own_blender() -> str:
    """The Blender that goes into `.venv`, where it writes .blend files; empty where this Python has none."""
    if locks.here() == "linux-aarch64":
        return ""
    return next((name for name, blender in BLENDERS.items() if blender.get("own") == version_of()), "")


def version_of(python: str | None = None) -> str:
    """The version of an interpreter, this one's by default, such as "3.11"; empty where there is none."""
    if python is None:
        return ".".join(map(str, sys.version_info[:2]))
    code = "import sys; print(*sys.version_info[:2], sep='.')"
    try:
        return subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def find_python(version: str) -> str | None:
    """An interpreter of this version: the one that runs this, one on the PATH, or one of pyenv's."""
    roots = [os.environ.get("PYENV_ROOT", ""), os.path.expanduser("~/.pyenv")]
    candidates = [os.path.realpath(sys.executable)]
    candidates += [found for name in (f"python{version}", "python3") if (found := shutil.which(name))]
    candidates += [path for root in roots if root for path in glob.glob(f"{root}/versions/{version}.*/bin/python")]
    return next((path for path in candidates if version_of(path) == version), None)


class Stamp:
    """A file that says which versions of `sources` an environment was made from; written when the block ends well."""

    def __init__(self, path: Path, sources: list[Path]) -> None:
        self.path = path
        digest = hashlib.sha256(str(path.parent.resolve()).encode())
        for source in sources:
            digest.update(source.read_bytes())
        self.value = digest.hexdigest()
        self.stale = not path.is_file() or path.read_text() != self.value

    def __enter__(self) -> Stamp:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self.path.write_text(self.value)


def system_packages() -> None:
    """Installs what the wheels expect of a Debian system, or names it where this user may not."""
    if platform.system() != "Linux":
        return
    missing = [package for name, package in LIBRARIES.items() if not loads(name)]
    if not any(glob.glob(pattern) for pattern in DRIVERS):
        missing.append("libgl1-mesa-dri")
    if importlib.util.find_spec("ensurepip") is None:
        missing.append(f"python{version_of()}-venv")
    if not missing:
        return
    names = " ".join(missing)
    apt = shutil.which("apt-get")
    if apt is None:
        stop(f"Install what your distribution calls these Debian packages, then run it again: {names}")
    if os.geteuid() != 0:
        stop(f"Some system packages are missing: run  sudo apt-get install {names}  and then this again.")
    say(f"Installing {names}")
    quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    run([apt, "update", "-qq"], env=quiet)
    run([apt, "install", "-y", "-qq", "--no-install-recommends", *missing], env=quiet)


def loads(library: str) -> bool:
    """Whether the dynamic linker finds a library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def environment(folder: Path, interpreter: str = "") -> Path:
    """The interpreter of the environment in `folder`, which is made where it is missing, moved or of another Python."""
    # By its full name: a link to /usr/bin/python3 may be another version in the window tests.
    interpreter = os.path.realpath(interpreter or sys.executable)
    python = folder / "bin" / "python"
    question = [str(python), "-c", "import pip, sys; print(sys.prefix, *sys.version_info[:2], sep='\\n')"]
    try:
        found = subprocess.run(question, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        found = []
    if found != [str(folder), *version_of(interpreter).split(".")]:
        say(f"Making {folder.name} with Python {version_of(interpreter)}")
        run([interpreter, "-m", "venv", "--clear", str(folder)])
    return python


def install_lock(python: Path, lock: Path) -> None:
    """Installs what a lock file names, and nothing that it does not."""
    pip(python, "--no-deps", "--require-hashes", *locks.BINARY, "-r", str(lock))


def install_torch(python: Path) -> None:
    """The CPU build of torch where no NVIDIA driver is found and any index has one, else pip's own choice."""
    if has(python, "torch", TORCH.partition("==")[2]):
        return
    if platform.system() == "Linux" and shutil.which("nvidia-smi") is None:
        exact = ["--no-deps", f"{TORCH}+cpu"]
        if pip(python, *exact, unless=ABSENT):
            return
        nearby = ["--retries", "1", "--timeout", "20", "--extra-index-url", TORCH_INDEX]
        if pip(python, *exact, *nearby, unless=ABSENT):
            return
        say("No CPU build of torch was found: taking the registry's own, which may bring several GB of CUDA libraries")
    pip(python, TORCH)


def has(python: Path, name: str, version: str) -> bool:
    """Whether the environment holds a package at this version, whatever its build."""
    code = f"import importlib.metadata as m; print(m.version({name!r}).partition('+')[0])"
    answer = subprocess.run([str(python), "-c", code], capture_output=True, text=True)
    return answer.stdout.strip() == version


def pip(python: Path, *arguments: str, unless: tuple[str, ...] = ()) -> bool:
    """Runs `pip install`; False where it failed with words of `unless`. Any other failure ends the program."""
    say("pip install " + " ".join(argument.replace(f"{ROOT}/", "") for argument in arguments))
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", *arguments]
    return run(command, unless=unless)


def run(command: list[str], env: dict[str, str] | None = None, unless: tuple[str, ...] = ()) -> bool:
    """Runs a command in silence; False where it failed with words of `unless`, else a failure ends the program."""
    result = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if result.returncode == 0:
        return True
    if any(words in result.stdout for words in unless):
        return False
    print(result.stdout[-4000:], file=sys.stderr)
    stop(f"This failed: {' '.join(command)}")


def say(text: str) -> None:
    print(f"environment: {text}", flush=True)


def stop(text: str) -> NoReturn:
    sys.exit(f"environment: {text}")


if __name__ == "__main__":
    main()
