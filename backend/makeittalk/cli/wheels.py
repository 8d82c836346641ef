"""`makeittalk-wheels FOLDER`: fills a folder with all that the backend needs, for a machine without a network.

Standard library only, and run by any Python from 3.11 on that has pip: also as `python backend/wheels.py` from the
unpacked extension, on a machine where nothing of this project is installed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from ..exchange import locks, wheels
from ..exchange.errors import InputError, MakeItTalkError, MissingError

#: Names of platforms as wheels have them; pip takes each of them literally.
_GLIBC = range(35, 4, -1)
_TAGS = {
    "linux-x86_64": [
        *(f"manylinux_2_{minor}_x86_64" for minor in _GLIBC),
        *("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"),
    ],
    "linux-aarch64": [
        *(f"manylinux_2_{minor}_aarch64" for minor in _GLIBC),
        *("manylinux2014_aarch64", "linux_aarch64"),
    ],
    "windows-x86_64": ["win_amd64"],
    "macos-arm64": [
        f"macosx_{major}_0_{machine}" for major in range(15, 10, -1) for machine in ("arm64", "universal2")
    ],
}


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        count = fill(options.folder, options.platform, _version(options.python), options.build)
    except MakeItTalkError as error:
        print(f"makeittalk-wheels: {error}", file=sys.stderr)
        return error.exit_status
    print(f"{options.folder} holds {count} wheels: choose it under Folder of Wheels in Install Backend.")
    return 0


def fill(folder: Path, platform: str, python: tuple[int, int], build_name: str) -> int:
    """Downloads every wheel for a platform, a Python and a build of torch; returns how many the folder holds.

    Raises:
        InputError: there is no such build, or no lock for it. MissingError: pip is missing or could not get them.
    """
    try:
        build = locks.find_build(build_name, platform)
    except KeyError:
        known = ", ".join(build.name for build in locks.builds(platform)) or "none"
        raise InputError(f"torch has no build {build_name} for {platform}.", f"Use one of: {known}.") from None
    lock = locks.lock_path(platform, python)
    if not lock.is_file():
        raise InputError(f"There is no lock for Python {python[0]}.{python[1]} on {platform}.", "Choose another.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be made: {error.strerror}.", "Name another folder.") from error
    target = _target(platform, python)
    _pip(folder, ["--no-deps", "--require-hashes", *target, "-r", str(locks.FOLDER / "pip.txt")])
    _pip(folder, ["--no-deps", "--require-hashes", *target, "-r", str(lock)])
    # The machine's own pip may be set up for an index that has this build; PyTorch's is asked where it has not.
    torch = [*([] if build.brings_libraries else ["--no-deps"]), *target, build.requirement]
    if not _pip(folder, torch, may_lack=bool(build.index)):
        _pip(folder, [*torch, "--extra-index-url", build.index])
    missing = wheels.lacking(folder, locks.Lock.read(lock), python, platform)
    if missing:
        raise MissingError(f"{folder} still lacks {', '.join(missing)}.", "Run it again.")
    return len(list(folder.glob("*.whl")))


def _target(platform: str, python: tuple[int, int]) -> list[str]:
    """What pip is told where another machine is meant than this one."""
    if platform == locks.platform_name() and python == sys.version_info[:2]:
        return []
    version = f"{python[0]}{python[1]}"
    abis = [f"cp{version}", "abi3", "none"]
    return [
        *("--python-version", version, "--implementation", "cp"),
        *(item for abi in abis for item in ("--abi", abi)),
        *(item for tag in _TAGS[platform] for item in ("--platform", tag)),
    ]


def _pip(folder: Path, arguments: list[str], may_lack: bool = False) -> bool:
    """Runs `pip download` in the user's sight; False where it found nothing and that may be.

    Raises:
        MissingError: it failed.
    """
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--only-binary", ":all:"]
    command += ["--dest", str(folder), *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        return True
    if may_lack and "No matching distribution" in done.stderr:
        return False
    last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no word")
    raise MissingError(f"pip could not get everything: {last.removeprefix('ERROR: ')}", "Look at what it says above.")


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor)


def _parser() -> argparse.ArgumentParser:
    pythons = [f"{major}.{minor}" for major, minor in locks.PYTHONS]
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    parser = argparse.ArgumentParser(
        prog="makeittalk-wheels",
        description="Fill a folder with the wheels that Install Backend needs on a machine without a network.",
    )
    parser.add_argument("folder", type=Path, help="where the wheels shall lie")
    parser.add_argument("--platform", choices=locks.PLATFORMS, default=locks.platform_name(), help="of that machine")
    parser.add_argument(
        *("--python",),
        choices=pythons,
        default=here if here in pythons else pythons[0],
        help="of that machine: its Blender's (4.2 to 5.0 bring 3.11, 5.1 to 5.3 bring 3.13) or one that is installed",
    )
    parser.add_argument(
        *("--build",),
        default="apple" if locks.platform_name() == "macos-arm64" else "cpu",
        help="of torch: cpu, apple, cu130 or cu126 (NVIDIA), rocm7.2 (AMD)",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
