"""Photoreal frames in their folder: what is finished stays, only what is missing or changed is drawn."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from makeittalk.exchange.errors import Cancelled, InputError, MakeItTalkError, OutputError
from makeittalk.exchange.formats import Mesh, Moves
from makeittalk.exchange.protocol import Sound
from makeittalk.jobs.animate import find_face
from makeittalk.jobs.photoreal import Rendered, render_frames
from makeittalk.landmarks.pose import fit_rigid
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.deform import deform
from makeittalk.mesh.depth_restore import restore_depth
from makeittalk.networks.correction import CorrectionConfig, CorrectionNet
from makeittalk.networks.image_inference import save_image
from makeittalk.rendering.frame_store import RECORD, FrameStore
from PIL import Image

SIDE = 300  # px of the portrait: small is quick
FRAMES = 8
HELD = "photoreal_00000.png"  # what Blender shows before frame 1
RUN = """
import sys
from makeittalk.exchange.errors import MakeItTalkError
from makeittalk.jobs.photoreal import render_frames
job, folder, weights = sys.argv[1:4]
try:
    done = render_frames(f"{job}/portrait.png", f"{job}/mesh.npz", f"{job}/moves.npz", folder, weights=weights)
    print("drawn", done.drawn)
except MakeItTalkError as error:
    print("refused", error)
"""


@pytest.fixture(scope="module")
def job(astronaut: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small portrait, its mesh, the moves of a nodding, speaking head, and a network that has learned nothing."""
    folder = tmp_path_factory.mktemp("job")
    with Image.open(astronaut) as photo:
        photo.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(folder / "small.png")
    portrait = find_face(folder / "small.png", folder)
    mesh = build_mesh(portrait.face, portrait.rgba)
    mesh.save(folder / "mesh.npz")
    Moves(moves(mesh, FRAMES)).save(folder / "moves.npz")
    save_image(folder / "net.safetensors", CorrectionNet(CorrectionConfig(widths=(4, 4), blocks=0)), "correction", {})
    return folder


def moves(mesh: Mesh, frames: int) -> np.ndarray:
    """(T, V, 3) px: every frame another one."""
    time = np.arange(frames)[:, None]
    turn = 0.1 * np.sin(0.7 * time + np.arange(3))
    jaw = mesh.key_landmarks[mesh.key_names.tolist().index("jawOpen")]
    return deform(mesh, (0.5 + 0.5 * np.sin(time))[..., None] * jaw, turn, np.zeros((frames, 3)))


@pytest.fixture
def draw(job: Path, tmp_path: Path) -> Callable[..., Rendered]:
    """Draws the job's frames into `frames`; other arguments by keyword."""

    def run(**changes: object) -> Rendered:
        values = {name: job / f"{name}.npz" for name in ("mesh", "moves")} | {"portrait": job / "portrait.png"}
        values |= {"folder": tmp_path / "frames"} | {k: changes.pop(k) for k in list(changes) if k in values}
        places = (values[name] for name in ("portrait", "mesh", "moves"))
        folder = changes.pop("folder", values["folder"])
        return render_frames(*places, folder, **({"weights": str(job / "net.safetensors")} | changes))

    return run


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """When each finished picture was written, and what it holds."""
    files = [path for path in sorted(folder.glob("photoreal_*.png")) if path.name != HELD]
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_every_frame_is_the_moving_portrait(draw: Callable[..., Rendered], job: Path, tmp_path: Path) -> None:
    told: list[str] = []
    done = draw(first=40, progress=lambda _fraction, stage: told.append(stage))
    assert (done.first, done.last, done.drawn) == (40, 40 + FRAMES - 1, FRAMES)
    files = sorted((tmp_path / "frames").glob("*.png"))
    assert [int(path.stem[-5:]) for path in files] == list(range(39, 40 + FRAMES))
    assert files[0].read_bytes() == files[1].read_bytes()  # shown before the first
    pictures = [np.asarray(Image.open(path)) for path in files[1:]]
    assert [picture.shape for picture in pictures] == [(SIDE, SIDE, 3)] * FRAMES
    portrait = np.asarray(Image.open(job / "portrait.png"))
    for picture, other in itertools.pairwise(pictures):
        assert 0.2 < np.abs(picture.astype(int) - portrait).mean() < 40.0
        assert np.abs(picture.astype(int) - other).mean() > 0.2
    assert [stage for stage in told if stage.startswith("Frame")] == [
        f"Frame {number} of {FRAMES}" for number in range(1, FRAMES + 1)
    ]


