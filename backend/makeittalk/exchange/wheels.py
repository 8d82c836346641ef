"""Folders of wheels that stand for the network: what such a folder lacks of a lock. Standard library only."""

from __future__ import annotations

import os
from pathlib import Path

from . import locks
from .locks import Lock

_SYSTEMS = {"linux": ("linux", "manylinux"), "windows": ("win",), "macos": ("macosx",)}


def lacking(
    folder: Path, lock: Lock, python: tuple[int, int], platform: str, locks_folder: Path | None = None
) -> list[str]:
    """What has no wheel in the folder that this Python could use, as "name==version": of the lock, pip's own, torch.

    Args:
        folder: holds wheels. lock: what is wanted. python: such as (3, 11). platform: as the locks call it.
        locks_folder: where the locks lie, `locks.FOLDER` where it is None.

    Raises:
        OSError: the folder cannot be read.
    """
    at_hand = {pin for name in os.listdir(folder) if (pin := _usable(name, python, platform))}
    wanted = [*Lock.read((locks_folder or locks.FOLDER) / "pip.txt").packages, *lock.packages, ("torch", locks.TORCH)]
    return [f"{name}=={version}" for name, version in wanted if (name, version) not in at_hand]


def _usable(filename: str, python: tuple[int, int], platform: str) -> tuple[str, str] | None:
    """Name and version (without its local part) of a wheel that this Python can use, as far as its name says."""
    if not filename.endswith(".whl"):
        return None
    parts = filename[: -len(".whl")].split("-")
    if len(parts) not in (5, 6):
        return None
    pythons, abis, systems = (part.split(".") for part in parts[-3:])
    major, minor = python
    exact = {f"cp{major}{minor}", f"py{major}", f"py{major}{minor}"}
    stable = "abi3" in abis and any(
        tag.startswith(f"cp{major}") and tag[3:].isdigit() and int(tag[3:]) <= minor for tag in pythons
    )
    if not stable and not exact & set(pythons):
        return None
    if not any(abi in ("none", "abi3", f"cp{major}{minor}") for abi in abis):
        return None
    system, _, machine = platform.partition("-")
    machines = {"x86_64": ("x86_64", "amd64"), "aarch64": ("aarch64",), "arm64": ("arm64", "universal2")}[machine]
    fits = any(tag == "any" or (tag.startswith(_SYSTEMS[system]) and tag.endswith(machines)) for tag in systems)
    return (locks.canonical(parts[0]), parts[1].partition("+")[0]) if fits else None
