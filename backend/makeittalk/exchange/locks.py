"""What the backend's environment is made of: the lock that fits a machine, and the builds of torch. Standard library.

A lock lists every package but torch, complete and with hashes (`makeittalk/locks`, made by `tools/locks.py`). torch is
pinned by its version: which build of it a machine can use is the user's choice, and PyTorch's own index has them.
"""

from __future__ import annotations

import functools
import hashlib
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "locks"
#: The Pythons that every locked wheel is there for, the best known first.
PYTHONS = ((3, 11), (3, 12), (3, 13))
TORCH = "2.13.0"
_INDEX = "https://download.pytorch.org/whl"
_MB, _GB = 10**6, 10**9
_MAX_BYTES = 4 * 2**20  # of a lock; the longest has an eighth of a megabyte
_MACHINES = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "arm64", "aarch64": "aarch64"}
_SYSTEMS = {"linux": "linux", "win32": "windows", "darwin": "macos"}
PLATFORMS = ("linux-x86_64", "linux-aarch64", "windows-x86_64", "macos-arm64")


@dataclass(frozen=True)
class TorchBuild:
    """One way that torch is built.

    Attributes:
        name: what settings and command lines call it. label, text: what a user reads.
        platforms: where it exists.
        local: what its version ends in, such as "+cpu"; empty where the package index has it under the plain version.
        index: PyTorch's index that has it; empty for the package index.
        download, disk: bytes, its own libraries included; rounded.
    """

    name: str
    label: str
    text: str
    platforms: tuple[str, ...]
    local: str
    index: str
    download: int
    disk: int

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        return f"torch=={TORCH}{self.local}"

    @property
    def brings_libraries(self) -> bool:
        """Whether it asks for packages of its own (CUDA's), which torch's metadata pins by version."""
        return self.name.startswith(("cu", "rocm"))


_DESKTOP = ("linux-x86_64", "windows-x86_64")
BUILDS = (
    TorchBuild(
        name="cpu",
        label="Processor",
        text="Runs on every machine",
        platforms=("linux-x86_64", "linux-aarch64", "windows-x86_64"),
        local="+cpu",
        index=f"{_INDEX}/cpu",
        download=192 * _MB,
        disk=720 * _MB,
    ),
    TorchBuild(
        name="apple",
        label="Apple chip",
        text="Uses the graphics of an Apple chip",
        platforms=("macos-arm64",),
        local="",
        index="",
        download=111 * _MB,
        disk=420 * _MB,
    ),
    TorchBuild(
        name="cu130",
        label="NVIDIA (CUDA 13.0)",
        text="For NVIDIA cards since Turing (GTX 16, RTX 20) with a driver from 580 on",
        platforms=(*_DESKTOP, "linux-aarch64"),
        local="+cu130",
        index=f"{_INDEX}/cu130",
        download=2 * _GB,
        disk=5 * _GB,
    ),
    TorchBuild(
        name="cu126",
        label="NVIDIA (CUDA 12.6)",
        text="For older NVIDIA cards and drivers (525 and later)",
        platforms=_DESKTOP,
        local="+cu126",
        index=f"{_INDEX}/cu126",
        download=2_700 * _MB,
        disk=6 * _GB,
    ),
    TorchBuild(
        name="rocm7.2",
        label="AMD (ROCm 7.2)",
        text="For AMD cards under Linux with ROCm",
        platforms=("linux-x86_64",),
        local="+rocm7.2",
        index=f"{_INDEX}/rocm7.2",
        download=5 * _GB,
        disk=18 * _GB,
    ),
)


@dataclass(frozen=True)
class Lock:
    """A list of pinned packages with their hashes, for one platform and Python.

    Attributes:
        path: the file, in pip's format. packages: names (lower case, with hyphens) and versions.
        download, disk: bytes of all its wheels, packed and unpacked; 0 where the file does not say.
        without: packages that have no wheel there; what needs them says so.
    """

    path: Path
    packages: tuple[tuple[str, str], ...]
    download: int
    disk: int
    without: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Lock:
        """Reads a lock.

        Raises:
            OSError: it cannot be read. ValueError: it is too large for a lock.
        """
        data = path.read_bytes()
        if len(data) > _MAX_BYTES:
            raise ValueError(f"{path} is too large for a lock")
        text = data.decode("utf-8", "replace")
        pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE)
        sizes = dict(re.findall(r"^# (download|disk): (\d{1,18})$", text, re.MULTILINE))
        packages = tuple((canonical(name), version) for name, version in pins)
        without = re.search(r"^# without: (.+)$", text, re.MULTILINE)
        return cls(
            path,
            packages,
            int(sizes.get("download", 0)),
            int(sizes.get("disk", 0)),
            tuple(without[1].split()) if without else (),
        )


def canonical(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def platform_name(system: str = sys.platform, machine: str | None = None) -> str:
    """This machine's platform as the locks call it, such as "linux-x86_64"; also of those that no lock is made for.

    Args:
        system: as `sys.platform` has it. machine: as `platform.machine()` has it.
    """
    architecture = (machine or platform.machine()).lower()
    name = _SYSTEMS.get(system, system)
    known = _MACHINES.get(architecture, architecture)
    if name == "macos" and known == "aarch64":
        known = "arm64"
    if name == "linux" and known == "arm64":
        known = "aarch64"
    return f"{name}-{known}"


def lock_path(platform_: str, python: tuple[int, int], folder: Path | None = None) -> Path:
    """Where the lock for a platform and a Python lies."""
    return (folder or FOLDER) / f"{platform_}-py{python[0]}{python[1]}.txt"


def builds(platform_: str) -> tuple[TorchBuild, ...]:
    """The builds of torch that exist for a platform; none where the backend does not run."""
    return tuple(build for build in BUILDS if platform_ in build.platforms)


def find_build(name: str, platform_: str) -> TorchBuild:
    """A build by its name.

    Raises:
        KeyError: the platform has no such build.
    """
    return {build.name: build for build in builds(platform_)}[name]


@functools.cache  # asked whenever a panel is drawn; the files change with the release only
def environment_id(platform_: str, folder: Path | None = None) -> str:
    """Twelve letters that change with any lock of a platform and with torch's version."""
    digest = hashlib.sha256(f"torch=={TORCH}\n".encode())
    for python in PYTHONS:
        path = lock_path(platform_, python, folder)
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
