"""Which backend Blender uses, and what happens to it when something is changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

import bpy
import pytest
import tiny_wheels
from extension import part
from project import ROOT, SUPPORT


@pytest.fixture
def connection(extension, monkeypatch, tmp_path):
    """No backend installed, none named, none running."""
    found = part("addon.jobs.connection")
    found.close()
    monkeypatch.setenv("MAKEITTALK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MAKEITTALK_PYTHON", raising=False)
    yield found
    found.close()


@pytest.fixture
def preferences(connection, monkeypatch):
    """Preferences that can be set: those of the enabled extension are there in an installed one only."""

    class Chosen:
        python, wheels, build, device, idle_minutes = "", "", "cpu", "auto", 0

    chosen = Chosen()
    monkeypatch.setattr(connection, "settings", lambda: chosen)
    return chosen


def install(identity: str | None = None, **told: object) -> str:
    """Lays out what an installation leaves; returns its Python."""
    installation = part("addon.core.installation")
    place = installation.Installation(identity=identity or "")
    python = place.python
    python.parent.mkdir(parents=True)
    os.symlink(sys.executable, python)
    found = {"product": "0", "python": "3.11", "build": "cpu", "disk": 1, "seconds": 1.0, **told}
    (place.folder / installation.MARKER).write_text(json.dumps(found))
    return str(python)


def test_without_a_backend_the_panel_names_the_button(connection):
    assert connection.no_python_reason() == "The backend is not installed yet. Press Install Backend."
    with pytest.raises(part("addon.core.errors").AddonError, match="Install Backend"):
        connection.get()


def test_the_preference_goes_before_the_installed_and_that_before_the_variable(connection, preferences, monkeypatch):
    monkeypatch.setenv("MAKEITTALK_PYTHON", "/usr/bin/env")
    assert connection.python() == "/usr/bin/env"
    installed = install()
    assert connection.python() == installed
    preferences.python = sys.executable
    assert connection.python() == sys.executable
    preferences.python = "/nowhere/python"
    assert "does not exist: /nowhere/python" in connection.no_python_reason()


def test_an_environment_of_another_version_is_said(connection):
    install("of-earlier-locks")
    assert "of another version than the add-on" in connection.no_python_reason()
    assert "Install Backend" in connection.no_python_reason()


def test_an_environment_whose_python_is_gone_is_said(connection):
    os.unlink(install())
    assert "is gone" in connection.no_python_reason() and "Install Backend" in connection.no_python_reason()


def test_a_damaged_note_of_the_installation_does_no_harm(connection):
    install(disk="much")
    assert part("addon.core.installation").Installation().read().disk == 0


def test_a_changed_python_starts_anew(connection, preferences, backend_python, tmp_path):
    """A wrong Python, then the right one: what is wrong with the first is not said of the second."""
    bare = tmp_path / "bare"
    subprocess.run([backend_python, "-I", "-m", "venv", "--without-pip", str(bare)], check=True)
    preferences.python = str(bare / "bin" / "python")
    first = connection.get()
    first.wait(first._greeting)
    assert "lacks numpy, torch" in first.complaint and connection.status()[1] == "ERROR"
    assert connection.get() is first
    preferences.python = backend_python
    second = connection.get()
    assert second is not first and not first.alive
    second.wait(second._greeting)
    assert second.complaint == "" and second.hello.product


def test_a_backend_at_work_is_not_ended_by_a_preference(connection, preferences, monkeypatch):
    client_module = part("addon.core.client")
    fake = SUPPORT / "fake_backend.py"
    preferences.python = sys.executable
    client = client_module.BackendClient([sys.executable, "-I", str(fake), "slow"], connection.log_path())
    monkeypatch.setattr(connection, "_client", client)
    client.submit(part("backend.makeittalk.exchange.protocol").Animate())
    preferences.python = "/usr/bin/env"
    assert client.busy and connection.get() is client


def test_disabling_does_not_wait_for_a_backend_that_does_not_listen(connection, monkeypatch):
    client_module = part("addon.core.client")
    fake = SUPPORT / "fake_backend.py"
    client = client_module.BackendClient([sys.executable, "-I", str(fake), "deaf"], connection.log_path())
    client.wait(client._greeting)
    client.submit(part("backend.makeittalk.exchange.protocol").Animate())
    monkeypatch.setattr(connection, "_client", client)
    connection.close(wait=False)
    assert connection.current() is None
    assert client.process.poll() is None  # it is seen off by a thread, Blender goes on
    client.process.wait(20)


def test_enabling_removes_what_a_killed_blender_has_left(connection, monkeypatch, tmp_path):
    machine = part("backend.makeittalk.exchange.owner").mine().partition("-")[0]
    left, kept = (tmp_path / f"makeittalk-{machine}-{process}-abcdefgh" for process in ("7fffffff-11111111", "x"))
    left.mkdir()
    kept.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    connection.unregister()
    connection.register()
    assert list(tmp_path.glob("makeittalk-*")) == [kept]


def test_without_a_folder_of_its_own_the_log_is_private(connection, monkeypatch):
    def none(*_unused, **_more):
        raise ValueError("loaded from a checkout")

    monkeypatch.setattr(bpy.utils, "extension_path_user", none)
    log = connection.log_path()
    assert connection.log_path() == log and part("backend.makeittalk.exchange.owner").mine() in log.parent.name
    assert log.parent.stat().st_mode & 0o777 == 0o700


def test_installing_needs_the_network_or_a_folder(connection):
    assert not bpy.app.online_access
    reason = part("addon.jobs.install").source_reason
    assert "Allow Online Access" in reason("")
    assert "does not exist: /nowhere" in reason("/nowhere")
    assert reason(str(ROOT)) == ""


def test_buttons_say_why_they_are_grey(connection):
    operators = part("addon.operators.install")
    assert operators.MAKEITTALK_OT_uninstall_backend.disabled_reason(bpy.context) == "Nothing is installed."
    assert "Install Backend" in operators.MAKEITTALK_OT_test_backend.disabled_reason(bpy.context)
    assert operators.MAKEITTALK_OT_reveal_backend.disabled_reason(bpy.context) == "Nothing is installed."


def test_the_job_installs_and_the_next_start_takes_it(connection, preferences, backend_python, tmp_path, monkeypatch):
    """The whole job without a window: a tiny lock, a real pip, a real environment."""
    installer = part("addon.core.installer")
    install_job = part("addon.jobs.install")
    locks = part("backend.makeittalk.exchange.locks")
    wheels = tmp_path / "wheels"
    made = [tiny_wheels.write_wheel(wheels, name, "1.0") for name in ("alpha", "beta")]
    tiny_wheels.write_wheel(wheels, "torch", f"{locks.TORCH}+cpu")
    tiny_wheels.fetch_pip(wheels)
    lock_folder, backend = tmp_path / "locks", tmp_path / "backend"
    tiny_wheels.write_lock(lock_folder, made, locks.platform_name())
    backend.mkdir()
    (backend / "serve.py").write_text(tiny_wheels.SERVE)
    plan = installer.Plan
    monkeypatch.setattr(install_job, "Plan", lambda **told: plan(**told | {"locks": lock_folder, "backend": backend}))
    job = install_job.InstallJob("cpu", str(wheels))
    assert part("addon.jobs.long_job").current_job() is job
    job.wait()
    assert "The backend is installed" in job.finish(bpy.context)
    assert part("addon.jobs.long_job").current_job() is None
    assert connection.python() == str(part("addon.core.installation").Installation().python)
    assert bpy.ops.makeittalk.uninstall_backend() == {"FINISHED"}
    assert "not installed yet" in connection.no_python_reason()
