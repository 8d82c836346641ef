"""The command line on what people really feed it: bad input is one sentence and status 2, odd input just works."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import torch
from makeittalk.cli.main import main
from makeittalk.exchange.formats import Face, Motion
from makeittalk.landmarks.landmark_motion import load_motion
from makeittalk.networks.correction import CorrectionConfig, CorrectionNet
from makeittalk.networks.image_inference import save_image
from PIL import Image
from project import ASSETS

CARTOON, PHOTO, SPEECH = ASSETS / "portrait_cartoon.png", ASSETS / "portrait_photo.jpg", ASSETS / "speech.flac"


@pytest.fixture(scope="module")
def face_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detected face with its picture beside it."""
    path = tmp_path_factory.mktemp("face") / "face.json"
    assert main(["detect", str(CARTOON), "-o", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def motion_file(face_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A predicted motion for that face."""
    path = tmp_path_factory.mktemp("motion") / "motion.npz"
    assert main(["predict", str(SPEECH), "--face", str(face_file), "-o", str(path)]) == 0
    return path


def refused(capsys: pytest.CaptureFixture[str], arguments: list[object], *words: str) -> None:
    """The command ends with status 2, one sentence that holds the words, and nothing new on the disk."""
    status = main([str(argument) for argument in arguments])
    told = capsys.readouterr().err.strip().splitlines()
    assert status == 2, told
    assert len(told) == 1 and told[0].startswith("makeittalk: "), told
    assert "Traceback" not in told[0]
    for word in words:
        assert word in told[0], told[0]


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def silence(path: Path, seconds: float, rate: int = 16000) -> Path:
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(rate)
        stream.writeframes(b"\0\0" * int(seconds * rate))
    return path


class TestBadInput:
    """Each with status 2, one sentence, and no file left."""

    @pytest.fixture(autouse=True)
    def nothing_is_written(self, tmp_path: Path):
        out = tmp_path / "out"
        out.mkdir()
        yield
        assert list(out.iterdir()) == []

    @pytest.mark.parametrize("kind", ["missing", "empty", "text", "no samples", "10 ms"])
    def test_recordings(self, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "speech.wav"
        if kind == "empty":
            write(path, b"")
        elif kind == "text":
            write(path, b"Dear diary, this is not a sound.\n" * 40)
        elif kind == "no samples":
            silence(path, 0.0)
        elif kind == "10 ms":
            silence(path, 0.01)
        out = tmp_path / "out" / "a.npz"
        refused(capsys, ["animate", CARTOON, path, "-o", out], "speech.wav")

    @pytest.mark.parametrize("kind", ["missing", "empty", "text", "no face", "truncated", "tiny"])
    def test_portraits(self, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "picture.png"
        if kind == "empty":
            write(path, b"")
        elif kind == "text":
            write(path, b"Not a picture. " * 100)
        elif kind == "no face":
            ramp = np.linspace(0, 255, 640, dtype=np.uint8)
            Image.fromarray(np.broadcast_to(ramp[None, :, None], (480, 640, 3)).copy()).save(path)
        elif kind == "truncated":
            write(path, CARTOON.read_bytes()[:60_000])
        elif kind == "tiny":
            Image.new("RGB", (8, 8)).save(path)
        refused(capsys, ["animate", path, SPEECH, "-o", tmp_path / "out" / "a.npz"], "picture.png")
        refused(capsys, ["detect", path, "-o", tmp_path / "out" / "face.json"], "picture.png")

    @pytest.mark.parametrize(
        "change",
        [
            {"landmarks": [[0, 0, 0]] * 67},
            {"landmarks": [["a", 0, 0]] * 68},
            {"landmarks": [[float("nan"), 0, 0]] * 68},
            {"landmarks": [[1e300, 0, 0]] * 68},
            {"landmarks": [[5, 5, 5]] * 68},
            {"format": 99},
            {"image": {"path": "../../../etc/passwd", "width": 10, "height": 10}},
            {"image": {"path": "portrait.png", "width": 1e12, "height": -4}},
            {"image": None},
        ],
    )
    def test_hostile_faces(
        self, change: dict, face_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "face.json"
        path.write_text(json.dumps(json.loads(face_file.read_text()) | change))
        refused(capsys, ["predict", SPEECH, "--face", path, "-o", tmp_path / "out" / "m.npz"], "face.json")
        refused(capsys, ["animate", CARTOON, SPEECH, "--landmarks", path, "-o", tmp_path / "out" / "m.npz"])

    @pytest.mark.parametrize("kind", ["pickle", "text", "shape", "nan", "cut", "huge"])
    def test_hostile_motions(
        self, kind: str, motion_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "motion.npz"
        arrays = dict(np.load(motion_file))
        if kind == "pickle":
            np.savez(path, **arrays | {"landmarks": np.array([print], dtype=object)})
        elif kind == "text":
            write(path, b"PK no archive")
        elif kind == "shape":
            np.savez(path, **arrays | {"neutral": np.zeros((67, 3))})
        elif kind == "nan":
            np.savez(path, **arrays | {"landmarks": arrays["landmarks"] * np.nan})
        elif kind == "cut":
            write(path, motion_file.read_bytes()[:-2000])
        elif kind == "huge":
            np.savez_compressed(path, **arrays | {"landmarks": np.zeros((1_000_000, 68, 3), np.float64)})
        refused(capsys, ["render", CARTOON, path, "-o", tmp_path / "out" / "a.mp4"], "motion.npz")

    def test_outputs(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        refused(capsys, ["animate", CARTOON, SPEECH, "-o", tmp_path / "out" / "a.avi"], "a.avi", ".mp4")
        refused(capsys, ["animate", CARTOON, SPEECH, "-o", tmp_path / "nowhere" / "a.mp4"], "nowhere")
        refused(capsys, ["animate", CARTOON, SPEECH, "-o", "/proc/a.npz"], "/proc/a.npz")

    @pytest.mark.parametrize("option", [["--fps", "0"], ["--fps", "x"], ["--lip", "nan"], ["--seed", "-1"]])
    def test_options(self, option: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        refused(capsys, ["animate", CARTOON, SPEECH, "-o", tmp_path / "out" / "a.mp4", *option])

    def test_a_device_that_is_not_there(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        import torch

        if torch.cuda.is_available():
            pytest.skip("there is one")
        refused(capsys, ["animate", CARTOON, SPEECH, "-o", tmp_path / "out" / "a.npz", "--device", "cuda"], "cuda")


@pytest.mark.parametrize("suffix", [".npz", ".mp4", ".csv", ".json", ".blend"])
def test_a_full_disk(suffix: str, tmp_path: Path) -> None:
    """A real file system of 48 KiB, smaller than any result."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs the right to mount a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    script = (
        'mount -t tmpfs -o size=48k tmpfs "$1"; "$2" -m makeittalk.cli.main animate "$3" "$4" '
        '--style cartoon -o "$1/out$5"; '
        'status=$?; ls -A "$1"; exit $status'
    )
    command = ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "_"]
    done = subprocess.run(
        [*command, disk, sys.executable, CARTOON, SPEECH, suffix], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 2, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("makeittalk: ")]
    assert len(told) == 1 and "Traceback" not in done.stderr
    assert "full" in told[0] or "space" in told[0].lower(), told
    assert done.stdout.strip() == "", "something half-written was left"


class TestOddButFine:
    """Unusual input that must work."""

    def animate(self, portrait: Path, audio: Path, folder: Path, *options: str) -> Motion:
        out = folder / "odd.npz"
        assert main(["animate", str(portrait), str(audio), "-o", str(out), *options]) == 0
        return load_motion(out)

    def test_silence_is_a_resting_face(self, tmp_path: Path) -> None:
        motion = self.animate(PHOTO, silence(tmp_path / "silence.wav", 3.0), tmp_path)
        assert np.abs(motion.expression[:, 48:68] - motion.parts.rest[None, 48:68]).max() < 2.0
        assert np.degrees(motion.head_rotation).std() > 0.05  # alive all the same

    def test_nan_samples_are_silence_and_said_so(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        samples, rate = soundfile.read(SPEECH)
        samples[rate : 2 * rate] = np.nan
        soundfile.write(tmp_path / "holes.wav", samples, rate, subtype="FLOAT")
        motion = self.animate(CARTOON, tmp_path / "holes.wav", tmp_path)
        assert np.isfinite(motion.landmarks).all()
        assert "silence" in capsys.readouterr().err

    def test_eight_channels_at_192_khz(self, tmp_path: Path) -> None:
        samples, rate = soundfile.read(SPEECH)
        fast = np.repeat(samples[: 2 * rate], 12)
        soundfile.write(tmp_path / "many.wav", np.repeat(fast[:, None], 8, axis=1), 192_000)
        assert abs(self.animate(CARTOON, tmp_path / "many.wav", tmp_path).seconds - 2.0) < 0.05

    @pytest.mark.parametrize(("suffix", "codec"), [(".mp3", "libmp3lame"), (".m4a", "aac"), (".ogg", "libopus")])
    def test_compressed_sound(self, suffix: str, codec: str, tmp_path: Path) -> None:
        samples, rate = soundfile.read(SPEECH, dtype="float32")
        path = tmp_path / f"speech{suffix}"
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=rate)
            frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
            frame.sample_rate = rate
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                container.mux(packet)
        assert abs(self.animate(CARTOON, path, tmp_path).seconds - len(samples) / rate) < 0.1

    def test_far_away_paths(self, tmp_path: Path) -> None:
        folder = tmp_path / "mit Leerzeichen und Ümläuten 声" / ("x" * 120) / ("y" * 120)
        folder.mkdir(parents=True)
        portrait, audio = folder / "Портрет 1.png", folder / "речь 1.flac"
        shutil.copy(CARTOON, portrait)
        shutil.copy(SPEECH, audio)
        assert len(str(audio)) > 260
        assert self.animate(portrait, audio, folder).frames > 100

    def test_two_faces(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        photo = Image.open(PHOTO).convert("RGB")
        pair = Image.new("RGB", (photo.width * 2, photo.height), "gray")
        pair.paste(photo.resize((photo.width // 2, photo.height // 2)), (0, photo.height // 4))
        pair.paste(photo, (photo.width, 0))
        pair.save(tmp_path / "two.png")
        out = tmp_path / "face.json"
        assert main(["detect", str(tmp_path / "two.png"), "-o", str(out)]) == 0
        assert Face.load(out).landmarks[30, 0] > photo.width
        assert "largest" in capsys.readouterr().err


class TestResults:
    """What comes out."""

    def test_the_video_is_as_long_as_the_sound(self, tmp_path: Path) -> None:
        out = tmp_path / "short.mp4"
        cut = tmp_path / "cut.wav"
        samples, rate = soundfile.read(SPEECH)
        soundfile.write(cut, samples[: int(2.3 * rate)], rate)
        assert main(["animate", str(PHOTO), str(cut), "-o", str(out), "--fps", "29.97"]) == 0
        with av.open(str(out)) as container:
            picture, sound = container.streams.video[0], container.streams.audio[0]
            assert picture.average_rate.limit_denominator(2000) == Fraction(30000, 1001)
            assert abs(float(picture.frames / picture.average_rate) - 2.3) <= 1 / 29.97
            assert abs(float(sound.duration * sound.time_base) - 2.3) <= 1 / 29.97

    def test_tables_hold_the_same_motion(self, tmp_path: Path) -> None:
        rows, value = tmp_path / "m.csv", tmp_path / "m.json"
        assert main(["animate", str(CARTOON), str(SPEECH), "-o", str(rows), "-o", str(value), "--fps", "24"]) == 0
        head, *lines = rows.read_text().splitlines()
        table = np.array([[float(v) for v in line.split(",")] for line in lines])
        assert head.split(",")[:4] == ["seconds", "headPitch", "headYaw", "headRoll"]
        assert "jawOpen" in head and table[1, 0] == pytest.approx(1 / 24, rel=1e-3)
        data = json.loads(value.read_text())
        assert np.allclose(data["frames"]["headYaw"], table[:, 2], atol=1e-3)
        assert table[:, 1:4].std(axis=0).min() > 0.1  # degrees: the head moves

    def test_corrected_landmarks_are_used(self, face_file: Path, tmp_path: Path) -> None:
        value = json.loads(face_file.read_text())
        value["landmarks"] = [[x + 3.0, y, z] for x, y, z in value["landmarks"]]
        path = tmp_path / "moved.json"
        path.write_text(json.dumps(value))
        shutil.copy(face_file.parent / value["image"]["path"], tmp_path)
        out = tmp_path / "m.npz"
        assert main(["animate", str(CARTOON), str(SPEECH), "--landmarks", str(path), "-o", str(out)]) == 0
        assert np.allclose(load_motion(out).neutral, np.array(value["landmarks"]), atol=1e-3)

    def test_the_seed_moves_the_head_and_not_the_lips(self, face_file: Path, motion_file: Path, tmp_path: Path) -> None:
        out = tmp_path / "other.npz"
        assert main(["predict", str(SPEECH), "--face", str(face_file), "-o", str(out), "--seed", "7"]) == 0
        first, other = load_motion(motion_file), load_motion(out)
        assert np.array_equal(first.parts.content, other.parts.content)
        assert np.abs(first.head_rotation - other.head_rotation).max() > np.radians(0.5)

    def test_pictures_of_a_motion(self, motion_file: Path, tmp_path: Path) -> None:
        arrays = dict(np.load(motion_file))
        bare = {name: arrays[name] for name in ("format", "neutral", "fps")} | {"landmarks": arrays["landmarks"][:40]}
        np.savez(tmp_path / "bare.npz", **bare)
        out = tmp_path / "frames"
        assert main(["render", str(CARTOON), str(tmp_path / "bare.npz"), "-o", str(out), "--fps", "12.5"]) == 0
        pictures = sorted(out.glob("*.png"))
        assert len(pictures) == 8
        with Image.open(pictures[0]) as picture, Image.open(CARTOON) as portrait:
            assert picture.size == portrait.size

    def test_a_blend_is_written_by_blender(self, tmp_path: Path) -> None:
        pytest.importorskip("bpy")
        out, cut = tmp_path / "talk.blend", tmp_path / "cut.wav"
        samples, rate = soundfile.read(SPEECH)
        soundfile.write(cut, samples[: 2 * rate], rate)
        assert main(["animate", str(CARTOON), str(cut), "-o", str(out), "--fps", "29.97"]) == 0
        script = (
            "import bpy, os, sys; bpy.ops.wm.open_mainfile(filepath=sys.argv[1]); s = bpy.context.scene; "
            "m = [o for o in s.objects if o.type == 'MESH' and o.data.shape_keys][0]; "
            "print('found', s.render.fps, round(s.render.fps_base, 3), s.frame_start, s.frame_end, "
            "m.data.shape_keys.key_blocks[0].name, flush=True); os._exit(0)"
        )
        done = subprocess.run([sys.executable, "-c", script, str(out)], capture_output=True, text=True, timeout=120)
        assert "found 30 1.001 1 60 Basis" in done.stdout, done.stderr

    def test_a_missing_blender_is_named(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "talk.blend"
        refused(capsys, ["animate", CARTOON, SPEECH, "-o", out, "--blender", tmp_path / "blender"], "blender")
        assert not out.exists()


class TestStyle:
    """Photoreal frames for photographs, the mesh alone for drawings."""

    @pytest.fixture
    def short(self, motion_file: Path, tmp_path: Path) -> Path:
        arrays = dict(np.load(motion_file))
        kept = {name: arrays[name] for name in ("format", "neutral", "fps", "image_size")}
        np.savez(tmp_path / "short.npz", **kept, landmarks=arrays["landmarks"][:3])
        return tmp_path / "short.npz"

    def test_auto_says_which(self, short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["render", str(CARTOON), str(short), "-o", str(tmp_path / "frames")]) == 0
        told = capsys.readouterr().err.splitlines()
        assert len(told) == 1 and "drawing" in told[0] and "cartoon" in told[0]
        assert len(list((tmp_path / "frames").iterdir())) == 2

    def test_a_drawing_may_be_photoreal_if_asked(self, short: Path, tmp_path: Path) -> None:
        weights = tmp_path / "own.safetensors"
        network = CorrectionNet(CorrectionConfig((8, 16), 0))
        with torch.no_grad():
            network.out.bias += 0.05  # brighter all over: a cast, which is taken out
        save_image(weights, network, "correction", {})
        for style, more in (("cartoon", []), ("photo", ["--weights", str(weights)])):
            out = tmp_path / style
            assert main(["render", str(CARTOON), str(short), "-o", str(out), "--style", style, *more]) == 0
        plain, made = (np.asarray(Image.open(tmp_path / style / "frame_00002.png")) for style in ("cartoon", "photo"))
        assert plain.shape == made.shape and np.array_equal(plain[:50], made[:50])
        assert 0 < np.abs(plain.astype(int) - made).mean() < 0.5

    def test_weights_that_are_not_there(self, short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "frames"
        refused(capsys, ["render", CARTOON, short, "-o", out, "--style", "photo", "--weights", "none"], "none")
        assert not out.exists()


def test_the_doctor_and_the_weights_are_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert "FAIL" not in capsys.readouterr().out
    assert main(["weights", "verify"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in ("content", "content_mel", "voice", "speaker", "closure", "basis"))
