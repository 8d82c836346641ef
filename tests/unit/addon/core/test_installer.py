"""The installer with a real pip in real environments: tiny wheels, and every fault that an installation meets."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
import tiny_wheels
from extension import part_outside
from project import SUPPORT

installation = part_outside("addon.core.installation")
installer = part_outside("addon.core.installer")
locks = part_outside("backend.makeittalk.exchange.locks")
pythons = part_outside("addon.core.pythons")

TORCH = f"{locks.TORCH}+cpu"
pytestmark = pytest.mark.skipif(
    "cpu" not in [build.name for build in locks.builds(locks.platform_name())], reason="there is no CPU build here"
)


@pytest.fixture(scope="module")
def pip_wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pip")
    tiny_wheels.fetch_pip(folder)
    return next(folder.glob("pip-*.whl"))


class Bench:
    """A folder of wheels, the locks over it, and what stands for the backend."""

    def __init__(self, folder: Path, pip_wheel: Path) -> None:
        self.folder, self.wheels, self.locks = folder, folder / "wheels", folder / "locks"
        made = [tiny_wheels.write_wheel(self.wheels, name, "1.0", ballast=300_000) for name in ("alpha", "beta")]
        tiny_wheels.write_wheel(self.wheels, "torch", TORCH)
        (self.wheels / pip_wheel.name).write_bytes(pip_wheel.read_bytes())
        self.lock = tiny_wheels.write_lock(self.locks, made, locks.platform_name())
        self.backend = folder / "backend"
        self.backend.mkdir()
        (self.backend / "serve.py").write_text(tiny_wheels.SERVE)
        self.place = installation.Installation(folder / "home", "test")

    def start(self, **changes: object):
        plan = {
            "build": "cpu",
            "wheels": self.wheels,
            "own": Path(sys._base_executable),
            "locks": self.locks,
            "backend": self.backend,
        }
        running = installer.Installer(installer.Plan(**{**plan, **changes}), self.place)
        running.start()
        return running

    def run(self, **changes: object):
        running = self.start(**changes)
        running.join(120)
        assert not running.is_alive()
        return running

    def works(self) -> bool:
        """Whether what is installed is whole and can be used."""
        if not self.place.ready:
            return False
        code = "import alpha, beta, torch; print(alpha.WORD)"
        done = subprocess.run([str(self.place.python), "-I", "-c", code], capture_output=True, text=True)
        return done.stdout == "here\n"

    def is_clean(self) -> bool:
        """Whether nothing half-made lies about; downloads may."""
        return {path.name for path in self.place.root.iterdir()} <= {
            *(self.place.folder.name, "install.log", "install.lock", "cache")
        }


@pytest.fixture
def bench(tmp_path, pip_wheel) -> Bench:
    return Bench(tmp_path, pip_wheel)


@pytest.fixture
def index(bench, monkeypatch):
    served = tiny_wheels.Index(bench.wheels)
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", served.url)
    monkeypatch.setenv("PIP_TRUSTED_HOST", served.url.split("/")[2])  # pip keeps nothing of an index that it distrusts
    monkeypatch.setattr(
        locks, "BUILDS", tuple(dataclasses.replace(build, index="") for build in locks.BUILDS), raising=True
    )
    yield served
    served.close()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_folder_of_wheels_becomes_an_environment(bench):
    done = bench.run()
    assert done.error is None and done.finished_well and bench.works() and bench.is_clean()
    assert done.fraction == 1.0 and not bench.place.cache.exists()
    found = bench.place.read()
    assert (found.build, found.python) == ("cpu", f"{sys.version_info[0]}.{sys.version_info[1]}")
    assert found.disk > 600_000
    assert "alpha" in bench.place.log.read_text()


def test_installing_again_replaces_what_is_there(bench):
    assert bench.run().error is None
    (bench.place.folder / "stale").write_text("")
    assert bench.run().error is None
    assert bench.works() and not (bench.place.folder / "stale").exists() and bench.is_clean()


def test_a_missing_wheel_is_named_and_can_be_added(bench):
    away = next(bench.wheels.glob("beta-*")).rename(bench.folder / "beta-1.0-py3-none-any.whl")
    error = bench.run().error
    assert "beta==1.0" in error.message and "makeittalk-wheels" in error.hint
    assert not bench.place.ready and bench.is_clean()
    away.rename(bench.wheels / away.name)
    assert bench.run().error is None and bench.works()


def test_a_changed_wheel_is_refused(bench):
    tiny_wheels.write_wheel(bench.wheels, "beta", "1.0", code="WORD = 'changed'\n")
    error = bench.run().error
    assert "not the file that was locked" in error.message and "beta" in error.message
    assert not bench.place.ready and bench.is_clean()


def test_a_damaged_wheel_is_a_sentence(bench):
    beta = next(bench.wheels.glob("beta-*"))
    beta.write_bytes(beta.read_bytes()[:1000])
    made = [next(bench.wheels.glob(f"{name}-*")) for name in ("alpha", "beta")]
    tiny_wheels.write_lock(bench.locks, made, locks.platform_name())
    error = bench.run().error
    assert "damaged" in error.message and "beta" in error.message
    assert not bench.place.ready and bench.is_clean()


def test_a_failed_installation_leaves_the_last_one_at_work(bench):
    assert bench.run().error is None
    next(bench.wheels.glob("beta-*")).write_bytes(b"no wheel")
    assert bench.run().error is not None
    assert bench.works() and bench.is_clean()


def test_what_does_not_work_is_not_put_in_place(bench):
    tiny_wheels.write_wheel(bench.wheels, "torch", TORCH, code="raise OSError('libcudart.so is missing')\n")
    error = bench.run().error
    assert "libcudart.so is missing" in error.message
    assert not bench.place.ready and bench.is_clean()


def test_a_refused_connection_is_a_sentence(bench, index, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{closed_port()}/simple")
    error = bench.run(wheels=None, online=True).error
    assert "refuses the connection" in error.message and "press again" in error.hint
    assert bench.is_clean()
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    assert bench.run(wheels=None, online=True).error is None and bench.works()


def test_no_network_is_a_sentence(bench, index, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://nowhere.invalid/simple")
    error = bench.run(wheels=None, online=True).error
    assert "no network" in error.message.lower()
    assert bench.is_clean()


def test_a_refusing_proxy_is_a_sentence(bench, index, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://nowhere.invalid/simple")
    monkeypatch.setenv("PIP_PROXY", f"http://127.0.0.1:{closed_port()}")
    error = bench.run(wheels=None, online=True).error
    assert "proxy" in error.message and "HTTPS_PROXY" in error.hint


def test_a_cut_download_goes_on_with_what_has_come(bench, index):
    index.manner = "cut"
    error = bench.run(wheels=None, online=True).error
    assert "cut off" in error.message and "kept" in error.hint
    assert not bench.place.ready and bench.is_clean()
    index.manner = "well"
    index.asked.clear()
    assert bench.run(wheels=None, online=True).error is None and bench.works()


def test_a_cancel_does_not_wait_and_keeps_what_has_come(bench, index):
    """The server stands still in the middle of beta; pip and alpha are not asked for again."""
    index.manner = "slow"
    running = bench.start(wheels=None, online=True)
    while running.is_alive() and not any("/files/beta" in path for path in index.asked):
        time.sleep(0.01)
    running.cancel()
    running.join(20)
    assert not running.is_alive() and running.cancelled and running.error is None
    assert not bench.place.ready and bench.is_clean()
    assert any("/files/alpha" in path for path in index.asked) and any("/files/pip-" in path for path in index.asked)
    index.manner = "well"
    index.asked.clear()
    assert bench.run(wheels=None, online=True).error is None and bench.works()
    asked = [path for path in index.asked if path.startswith("/files/")]
    assert not any("/files/alpha" in path or "/files/pip-" in path for path in asked), asked


def test_a_full_disk_is_said_before_anything_is_downloaded(bench):
    bench.lock.write_text(bench.lock.read_text().replace("# disk: 1000", f"# disk: {10**17}"))
    error = bench.run().error
    assert "GB left" in error.message and "GB are needed" in error.message
    assert bench.is_clean()


@pytest.fixture
def small_disk(bench):
    """A file system of 24 MB where the installation goes, which a full disk cannot be had without."""
    bench.place.root.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(bench.place.root)])
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    yield bench.place.root
    subprocess.run(["umount", str(bench.place.root)], check=True)


def test_a_disk_that_fills_up_is_a_sentence(bench, small_disk, monkeypatch):
    monkeypatch.setattr(locks, "BUILDS", tuple(dataclasses.replace(b, disk=0) for b in locks.BUILDS))
    big = tiny_wheels.write_wheel(bench.wheels, "alpha", "1.0", ballast=40_000_000)
    tiny_wheels.write_lock(bench.locks, [big, next(bench.wheels.glob("beta-*"))], locks.platform_name())
    error = bench.run().error
    assert "disk is full" in error.message
    assert not bench.place.ready and bench.is_clean()


def test_a_read_only_folder_is_a_sentence(bench, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    error = bench.run().error
    assert str(small_disk) in error.message and "MAKEITTALK_HOME" in error.hint


def test_what_a_killed_pip_left_goes_with_the_next_try(bench):
    """Its temporary files lie where torch must have room, whatever the system's folder holds."""
    left = bench.place.cache / "temporary" / "pip-unpack-x"
    left.mkdir(parents=True)
    (left / "torch.whl").write_bytes(b"half")
    for wheel in bench.wheels.glob("beta-*"):
        wheel.unlink()
    assert bench.run().error is not None
    assert bench.place.cache.is_dir() and not left.parent.exists()