def test_a_second_run_draws_nothing_and_an_edit_only_its_frames(
    draw: Callable[..., Rendered], job: Path, tmp_path: Path
) -> None:
    draw()
    before = state(tmp_path / "frames")
    assert draw().drawn == 0 and state(tmp_path / "frames") == before
    edited = Moves.load(job / "moves.npz").vertices
    edited[[2, 5], :, 0] += 3.0
    Moves(edited).save(tmp_path / "edited.npz")
    assert draw(moves=tmp_path / "edited.npz").drawn == 2
    after = state(tmp_path / "frames")
    changed = [name for name in before if before[name] != after[name]]
    assert changed == ["photoreal_00003.png", "photoreal_00006.png"]


def test_other_weights_or_another_mesh_draw_all_again(draw: Callable[..., Rendered], job: Path, tmp_path: Path) -> None:
    draw()
    other = CorrectionNet(CorrectionConfig(widths=(4, 4), blocks=0))
    other.out.bias.data[:] = 0.5
    save_image(tmp_path / "other.safetensors", other, "correction", {})
    assert draw(weights=str(tmp_path / "other.safetensors")).drawn == FRAMES
    mesh = Mesh.load(job / "mesh.npz")
    mesh.uv[:, 0] *= 0.99
    mesh.save(tmp_path / "mesh.npz")
    assert draw(mesh=tmp_path / "mesh.npz").drawn == FRAMES


def test_what_was_drawn_before_and_after_belongs_to_the_run(
    draw: Callable[..., Rendered], job: Path, tmp_path: Path
) -> None:
    draw(first=10)
    Moves(Moves.load(job / "moves.npz").vertices[:3] + 1.0).save(tmp_path / "few.npz")
    done = draw(first=12, moves=tmp_path / "few.npz")
    assert (done.first, done.last, done.drawn) == (10, 10 + FRAMES - 1, 3)
    (tmp_path / "frames" / "photoreal_00011.png").unlink()
    assert draw(first=12, moves=tmp_path / "few.npz").first == 12


