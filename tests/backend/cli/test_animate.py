"""`makeittalk animate`: odd input just works, and every kind of output holds the same motion."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from command_line import refused
from makeittalk.cli.main import main
from makeittalk.exchange.formats import Motion
from makeittalk.exchange.formats.motion_table import read_live_link
from makeittalk.landmarks.landmark_motion import load_motion
from media import silence
from project import ASSETS

CARTOON, PHOTO, SPEECH = ASSETS / "portrait_cartoon.png", ASSETS / "portrait_photo.jpg", ASSETS / "speech.flac"


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
        with rows.open(newline="") as stream:
            table = list(csv.DictReader(stream))
        data = json.loads(value.read_text())
        assert [row["Timecode"] for row in table][23:25] == ["00:00:00:23.000", "00:00:01:00.000"]
        assert data["frames"]["seconds"][1] == pytest.approx(1 / 24, rel=1e-3) and len(table[0]) == 63
        for column, name, sign in (
            ("HeadYaw", "headYaw", -1),
            ("HeadPitch", "headPitch", 1),
            ("HeadRoll", "headRoll", -1),
        ):
            angles = sign * np.degrees([float(row[column]) for row in table])
            assert np.allclose(data["frames"][name], angles, atol=1e-3) and angles.std() > 0.1  # the head moves
        jaw = [float(row["JawOpen"]) for row in table]
        assert np.allclose(data["frames"]["jawOpen"], jaw, atol=1e-4) and max(jaw) > 0.1
        again = read_live_link(rows, 24.0)
        assert again.frames == len(table) and again.first == 0
        assert np.allclose(again.values[:, again.names.index("mouthPucker")], data["frames"]["mouthPucker"], atol=1e-4)
        assert np.allclose(np.degrees(again.head_rotation[:, 1]), data["frames"]["headYaw"], atol=1e-3)

    def test_corrected_landmarks_are_used(self, face_file: Path, tmp_path: Path) -> None:
        value = json.loads(face_file.read_text())
        value["landmarks"] = [[x + 3.0, y, z] for x, y, z in value["landmarks"]]
        path = tmp_path / "moved.json"
        path.write_text(json.dumps(value))
        shutil.copy(face_file.parent / value["image"]["path"], tmp_path)
        out = tmp_path / "m.npz"
        assert main(["animate", str(CARTOON), str(SPEECH), "--landmarks", str(path), "-o", str(out)]) == 0
        assert np.allclose(load_motion(out).neutral, np.array(value["landmarks"]), atol=1e-3)

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
