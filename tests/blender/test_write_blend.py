"""The program that writes a .blend for the command line."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import bpy
import pytest
import samples
from extension import part
from generated import changed, layer
from project import ROOT
from sounding import SOUND


def write(folder: Path, output: Path, *options: str, program: Path = ROOT) -> subprocess.CompletedProcess:
    command = [sys.executable, "-I", str(program / "addon" / "write_blend.py"), str(folder), str(output), *options]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize(("fps", "expected"), [("24", (24, 1.0)), ("30000/1001", (30, 1.001)), ("60", (60, 1.0))])
def test_file_opens_with_the_character_inside(extension, job, tmp_path, fps, expected):
    output = tmp_path / "Zoë spricht.blend"
    done = write(
        job, output, "--audio", str(job / "speech.wav"), "--fps", fps, "--name", "Zoë", "--lip", "0.8", "--weights=mine"
    )
    assert done.returncode == 0, done.stderr
    assert sorted(item.name for item in tmp_path.iterdir()) == ["Zoë spricht.blend", "job"]
    bpy.ops.wm.open_mainfile(filepath=str(output))
    scene = bpy.context.scene
    assert (scene.render.fps, pytest.approx(scene.render.fps_base)) == expected
    assert (scene.frame_start, scene.frame_end) == (1, 60)
    (character,) = part("addon.scene.character").characters(scene)
    assert character.name == "Zoë" and character.makeittalk.lip == pytest.approx(0.8)
    assert character.makeittalk.weights == "mine"
    keys = character.makeittalk.body.data.shape_keys
    assert [block.name for block in keys.key_blocks] == ["Basis", *samples.KEYS]
    compat = part("addon.compat")
    assert len(layer(character, "Lips").curves.fcurves) == len(samples.KEYS)
    parts = {found.part for found in part("addon.scene.layers").layers(character.makeittalk.rig)}
    assert parts == {"Nod", "Turn", "Tilt", "Sway"}
    assert ("built without sound" in done.stderr) == (not SOUND)
    if SOUND:
        (strip,) = compat.sequencer_strips(scene)
        assert strip.type == "SOUND" and compat.strip_span(strip)[0] == 1 and strip.sound.packed_file
    assert all(image.packed_file for image in bpy.data.images if image.type == "IMAGE")
    assert changed(character) == []


@pytest.mark.parametrize("name", ["makeittalk", "a-b", "1.0"])
def test_any_folder_name_will_do(job, tmp_path, name):
    program = tmp_path / name
    for item in ("__init__.py", "addon", "backend/makeittalk/exchange", "backend/makeittalk/__init__.py"):
        target = program / item
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / item).is_dir():
            shutil.copytree(ROOT / item, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / item, target)
    done = write(job, tmp_path / "out.blend", program=program)
    assert done.returncode == 0, done.stderr


def sentence(done: subprocess.CompletedProcess) -> str:
    """The one line of an error that a user may see."""
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1 and lines[0].endswith(".") and "Traceback" not in lines[0]
    return lines[0]


def test_damaged_job_is_one_sentence_and_no_file(job, tmp_path):
    (job / "bake.npz").write_bytes(b"nothing")
    assert "bake.npz" in sentence(write(job, tmp_path / "out.blend"))
    assert not (tmp_path / "out.blend").exists()


def test_missing_folder_and_output_folder(job, tmp_path):
    assert "mesh.npz" in sentence(write(tmp_path / "nowhere", tmp_path / "out.blend"))
    assert "nowhere" in sentence(write(job, tmp_path / "nowhere" / "out.blend"))
    assert "folder" in sentence(write(job, tmp_path))


def test_impossible_rate(job, tmp_path):
    for rate in ("fast", "0", "1/0", "nan"):
        assert "frame rate" in sentence(write(job, tmp_path / "out.blend", "--fps", rate))


def test_a_link_is_written_through_and_a_pipe_is_not_replaced(job, tmp_path):
    real, link, pipe = tmp_path / "real" / "shot.blend", tmp_path / "link.blend", tmp_path / "pipe.blend"
    real.parent.mkdir()
    link.symlink_to("real/shot.blend")
    assert write(job, link).returncode == 0
    assert link.is_symlink() and real.read_bytes()[:4] == b"\x28\xb5\x2f\xfd"
    assert [item.name for item in real.parent.iterdir()] == ["shot.blend"]
    os.mkfifo(pipe)
    assert "pipe" in sentence(write(job, pipe)) and pipe.is_fifo()


def test_existing_file_survives_a_failure(job, tmp_path):
    output = tmp_path / "out.blend"
    output.write_bytes(b"precious")
    (job / "mesh.npz").unlink()
    sentence(write(job, output))
    assert output.read_bytes() == b"precious"


@pytest.mark.skipif(not os.path.exists("/dev/full") or os.geteuid() != 0, reason="needs to mount a small disk")
def test_full_disk_is_one_sentence_and_leaves_nothing(job, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        sentence(write(job, disk / "out.blend", "--audio", str(job / "speech.wav")))
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


CALL = """
import sys
from fractions import Fraction
from pathlib import Path
from makeittalk.jobs.blender import write_blend
write_blend(Path(sys.argv[1]), Path(sys.argv[2]), Fraction(24))
"""


@pytest.fixture
def calling(job, tmp_path):
    """Starts a command that has Blender write a file, both with their temporary folders in `temp`."""
    (tmp_path / "temp").mkdir()
    (tmp_path / "out").mkdir()
    temporary = part("backend.makeittalk.exchange.temporary")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "backend")} | temporary.environment(tmp_path / "temp")
    command = [sys.executable, "-c", CALL, str(job), str(tmp_path / "out" / "shot.blend")]
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)
    yield running
    running.kill()
    running.wait()


def test_what_has_blender_write_leaves_nothing_of_it(extension, calling, tmp_path):
    assert calling.wait(200) == 0
    assert [item.name for item in (tmp_path / "out").iterdir()] == ["shot.blend"]
    assert list((tmp_path / "temp").iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="children are found in /proc")
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["temp/*", "temp/*/blender_*", "out/.mit-*"])
def test_blender_ends_with_whoever_had_it_write(extension, calling, tmp_path, moment, ending):
    owner = part("backend.makeittalk.exchange.owner")
    tasks = Path(f"/proc/{calling.pid}/task/{calling.pid}/children")
    until = time.monotonic() + 200
    while not list(tmp_path.glob(moment)) or not tasks.read_text().strip():
        assert time.monotonic() < until and calling.poll() is None
        time.sleep(0.001)
    blender = owner.of(int(tasks.read_text().split()[0]))
    calling.send_signal(ending)
    calling.wait(20)
    until = time.monotonic() + 60
    while not owner.is_gone(blender):
        assert time.monotonic() < until, "Blender goes on"
        time.sleep(0.01)
    assert list((tmp_path / "out").iterdir()) == []
    assert list((tmp_path / "temp").iterdir()) == []


def test_a_farm_needs_nothing_but_the_file(extension, job, tmp_path):
    """Rendered elsewhere, without the add-on and without what it was made from, it shows the same picture."""
    output = tmp_path / "here" / "shot.blend"
    output.parent.mkdir()
    arguments = ("--audio", str(job / "speech.wav"), "--portrait", str(job / "portrait.png"))
    assert write(job, output, *arguments).returncode == 0
    script = (
        "import bpy, sys; bpy.ops.wm.open_mainfile(filepath=sys.argv[1]); s = bpy.context.scene; "
        "s.render.engine = 'CYCLES'; s.cycles.samples = 4; s.render.filepath = sys.argv[2]; s.frame_set(30); "
        "s.render.image_settings.file_format = 'PNG'; bpy.ops.render.render(write_still=True); "
        "lost = [i.name for i in bpy.data.images if i.type == 'IMAGE' and not i.packed_file]; "
        "lost += [i.name for i in bpy.data.sounds if not i.packed_file] + [i.name for i in bpy.data.libraries]; "
        "print('lost', lost, len(bpy.data.texts), flush=True); import os; os._exit(0)"
    )

    def rendered(file: Path) -> bytes:
        picture = file.with_suffix(".png")
        command = [sys.executable, "-c", script, str(file), str(picture)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=200)
        assert "lost [] 0" in done.stdout, done.stdout + done.stderr
        image = bpy.data.images.load(str(picture))
        try:
            return bytes(bytearray(round(255 * value) for value in image.pixels[:]))
        finally:
            bpy.data.images.remove(image)

    here = rendered(output)
    (tmp_path / "elsewhere").mkdir()
    moved = shutil.move(output, tmp_path / "elsewhere" / "shot.blend")
    shutil.rmtree(job)
    assert rendered(Path(moved)) == here and len(set(here)) > 50
