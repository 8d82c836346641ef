"""Makes the backend's environment, in a thread of its own. No bpy here.

A Python is chosen, an environment made beside the present one, filled by pip from the locks, tried, and put in place.
Until that last step nothing that worked before has changed; what has been downloaded is kept for the next try.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ...backend.makeittalk.exchange import locks, wheels
from ...backend.makeittalk.exchange.errors import MakeItTalkError
from ...backend.makeittalk.exchange.version import VERSION
from . import doctor, installation, pythons
from .errors import AddonError
from .installation import Installation, Installed
from .pip_progress import PipProgress
from .pip_run import PipRun, failure, watch
from .pip_wheel import Tools
from .uv_python import fetch_python

_ROOT = Path(__file__).resolve().parents[2]
_ROOM = 1.15  # times the sizes that are known: pip unpacks into a temporary folder


@dataclass(frozen=True)
class Plan:
    """What to install.

    Attributes:
        build: of torch, by its name.
        wheels: a folder of wheels that stands for the network; None for the network.
        online: whether the network may be used.
        own: Blender's own Python, where it can be run.
        locks: the folder of the locks. backend: the folder that holds `serve.py`.
    """

    build: str
    wheels: Path | None = None
    online: bool = False
    own: Path | None = None
    locks: Path = locks.FOLDER
    backend: Path = _ROOT / "backend"


class Installer(threading.Thread):
    """Carries out a plan.

    Attributes:
        fraction, stage, seconds_left: how far it is; seconds are negative while unknown.
        error: why it failed; None where it did not. cancelled: it was stopped as asked.
    """

    def __init__(self, plan: Plan, place: Installation | None = None) -> None:
        super().__init__(name="makeittalk-install", daemon=True)
        self.plan = plan
        self.place = place or Installation()
        self.platform = locks.platform_name()
        self.fraction, self.stage, self.seconds_left = 0.0, "Starting", -1.0
        self.error: MakeItTalkError | None = None
        self.cancelled = False
        self._stop_asked = threading.Event()
        self._begun = time.monotonic()
        self._progress: PipProgress | None = None

    def cancel(self) -> None:
        """Asks it to stop; what was downloaded is kept."""
        self._stop_asked.set()

    def run(self) -> None:
        try:
            with self.place.locked(), self.place.variables() as variables:
                self._install(variables)
        except MakeItTalkError as error:
            self.error = None if self._stop_asked.is_set() else error
        except OSError as error:
            self.error = self._os_error(error)
        except Exception as error:  # a thread that dies in silence would leave the bar standing for ever
            self.error = AddonError(f"The installation failed with {type(error).__name__}: {error}.", "Press again.")
        self.cancelled = self._stop_asked.is_set() and self.error is None and not self.finished_well
        if self.error is not None or self.cancelled:
            with contextlib.suppress(MakeItTalkError):
                installation.remove(self.place.new)

    @property
    def finished_well(self) -> bool:
        """Whether the environment is in place."""
        return self.fraction >= 1.0

    def _install(self, variables: dict[str, str]) -> None:
        place, plan = self.place, self.plan
        build = self._build()
        installation.sweep(place.root)
        with open(place.log, "w", encoding="utf-8") as log:
            print(f"MakeItTalk {VERSION}, {self.platform}, {build.requirement}", file=log, flush=True)
            self._report(0.0, "Looking for a Python")
            tools = Tools(place, plan.locks, plan.wheels, plan.own, variables, log, self._stop_asked, self._words(None))
            python = self._choose_python(tools, variables, log)
            print(f"Python {python.version[0]}.{python.version[1]}: {python.path}", file=log, flush=True)
            lock = locks.Lock.read(locks.lock_path(self.platform, python.version, plan.locks))
            self._check_room(lock, build)
            self._report(0.02, "Making an environment")
            installation.remove(place.new)
            command = [str(python.path), "-I", "-m", "venv", "--without-pip", str(place.new)]
            lines, status = watch(command, variables, log, self._stop_asked)
            if status:
                raise failure(lines, self._words(python))
            self._report(0.03, "Getting pip")
            new = installation.interpreter(place.new)
            pip = PipRun(new, tools.pip(), variables, log, self._stop_asked, self._heard, self._look)
            self._fill(pip, lock, build, self._words(python))
            self._report(0.94, "Trying it")
            self._try(new, variables, log)
        used = installation.size(place.new)
        version = ".".join(map(str, python.version))
        place.finish(Installed(VERSION, version, build.name, used, round(time.monotonic() - self._begun, 1)))
        with contextlib.suppress(MakeItTalkError):
            installation.remove(place.cache)
        self._report(1.0, "Installed")

    def _build(self) -> locks.TorchBuild:
        try:
            return locks.find_build(self.plan.build, self.platform)
        except KeyError:
            known = locks.builds(self.platform)
        if not known:
            raise AddonError(
                f"The backend does not run on {self.platform}.", "It needs Linux, Windows (x86-64) or an Apple chip."
            )
        raise AddonError(
            f"torch is not built as {self.plan.build} for {self.platform}.",
            f"Choose {' or '.join(build.label for build in known)}.",
        )

    def _choose_python(self, tools: Tools, variables: dict[str, str], log: IO[str]) -> pythons.Interpreter:
        """The first Python that every wheel is at hand for.

        Raises:
            AddonError: there is none.
        """
        plan = self.plan
        lacking = bare = ""
        lesser: pythons.Interpreter | None = None
        for path in pythons.candidates(plan.own):
            found = pythons.examine(path)
            path_of_lock = locks.lock_path(self.platform, found.version, plan.locks) if found is not None else None
            if found is None or not found.fits or not path_of_lock.is_file():
                print(f"  {path}: {'no Python' if found is None else 'does not fit'}", file=log, flush=True)
                if found is not None and found.version in locks.PYTHONS and not found.makes_environments:
                    bare = bare or f"{found.version[0]}.{found.version[1]}"
                continue
            lock = locks.Lock.read(path_of_lock)
            missing = []
            if plan.wheels is not None:
                missing = wheels.lacking(plan.wheels, lock, found.version, self.platform, plan.locks)
            if not missing and not lock.without:
                return found
            if not missing:  # one that goes without something, such as faces on ARM: taken where there is no better
                lesser = lesser or found
                continue
            print(f"  {path}: no wheel of {', '.join(missing)}", file=log, flush=True)
            if not lacking:
                lacking = f"Python {found.version[0]}.{found.version[1]}, such as {missing[0]} ({len(missing)} in all)"
        if lesser is not None:
            return lesser
        if lacking:
            raise AddonError(
                f"The folder of wheels lacks some for {lacking}.",
                f"Fill it with makeittalk-wheels on a machine that has a network, for {self.platform}.",
            )
        if bare:
            raise AddonError(
                f"Python {bare} cannot make environments here.", f"Install python{bare}-venv, then press again."
            )
        if plan.wheels is None and plan.online:
            self._report(0.01, "Fetching a Python")
            return fetch_python(tools, self.place, variables, log, self._stop_asked)
        raise AddonError(
            "No Python 3.11, 3.12 or 3.13 was found.", "Install one from python.org or your system's packages."
        )

    def _fill(self, pip: PipRun, lock: locks.Lock, build: locks.TorchBuild, explain: dict[str, str]) -> None:
        """Installs what is locked, then torch."""
        plan, cache = self.plan, self.place.cache
        source = ["--no-index", "--find-links", str(plan.wheels)] if plan.wheels is not None else []
        exact = ["--no-deps", "--require-hashes", *source]
        self._progress = PipProgress(self.place.new, lock, build, self._report)
        self._progress.begin("packages")
        pip.install(*exact, "-r", str(lock.path), cache=cache, explain=explain)
        self._progress.begin("torch")
        options = source or (["--extra-index-url", build.index] if build.index else [])
        if not build.brings_libraries:
            options = ["--no-deps", *options]
        # A folder of wheels was filled for this machine: whatever build it holds is the one that was wanted.
        wanted = f"torch=={locks.TORCH}" if source else build.requirement
        pip.install(*options, wanted, cache=cache, explain=explain)
        self._progress = None

    def _try(self, python: Path, variables: dict[str, str], log: IO[str]) -> None:
        """Asks the new environment whether everything that is needed works.

        Raises:
            AddonError: something does not.
        """
        command = [str(python), "-I", str(self.plan.backend / "serve.py"), "doctor"]
        lines, status = watch(command, variables, log, self._stop_asked)
        if status:
            wrong = doctor.fault("\n".join(lines))
            raise AddonError(f"What was installed does not work: {wrong}.", "Open Log says more; press again.")

    def _check_room(self, lock: locks.Lock, build: locks.TorchBuild) -> None:
        """Sees to it that the disk has room.

        Raises:
            AddonError: it has not.
        """
        download = 0 if self.plan.wheels is not None else lock.download + build.download
        needed = _ROOM * (lock.disk + build.disk + download)
        free = shutil.disk_usage(self.place.root).free
        if free < needed:
            raise AddonError(
                f"The disk of {self.place.root} has {free / 1e9:.1f} GB left and {needed / 1e9:.1f} GB are needed.",
                "Free some space, then press again.",
            )

    def _words(self, python: pythons.Interpreter | None) -> dict[str, str]:
        """What the sentences about failures are filled with."""
        version = f" and Python {python.version[0]}.{python.version[1]}" if python is not None else ""
        where = "on the package index" if self.plan.wheels is None else f"in {self.plan.wheels}"
        refill = "Try again later, or use a folder of wheels."
        if self.plan.wheels is not None:
            refill = f"Fill the folder with makeittalk-wheels for {self.platform}{version}."
        return {
            "where": f"{where} for {self.platform}{version}",
            "refill": refill,
            "elsewhere": "Name another folder in MAKEITTALK_HOME.",
            "network": "Check the connection and press again: what has come is kept.",
            "proxy": "Set HTTPS_PROXY to the proxy that your network wants, then start Blender again.",
        }

    def _os_error(self, error: OSError) -> AddonError:
        if error.errno == 28:  # ENOSPC
            return AddonError("The disk is full.", "Free some space, then press again.")
        return installation.unwritable(self.place.root, error)

    def _heard(self, line: str) -> None:
        if self._progress is not None:
            self._progress.heard(line)

    def _look(self) -> None:
        if self._progress is not None:
            self._progress.look()

    def _report(self, fraction: float, stage: str) -> None:
        self.fraction, self.stage = max(self.fraction, fraction), stage
        spent = time.monotonic() - self._begun
        self.seconds_left = spent * (1.0 - fraction) / fraction if fraction > 0.06 else -1.0