def test_killed_in_the_middle_it_goes_on_from_there(job: Path, tmp_path: Path) -> None:
    """SIGKILL while frames are written: the finished ones stay to the byte, the next run draws the others only."""
    long = tmp_path / "job"
    shutil.copytree(job, long)
    count = 60
    Moves(moves(Mesh.load(job / "mesh.npz"), count)).save(long / "moves.npz")
    folder = tmp_path / "frames"
    command = [sys.executable, "-c", RUN, str(long), str(folder), str(job / "net.safetensors")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    record, limit = folder / RECORD, time.monotonic() + 100
    while not record.is_file() or record.read_bytes().count(b"\n") < 12:
        assert time.monotonic() < limit and process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    said = {json.loads(line)["frame"] for line in record.read_text().splitlines()[1:] if line.endswith("}")}
    finished = {name: value for name, value in state(folder).items() if int(name[-9:-4]) in said}
    assert 11 <= len(finished) < count
    for left in folder.glob(".mit-*"):  # the picture that it died over; a minute old, it belongs to nobody
        os.utime(left, (0, 0))
    done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    assert done.stdout.strip() == f"drawn {count - len(finished)}", done.stdout + done.stderr[-2000:]
    after = state(folder)
    assert {name: after[name] for name in finished} == finished
    assert sorted(after) == [f"photoreal_{number:05d}.png" for number in range(1, count + 1)]
    assert not list(folder.glob(".mit-*"))


def test_half_a_picture_and_half_a_line_are_drawn_again(draw: Callable[..., Rendered], tmp_path: Path) -> None:
    draw()
    folder = tmp_path / "frames"
    picture = folder / "photoreal_00004.png"
    whole = picture.read_bytes()
    picture.write_bytes(whole[: len(whole) // 2])  # a machine that lost its power
    record = folder / RECORD
    record.write_bytes(record.read_bytes()[:-30])  # a line that was being written
    assert draw().drawn == 2
    assert picture.read_bytes() == whole
    assert draw().drawn == 0


def test_cancelling_keeps_what_is_finished(draw: Callable[..., Rendered], tmp_path: Path) -> None:
    def stop(_fraction: float, stage: str) -> None:
        if stage.startswith("Frame 4"):
            raise Cancelled

    with pytest.raises(Cancelled):
        draw(progress=stop)
    before = state(tmp_path / "frames")
    assert len(before) == 4
    assert draw().drawn == FRAMES - 4
    after = state(tmp_path / "frames")
    assert {name: after[name] for name in before} == before


def test_a_full_disk_keeps_what_is_finished(job: Path, tmp_path: Path) -> None:
    """A real file system with room for a few frames; once it has grown, the next run goes on."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs the right to mount a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    script = (
        'mount -t tmpfs -o size=700k tmpfs "$1"; "$2" -c "$3" "$4" "$1/frames" "$5"; ls -A "$1/frames"; '
        'mount -o remount,size=64m "$1"; "$2" -c "$3" "$4" "$1/frames" "$5"'
    )
    command = ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "_", str(disk), sys.executable, RUN]
    done = subprocess.run(
        [*command, str(job), str(job / "net.safetensors")], capture_output=True, text=True, timeout=250
    )
    lines = done.stdout.splitlines()
    assert lines[0].startswith("refused ") and "full" in lines[0] and "Traceback" not in done.stderr, done.stderr
    kept = [line for line in lines if line.startswith("photoreal_")]
    assert 0 < len(kept) < FRAMES and not any(line.startswith(".mit") for line in lines)
    assert lines[-1] == f"drawn {FRAMES - len(kept)}"


class TestRefused:
    """Each in one sentence; what was finished stays."""

    def refused(self, kind: type[MakeItTalkError], run: Callable[[], object], *words: str) -> None:
        with pytest.raises(kind) as caught:
            run()
        sentence = str(caught.value)
        assert "\n" not in sentence and caught.value.hint
        for word in words:
            assert word in sentence, sentence

    def test_a_missing_folder(self, draw: Callable[..., Rendered], tmp_path: Path) -> None:
        self.refused(OutputError, lambda: draw(folder=tmp_path / "nowhere" / "frames"), "nowhere", "does not exist")

    def test_a_folder_that_vanishes(self, draw: Callable[..., Rendered], tmp_path: Path) -> None:
        def vanish(_fraction: float, stage: str) -> None:
            if stage.startswith("Frame 3"):
                shutil.rmtree(tmp_path / "frames")

        self.refused(OutputError, lambda: draw(progress=vanish), "frames", "does not exist")
        assert draw().drawn == FRAMES

    def test_a_folder_that_may_not_be_written(self, draw: Callable[..., Rendered]) -> None:
        self.refused(OutputError, lambda: draw(folder="/proc/frames"), "/proc/frames")

    def test_a_file_instead_of_a_folder(self, draw: Callable[..., Rendered], tmp_path: Path) -> None:
        (tmp_path / "frames").write_text("mine")
        self.refused(OutputError, lambda: draw(), "is a file")
        assert (tmp_path / "frames").read_text() == "mine"

    @pytest.mark.parametrize("change", ["pixels", "size"])
    def test_a_portrait_replaced_since(
        self, change: str, draw: Callable[..., Rendered], job: Path, tmp_path: Path
    ) -> None:
        draw()
        before = state(tmp_path / "frames")
        with Image.open(job / "portrait.png") as picture:
            other = picture.convert("RGB")
        if change == "pixels":
            other.putpixel((5, 5), (1, 2, 3))
        else:
            other = other.resize((SIDE, SIDE + 2))
        other.save(tmp_path / "other.png")
        self.refused(InputError, lambda: draw(portrait=tmp_path / "other.png"), "made from", "Make It Talk")
        assert state(tmp_path / "frames") == before

    def test_the_same_pixels_in_another_file_are_the_same_portrait(
        self, draw: Callable[..., Rendered], job: Path, tmp_path: Path
    ) -> None:
        with Image.open(job / "portrait.png") as picture:
            picture.convert("RGBA").save(tmp_path / "again.png", compress_level=0)
        draw()
        assert draw(portrait=tmp_path / "again.png").drawn == 0

    def test_vertices_of_another_mesh(self, draw: Callable[..., Rendered], tmp_path: Path) -> None:
        Moves(np.zeros((2, 7, 3), np.float32)).save(tmp_path / "moves.npz")
        self.refused(InputError, lambda: draw(moves=tmp_path / "moves.npz"), "7 vertices", "modifiers")

    def test_weights_that_are_none(self, draw: Callable[..., Rendered], tmp_path: Path) -> None:
        (tmp_path / "bad.safetensors").write_text("no weights at all")
        self.refused(InputError, lambda: draw(weights=str(tmp_path / "bad.safetensors")), "bad.safetensors")


def test_a_film_holds_the_frames_and_the_stretch_of_the_speech(
    draw: Callable[..., Rendered], speech_wav: Path, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    done = draw(fps=4.0, film=film, sounds=[Sound(str(speech_wav), 0.5, 0.5, 99.0)])
    assert done.film == film and len(state(tmp_path / "frames")) == FRAMES
    with av.open(str(film)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    with av.open(str(film)) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
        rate = container.streams.audio[0].rate
    assert len(pictures) == FRAMES and len(samples) / rate == pytest.approx(FRAMES / 4.0, abs=0.1)
    shown = np.asarray(Image.open(tmp_path / "frames" / "photoreal_00005.png")).astype(int)
    assert np.abs(pictures[4].astype(int) - shown).mean() < 4.0
    quiet = np.abs(samples[: int(0.4 * rate)]).max()
    assert quiet < 0.01 < np.abs(samples[int(0.6 * rate) :]).max()


def test_the_record_of_another_format_is_not_believed(draw: Callable[..., Rendered], tmp_path: Path) -> None:
    draw()
    record = tmp_path / "frames" / RECORD
    lines = record.read_text().splitlines()
    record.write_text("\n".join(['{"format": 99}', *lines[1:]]))
    with FrameStore(tmp_path / "frames") as store:
        assert store.stretch(3, 3, json.loads(lines[1])["character"]) == (3, 3)
    assert draw().drawn == FRAMES


class TestTurned:
    """The relief that comes back when the head turns."""

    def test_nothing_moves_at_rest(self, job: Path) -> None:
        mesh = Mesh.load(job / "mesh.npz")
        restored = restore_depth(mesh, mesh.vertices[None])
        np.testing.assert_allclose(restored[0, :, :2], mesh.vertices[:, :2], atol=1e-3)
        assert restored[0, :, 2].min() < mesh.vertices[:, 2].min()  # the nose stands out further

    @pytest.mark.parametrize("degrees", [-10.0, 5.0])
    def test_a_turned_nose_moves_further_and_the_ground_stays(self, job: Path, degrees: float) -> None:
        mesh = Mesh.load(job / "mesh.npz")
        turned = deform(mesh, np.zeros((1, 68, 3)), np.radians([[0.0, degrees, 0.0]]), np.zeros((1, 3)))
        restored = restore_depth(mesh, turned)
        nose, ears = mesh.landmark_vertices[30], mesh.landmark_vertices[[0, 16]]
        before, after = ((p[0, nose, 0] - p[0, ears, 0].mean()) for p in (turned, restored))
        rest = mesh.vertices[nose, 0] - mesh.vertices[ears, 0].mean()
        assert 1.15 < (after - rest) / (before - rest) < 2.0
        still = mesh.head_weights == 0.0
        np.testing.assert_allclose(restored[0, still, :2], mesh.vertices[still, :2], atol=1e-3)

    def test_a_rolled_head_only_rolls(self, job: Path) -> None:
        mesh = Mesh.load(job / "mesh.npz")
        rolled = deform(mesh, np.zeros((1, 68, 3)), np.radians([[0.0, 0.0, 10.0]]), np.zeros((1, 3)))
        np.testing.assert_allclose(restore_depth(mesh, rolled)[..., :2], rolled[..., :2], atol=0.02)
        turn = fit_rigid(rolled[:, mesh.landmark_vertices], mesh.vertices[mesh.landmark_vertices])[0][0]
        assert np.degrees(np.arctan2(turn[1, 0], turn[0, 0])) == pytest.approx(10.0, abs=0.1)
