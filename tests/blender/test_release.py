"""A release: served from a folder, added to Blender as a remote repository, installed from there and updated."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import build_extension
import build_release

#: What a user does in the preferences, by the same operators; it waits for a line where the next release is made.
SESSION = """
import importlib, os, sys, bpy, addon_utils
url = sys.argv[1]
addon_utils.enable("bl_pkg", default_set=True)
preferences = bpy.context.preferences
repositories = preferences.extensions.repos
for other in [item for item in repositories if item.use_remote_url]:
    repositories.remove(other)
add = dict(name="MakeItTalk", remote_url=url, use_sync_on_startup=False, type="REMOTE")
assert bpy.ops.preferences.extension_repo_add(**add) == {"FINISHED"}
index = next(number for number, item in enumerate(repositories) if item.remote_url == url)
chosen = dict(repo_index=index, pkg_id="makeittalk")
assert not preferences.system.use_online_access and not bpy.app.online_access
assert not bpy.ops.extensions.package_install.poll(), "installs although online access is off"
preferences.system.use_online_access = True
assert bpy.ops.extensions.repo_sync(repo_index=index) == {"FINISHED"}
bpy.ops.extensions.package_install(**chosen, enable_on_install=True)

def version():
    name = f"bl_ext.{repositories[index].module}.makeittalk"
    assert name in preferences.addons and hasattr(bpy.types.Scene, "makeittalk")
    return importlib.import_module(f"{name}.backend.makeittalk.exchange.version").VERSION

print("installed", version(), flush=True)
sys.stdin.readline()
assert bpy.ops.extensions.repo_sync_all() == {"FINISHED"}
bpy.ops.extensions.package_upgrade_all()
print("updated", version(), flush=True)
os._exit(0)  # the module of 4.2 frees the classes of panels when Python has already ended
"""


@pytest.fixture
def served(tmp_path) -> Iterator[tuple[Path, str, list[str]]]:
    """A folder, the address that it is served at, and what was asked of it."""
    folder, asked = tmp_path / "web space", []
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, form: str, *values: object) -> None:
            asked.append(self.path)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}/index.json", asked
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def later_source(tmp_path) -> Path:
    """The extension's source as a later version."""
    source = tmp_path / "source"
    unshipped = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "docs", "runs", "tests", "makeittalk_lab")
    shutil.copytree(ROOT, source, ignore=unshipped)
    version = build_extension.check_version()
    for name in ("blender_manifest.toml", "backend/makeittalk/exchange/version.py"):
        text = (source / name).read_text(encoding="utf-8")
        assert text.count(f'"{version}"') == 1
        (source / name).write_text(text.replace(f'"{version}"', '"99.0.0"'), encoding="utf-8")
    return source


def test_a_served_folder_installs_and_updates(served, later_source, tmp_path, monkeypatch):
    folder, url, asked = served
    first = build_release.release(folder)
    assert sorted(item.name for item in folder.iterdir()) == ["index.html", "index.json", first.name]
    assert first.name in (folder / "index.html").read_text(encoding="utf-8")
    script = tmp_path / "session.py"
    script.write_text(SESSION, encoding="utf-8")
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
        "BLENDER_USER_RESOURCES": str(tmp_path / "user"),
    }
    command = [sys.executable, "-I", str(script), url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, text=True, env=environment, cwd=tmp_path, **pipes) as session:
        lines = []
        for line in session.stdout:
            lines.append(line)
            if line.startswith("installed "):
                break
        told = "".join(lines)
        assert f"installed {build_extension.check_version()}\n" in told, told[-3000:]
        monkeypatch.setattr(build_extension, "ROOT", later_source)
        second = build_release.release(folder)
        assert sorted(item.name for item in folder.iterdir()) == ["index.html", "index.json", second.name]
        rest, _nothing = session.communicate("go on\n")
    assert session.returncode == 0 and "updated 99.0.0\n" in rest, rest[-3000:]
    zips = [path.split("/")[-1].split("?")[0] for path in asked if ".zip" in path]
    assert zips == [first.name, second.name] and second.name == "makeittalk-99.0.0.zip"


def test_a_list_that_is_not_of_the_zip_is_refused(tmp_path):
    archive = build_release.release(tmp_path / "release")
    archive.write_bytes(archive.read_bytes() + b"more")
    with pytest.raises(build_extension.BuildError, match=r"index\.json lists"):
        build_release.check_index(archive.parent, archive)
