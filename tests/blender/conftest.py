"""Loads the extension as Blender does, and gives every test a fresh scene."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from extension import load_extension, part
from project import ROOT
from results import system, write_results

bpy = pytest.importorskip("bpy")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    write_results(config, f"wheel-{bpy.app.version_string.split()[0]}")


_STATUS = pytest.StashKey[int]()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the process as it is: on its way out the module of 4.2 frees what add-ons registered when Python has ended,
    and that of 4.5 may wait for ever for a thread of its own."""
    if _STATUS in config.stash and not hasattr(config, "workerinput"):
        sys.stdout.flush()
        sys.stderr.flush()
        if Path(bpy.app.tempdir).name.startswith("blender_"):  # its own, which it leaves
            shutil.rmtree(bpy.app.tempdir, ignore_errors=True)
        os._exit(config.stash[_STATUS])


@pytest.fixture(scope="session", autouse=True)
def described(record_testsuite_property) -> None:
    """Says in the file of results which Blender this was."""
    record_testsuite_property("blender", bpy.app.version_string)
    record_testsuite_property("python", platform.python_version())
    record_testsuite_property("kind", "wheel")
    record_testsuite_property("system", system())


@contextlib.contextmanager
def nothing_deprecated() -> Iterator[None]:
    """Fails where the add-on or a test uses what a later Blender will no longer have; other warnings go on."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DeprecationWarning)
        yield
    ours = [
        item
        for item in caught
        if issubclass(item.category, DeprecationWarning)
        and item.filename.startswith(f"{ROOT}{os.sep}")
        and not item.filename.startswith(f"{ROOT}{os.sep}.venv")  # Blender's own add-ons
    ]
    for item in caught:
        if item not in ours:
            warnings.warn_explicit(item.message, item.category, item.filename, item.lineno)
    if ours:
        pytest.fail("\n".join(f"{item.filename}:{item.lineno}: {item.message}" for item in ours), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    with nothing_deprecated():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with nothing_deprecated():
        return (yield)


@pytest.fixture(scope="session")
def extension(tmp_path_factory) -> Iterator[ModuleType]:
    os.environ.setdefault("MAKEITTALK_HOME", str(tmp_path_factory.mktemp("user")))  # what a test chooses stays there
    module = load_extension()
    module.register()
    yield module
    module.unregister()


@pytest.fixture
def scene(extension):
    """Blender's factory scene: cube, light, camera."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=False)
    return bpy.context.scene


@pytest.fixture
def job(tmp_path) -> Path:
    """A folder as the backend leaves it: 60 frames at 24 frames a second."""
    import samples

    return samples.write_job(tmp_path / "job")


@pytest.fixture
def make(scene, job):
    """Builds a character from the sample job; keyword arguments go into its recipe."""
    character = part("addon.scene.character")

    def build(**changes):
        names = {"face": "face.json", "mesh": "mesh.npz", "motion": "motion.npz", "bake": "bake.npz"}
        files = {key: job / name for key, name in names.items()}
        recipe = {"name": "Ada", "audio": job / "speech.wav", **files, **changes}
        return character.build(bpy.context.scene, character.Made(**recipe))

    return build


@pytest.fixture(scope="session")
def backend_python() -> str:
    """The Python of the real backend: the one named, else the environment that `make test` uses."""
    python = os.environ.get("MAKEITTALK_PYTHON") or str(ROOT / ".venv" / "bin" / "python")
    assert os.path.isfile(python), f"{python} is missing: name the backend's Python in MAKEITTALK_PYTHON"
    return python


@pytest.fixture
def backend(extension, backend_python, monkeypatch, tmp_path):
    """Lets the add-on find the real backend; it goes on running from test to test, as in a session."""
    monkeypatch.setenv("MAKEITTALK_HOME", str(tmp_path / "nobody"))  # one that is installed would go first
    monkeypatch.setenv("MAKEITTALK_PYTHON", backend_python)
    return part("addon.jobs.connection")
