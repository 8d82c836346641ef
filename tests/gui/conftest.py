"""Says which Blender the window tests drove, where their results are kept as a file."""

from __future__ import annotations

import subprocess

import pytest
from results import system, write_results

ABOUT = "import bpy, platform; print('about', bpy.app.version_string, platform.python_version(), sep='|')"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    write_results(config, "window")


@pytest.fixture(scope="module", autouse=True)
def described(request: pytest.FixtureRequest, record_testsuite_property) -> None:
    chroot, folder = request.module.CHROOT, request.path.parent
    if not request.config.option.xmlpath or not (chroot / "usr" / "bin" / "blender").exists():
        return
    inside = ["blender", "-b", "--factory-startup", "--python-expr", ABOUT]
    command = ["bash", str(folder / "blender_gui_run.sh"), str(chroot), str(folder.parents[1]), *inside]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("about|"))
    _about, version, python = line.split("|")
    record_testsuite_property("blender", version)
    record_testsuite_property("python", python)
    record_testsuite_property("kind", "window")
    record_testsuite_property("system", system(chroot / "etc" / "os-release"))
