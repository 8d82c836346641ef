"""The zip: built, validated, installed into a Blender with nothing else of the project, and used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile

import pytest
from project import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import build_extension

INSTALLED = """
import os, sys, bpy, addon_utils
archive, portrait, speech = sys.argv[1:4]
addon_utils.enable("bl_pkg", default_set=True)
bpy.ops.extensions.package_install_files(filepath=archive, repo="user_default", enable_on_install=True)
import bl_ext.user_default.makeittalk as installed
print("installed at", installed.__file__)
assert "makeittalk" in "".join(bpy.context.preferences.addons.keys())
settings = bpy.context.scene.makeittalk
settings.portrait, settings.speech = portrait, speech
assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
from bl_ext.user_default.makeittalk.addon.jobs import connection
from bl_ext.user_default.makeittalk.addon.scene import character
made = character.active(bpy.context)
print("made", made.name, made.makeittalk.frames, len(made.makeittalk.body.data.shape_keys.key_blocks))
print("log", connection.log_path())
process = connection.current().process
addon_utils.disable("bl_ext.user_default.makeittalk", default_set=True)
process.wait(20)  # a thread sees the backend off: one that is left running fails here
assert not hasattr(bpy.types.Scene, "makeittalk")
addon_utils.enable("bl_ext.user_default.makeittalk", default_set=True)
assert hasattr(bpy.types.Scene, "makeittalk")
print("done", flush=True)
os._exit(0)  # Blender 4.2 as a module crashes when Python ends by itself
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return build_extension.build(tmp_path_factory.mktemp("dist"))


def test_zip_installs_and_runs(archive, backend_python, tmp_path):
    script = tmp_path / "installed.py"
    script.write_text(INSTALLED)
    assets = ROOT / "backend" / "makeittalk" / "assets"
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
        "BLENDER_USER_RESOURCES": str(tmp_path / "user files ü"),
        "MAKEITTALK_PYTHON": backend_python,
        "MAKEITTALK_HOME": str(tmp_path / "home"),
    }
    arguments = [str(archive), str(assets / "portrait_cartoon.png"), str(assets / "speech.flac")]
    done = subprocess.run(
        [sys.executable, "-I", str(script), *arguments], capture_output=True, text=True, env=environment, cwd=tmp_path
    )
    assert done.returncode == 0 and "done" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
    assert "user files ü" in done.stdout.split("installed at", 1)[1].splitlines()[0]
    log = done.stdout.split("log ", 1)[1].splitlines()[0]
    assert "user files ü" in log and os.path.isfile(log)


def test_manifest_repeats_the_one_version(monkeypatch, tmp_path):
    version = build_extension.check_version()
    assert version.count(".") == 2
    for name in ("blender_manifest.toml", "backend/makeittalk/exchange/version.py"):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text((ROOT / name).read_text())
    (tmp_path / "backend/makeittalk/exchange/version.py").write_text('VERSION = "9.9.9"\n')
    monkeypatch.setattr(build_extension, "ROOT", tmp_path)
    with pytest.raises(build_extension.BuildError, match=r"9\.9\.9"):
        build_extension.check_version()


def test_the_laboratory_stays_at_home(archive):
    with zipfile.ZipFile(archive) as bundle:
        names = bundle.namelist()
    assert "backend/makeittalk/cli/animate.py" in names
    assert [name for name in names if "makeittalk_lab" in name] == []
    assert [name for name in names if name.endswith(".toml")] == ["blender_manifest.toml"]


def test_weights_and_their_licences_come_along(archive, tmp_path):
    folder = "backend/makeittalk/weights"
    with zipfile.ZipFile(archive) as bundle:
        packed = {name: bundle.read(name) for name in bundle.namelist()}
    for name in ("face_landmarker.task", "content.safetensors", "LICENSE.mediapipe"):
        assert packed[f"{folder}/{name}"] == (ROOT / folder / name).read_bytes()
        copy = tmp_path / "copy.zip"
        with zipfile.ZipFile(copy, "w") as bundle:
            for other, content in packed.items():
                if other != f"{folder}/{name}":
                    bundle.writestr(other, content)
        with pytest.raises(build_extension.BuildError, match=name):
            build_extension.check_contents(copy)


@pytest.mark.parametrize("name", ["addon/__pycache__/x.cpython-311.pyc", "backend/makeittalk_lab/data/clips.py"])
def test_zip_with_a_stranger_is_refused(archive, tmp_path, name):
    copy = shutil.copy(archive, tmp_path / "copy.zip")
    with zipfile.ZipFile(copy, "a") as bundle:
        bundle.writestr(name, b"")
    with pytest.raises(build_extension.BuildError, match="does not belong"):
        build_extension.check_contents(copy)
