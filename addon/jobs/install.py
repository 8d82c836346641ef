"""Installs the backend's environment as a job, and says what is installed."""

from __future__ import annotations

import os
from pathlib import Path

import bpy

from ...backend.makeittalk.exchange import locks
from ..core import pythons
from ..core.errors import AddonError
from ..core.installation import Installation
from ..core.installer import Installer, Plan
from . import connection
from .long_job import LongJob


class InstallJob(LongJob):
    """An installation under way; ends the backend only when the new environment takes the old one's place.

    Args:
        build: of torch. wheels: a folder of wheels instead of the network; empty for the network.

    Raises:
        AddonError: the folder does not exist, or Blender may not use the network.
    """

    when_cancelled = "Cancelled. What was downloaded is kept for the next time."

    def __init__(self, build: str, wheels: str) -> None:
        reason = source_reason(wheels)
        if reason:
            raise AddonError(reason)
        plan = Plan(
            build=build,
            wheels=Path(bpy.path.abspath(wheels)) if wheels else None,
            online=bpy.app.online_access,
            own=pythons.own_python(),
        )
        if os.name == "nt":
            connection.close()  # Windows lets nobody replace files that are in use
        self._installer = Installer(plan)
        self.begin("Installing the backend")
        self._installer.start()

    @property
    def cancelled(self) -> bool:
        """Whether it was stopped as asked."""
        return not self._installer.is_alive() and self._installer.cancelled

    def poll(self) -> bool:
        """Shows how far it is; True once it is finished, well or not."""
        installer = self._installer
        self.session.progress(installer.fraction, installer.stage, installer.seconds_left)
        return not installer.is_alive()

    def cancel(self) -> None:
        """Asks it to stop."""
        self._installer.cancel()

    def finish(self, context: bpy.types.Context) -> str:
        """Lets the backend start anew from the new environment.

        Raises:
            MakeItTalkError: the installation failed; what was there before works as it did.
        """
        try:
            if self._installer.error is not None:
                raise self._installer.error
            connection.close()
            found = Installation().read()
            return f"The backend is installed: {found.disk / 1e9:.1f} GB in {minutes(found.seconds)}."
        finally:
            self.close()

    def close(self) -> None:
        """Ends the job; an installation that still runs is stopped."""
        self._installer.cancel()
        super().close()


def source_reason(wheels: str) -> str:
    """Why nothing can be installed from this folder of wheels, or from the network where it is empty."""
    if wheels:
        folder = bpy.path.abspath(wheels)
        return "" if os.path.isdir(folder) else f"The folder of wheels does not exist: {folder}"
    if not bpy.app.online_access:
        return "Blender may not go online. Allow Online Access, or choose a folder of wheels."
    return ""


def sizes(build_name: str) -> tuple[float, float]:
    """What an installation downloads and takes on the disk, in bytes, as far as the locks say."""
    platform = locks.platform_name()
    try:
        build = locks.find_build(build_name, platform)
    except KeyError:
        return 0.0, 0.0
    for python in locks.PYTHONS:
        path = locks.lock_path(platform, python)
        if path.is_file():
            lock = locks.Lock.read(path)
            return float(lock.download + build.download), float(lock.disk + build.disk)
    return 0.0, 0.0


def minutes(seconds: float) -> str:
    """A length of time for a sentence."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} minutes"
