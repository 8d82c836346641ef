"""Makes the project's Python environments; standard library only. `python3.11 tools/environment.py run|dev|bpy50`.

run    .venv with the backend, its command line and Blender as a module: what `make demo` needs
dev    the same and the tools of `make test`
bpy50  .venv-bpy50 with the second Blender that the add-on is tested in

Versions are those of `requirements/`. A stamp in each environment makes a second call instant.
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
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
TORCH = "torch==2.13.0"
#: Where PyTorch keeps its CPU builds; asked only where pip, as it is set up, finds none.
TORCH_INDEX = os.environ.get("MAKEITTALK_TORCH_INDEX", "https://download.pytorch.org/whl/cpu")
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
    kinds = {"run": make_run, "dev": make_dev, "bpy50": make_bpy50}
    if len(sys.argv) != 2 or sys.argv[1] not in kinds:
        stop("Usage: python3.11 tools/environment.py run|dev|bpy50")
    if sys.version_info[:2] != (3, 11):
        stop(f"Python 3.11 is needed and this is {platform.python_version()}: say make PYTHON=/path/to/python3.11.")
    kinds[sys.argv[1]]()


def make_run() -> None:
    """The environment of the command line, `.venv`."""
    system_packages()
    python = environment(ROOT / ".venv")
    files = [REQUIREMENTS / "backend.txt", REQUIREMENTS / "blender.txt", ROOT / "pyproject.toml", Path(__file__)]
    with Stamp(ROOT / ".venv" / "makeittalk-run", files) as stamp:
        if stamp.stale:
            install_torch(python)
            pip(python, "--no-deps", "-r", str(files[0]), "-r", str(files[1]))
            pip(python, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))


def make_dev() -> None:
    """`.venv` with the tools of the tests; the type stubs lie apart, as they would hide the real bpy."""
    make_run()
    python = environment(ROOT / ".venv")
    lock = REQUIREMENTS / "dev.txt"
    with Stamp(ROOT / ".venv" / "makeittalk-dev", [lock, Path(__file__)]) as stamp:
        if stamp.stale:
            pip(python, "--no-deps", "-r", str(lock))
            pip(python, "--no-deps", "--upgrade", "--target", str(ROOT / ".venv" / "stubs"), STUBS)


def make_bpy50() -> None:
    """`.venv-bpy50`, the second Blender."""
    system_packages()
    python = environment(ROOT / ".venv-bpy50")
    lock = REQUIREMENTS / "bpy50.txt"
    with Stamp(ROOT / ".venv-bpy50" / "makeittalk-bpy50", [lock]) as stamp:
        if stamp.stale:
            pip(python, "--no-deps", "-r", str(lock))


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
        missing.append("python3.11-venv")
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


def environment(folder: Path) -> Path:
    """The interpreter of the environment in `folder`, which is made where it is missing or was moved."""
    python = folder / "bin" / "python"
    question = [str(python), "-c", "import pip, sys; print(sys.prefix, *sys.version_info[:2], sep='\\n')"]
    try:
        found = subprocess.run(question, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        found = []
    if found != [str(folder), "3", "11"]:
        say(f"Making {folder.name}")
        # By its full name: a link to /usr/bin/python3 may be another version in the window tests.
        run([os.path.realpath(sys.executable), "-m", "venv", "--clear", str(folder)])
    return python


def install_torch(python: Path) -> None:
    """The CPU build of torch where no NVIDIA driver is found and any index has one, else pip's own choice."""
    if has(python, "torch", TORCH.partition("==")[2]):
        return
    if platform.system() == "Linux" and shutil.which("nvidia-smi") is None:
        exact = ["--no-deps", f"{TORCH}+cpu"]
        if pip(python, *exact, unless="No matching distribution"):
            return
        nearby = ["--retries", "1", "--timeout", "20", "--extra-index-url", TORCH_INDEX]
        if pip(python, *exact, *nearby, unless="No matching distribution"):
            return
        say("No CPU build of torch was found: taking the registry's own, which may bring several GB of CUDA libraries")
    pip(python, TORCH, "-c", str(REQUIREMENTS / "backend.txt"))


def has(python: Path, name: str, version: str) -> bool:
    """Whether the environment holds a package at this version, whatever its build."""
    code = f"import importlib.metadata as m; print(m.version({name!r}).partition('+')[0])"
    answer = subprocess.run([str(python), "-c", code], capture_output=True, text=True)
    return answer.stdout.strip() == version


def pip(python: Path, *arguments: str, unless: str = "") -> bool:
    """Runs `pip install`; False where it failed with the words `unless`. Any other failure ends the program."""
    say("pip install " + " ".join(argument.replace(f"{ROOT}/", "") for argument in arguments))
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", *arguments]
    return run(command, unless=unless)


def run(command: list[str], env: dict[str, str] | None = None, unless: str = "") -> bool:
    """Runs a command in silence; False where it failed with the words `unless`, else a failure ends the program."""
    result = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if result.returncode == 0:
        return True
    if unless and unless in result.stdout:
        return False
    print(result.stdout[-4000:], file=sys.stderr)
    stop(f"This failed: {' '.join(command)}")


def say(text: str) -> None:
    print(f"environment: {text}", flush=True)


def stop(text: str) -> NoReturn:
    sys.exit(f"environment: {text}")


if __name__ == "__main__":
    main()