def test_two_at_once(bench):
    with bench.place.locked():
        error = bench.run().error
    assert "Another Blender" in error.message and not bench.place.ready
    assert bench.run().error is None and bench.works()


@pytest.mark.parametrize("stage", [pytest.param("Making an environment", marks=pytest.mark.slow), "Unpacking"])
def test_kill_in_the_middle_and_again(bench, stage):
    """Killed as Blender may be: nobody goes on writing, the next try ends well, and no litter of pip's stays."""
    system = bench.folder / "tmp"
    system.mkdir()
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(SUPPORT)!r})
from pathlib import Path
from extension import part_outside
installer, installation = part_outside("addon.core.installer"), part_outside("addon.core.installation")
class Killed(installer.Installer):  # as the stage begins: whoever watches it from outside may be too late
    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "stage" and value.startswith({stage!r}):
            os.kill(os.getpid(), signal.SIGKILL)
running = Killed(
    installer.Plan("cpu", Path({str(bench.wheels)!r}), False, Path({sys._base_executable!r}),
                   Path({str(bench.locks)!r}), Path({str(bench.backend)!r})),
    installation.Installation(Path({str(bench.place.root)!r}), "test"))
running.start()
running.join()
"""
    variables = {**os.environ, "TMPDIR": str(system)}
    assert subprocess.run([sys.executable, "-c", code], env=variables).returncode == -signal.SIGKILL
    assert not bench.place.ready
    assert bench.run().error is None and bench.works() and bench.is_clean()
    assert not any(system.iterdir())


@pytest.mark.parametrize(
    ("held_folder", "times"), [pytest.param("folder", 3, marks=pytest.mark.slow), ("folder", 1000), ("new", 8)]
)
def test_a_file_that_a_virus_scanner_holds(bench, monkeypatch, held_folder, times):
    """Windows refuses to move what is open: for a moment it is waited for, for ever it is a sentence."""
    assert bench.run().error is None
    left = times
    replace = os.replace

    def held(source, target):
        nonlocal left
        if Path(source) == getattr(bench.place, held_folder) and left:
            left -= 1
            raise PermissionError(13, "The process cannot access the file because it is being used")
        replace(source, target)

    monkeypatch.setattr(installation.os, "replace", held)
    error = bench.run().error
    if times < 8:
        assert error is None
    else:
        assert "in use" in error.message and "Close other Blenders" in error.hint
    assert bench.works() and bench.is_clean()


def test_no_python_is_a_sentence(bench, monkeypatch):
    monkeypatch.setattr(pythons, "candidates", lambda own: iter(()))
    error = bench.run().error
    assert "No Python" in error.message and "python.org" in error.hint
    assert bench.is_clean()


def test_a_python_without_venv_is_named_with_the_package_that_it_lacks(bench, monkeypatch):
    version = sys.version_info[:2]
    bare = pythons.Interpreter(Path("/usr/bin/python3"), version, locks.platform_name(), True, False, False)
    monkeypatch.setattr(pythons, "candidates", lambda own: iter([bare.path]))
    monkeypatch.setattr(pythons, "examine", lambda path: bare)
    error = bench.run().error
    assert "cannot make environments" in error.message and f"python{version[0]}.{version[1]}-venv" in error.hint


def test_uninstall_takes_everything_but_the_log(bench):
    assert bench.run().error is None
    (bench.place.root / "env-earlier").mkdir()
    bench.place.uninstall()
    assert {path.name for path in bench.place.root.iterdir()} == {"install.log", "install.lock"}


@pytest.mark.slow
def test_an_environment_whose_python_is_gone_is_not_ready(bench):
    assert bench.run().error is None
    bench.place.python.unlink()
    assert bench.place.broken and not bench.place.ready
    assert bench.run().error is None and bench.works()


@pytest.fixture
def only_an_old_python(monkeypatch):
    """A machine whose Pythons are all too old for the backend, and have pip."""
    real = pythons.examine

    def examine(path):
        found = real(path)
        return found if found is None or "cpython-" in str(path) else dataclasses.replace(found, version=(3, 9))

    monkeypatch.setattr(pythons, "examine", examine)
    monkeypatch.setattr(pythons, "candidates", lambda own: iter([Path(sys._base_executable)]))


@pytest.mark.slow
def test_uv_fetches_a_python_where_none_fits(bench, only_an_old_python, monkeypatch, tmp_path):
    """uv itself comes from the package index; the Python, from a list of our own instead of the one in uv."""
    version, base = f"{sys.version_info[0]}.{sys.version_info[1]}", Path(sys.base_prefix)
    patch = platform.python_version()
    archive = tmp_path / "python.tar.gz"

    def kept(item):
        return None if re.search(r"/(test|site-packages|__pycache__|idlelib|config-3[^/]*)(/|$)", item.name) else item

    with tarfile.open(archive, "w:gz", compresslevel=1) as bundle:
        bundle.add(os.path.realpath(sys._base_executable), f"python/bin/python{version}")
        bundle.add(base / "lib" / f"python{version}", f"python/lib/python{version}", filter=kept)
        for library in base.glob(f"lib/libpython{version}*"):
            bundle.add(library, f"python/lib/{library.name}")
    listed = {
        **{"name": "cpython", "os": "linux", "libc": "gnu", "prerelease": "", "variant": None, "build": "20260101"},
        **{"arch": {"family": platform.machine(), "variant": None}, "url": archive.as_uri()},
        **dict(zip(("major", "minor", "patch"), map(int, patch.split(".")), strict=True)),
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
    }
    listing = tmp_path / "pythons.json"
    listing.write_text(json.dumps({f"cpython-{patch}-linux-{platform.machine()}-gnu": listed}))
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS_JSON_URL", str(listing))
    monkeypatch.setattr(part_outside("addon.core.uv_python"), "_WANTED", version)
    monkeypatch.setenv("PIP_FIND_LINKS", str(bench.wheels))
    monkeypatch.setattr(locks, "BUILDS", tuple(dataclasses.replace(build, index="") for build in locks.BUILDS))
    assert bench.run(wheels=None, online=True).error is None
    assert bench.works() and str(bench.place.root / "python") in os.path.realpath(bench.place.python)


@pytest.mark.slow
def test_a_python_that_uv_cannot_fetch_is_a_sentence(bench, only_an_old_python, monkeypatch):
    monkeypatch.setenv("UV_PYTHON_INSTALL_MIRROR", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    error = bench.run(wheels=None, online=True).error
    assert "none could be fetched" in error.message and "python.org" in error.hint
    assert bench.is_clean()
