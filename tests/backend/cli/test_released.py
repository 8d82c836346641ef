"""A whole set of released weights, with values of chance: lips, head and frames come from it wherever it is named."""

import shutil
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from backend_process import Backend
from command_line import refused
from makeittalk.cli.main import main
from makeittalk.exchange import protocol
from makeittalk.exchange.formats import Face, Mesh, Moves
from makeittalk.exchange.progress import silent
from makeittalk.jobs.animate import AnimateOptions
from makeittalk.jobs.photoreal import render_frames
from makeittalk.jobs.preview import preview_character
from makeittalk.landmarks.landmark_motion import load_motion
from makeittalk.landmarks.pose import Canonical
from makeittalk.mesh.deform import deform
from makeittalk.weights.cache import release_loaded
from PIL import Image
from project import ASSETS
from released_files import write_set

CARTOON, PHOTO, SPEECH = ASSETS / "portrait_cartoon.png", ASSETS / "portrait_photo.jpg", ASSETS / "speech.flac"
SIDE = 300  # px of the photograph: small is quick


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_set(tmp_path_factory.mktemp("released") / "set")
    yield folder
    release_loaded()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def short(tmp_path_factory) -> Path:
    """The first third of a second of the embedded recording, as a few frames of it are drawn."""
    samples, rate = soundfile.read(SPEECH)
    path = tmp_path_factory.mktemp("short") / "short.wav"
    soundfile.write(path, samples[rate // 2 : rate // 2 + rate // 3], rate)
    return path


@pytest.fixture(scope="module")
def photo(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "small.png"
    with Image.open(PHOTO) as picture:
        picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(path)
    return path


def frames_of(path):
    with av.open(str(path)) as film:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)])


def test_animate_moves_lips_and_head(folder, tmp_path):
    out = [tmp_path / f"out{suffix}" for suffix in (".npz", ".mp4", ".csv", ".json")]
    named = [argument for path in out for argument in ("-o", str(path))]
    assert main(["animate", str(CARTOON), str(SPEECH), *named, "--weights", str(folder)]) == 0
    assert all(path.stat().st_size for path in out)
    motion = load_motion(out[0])
    parts, scale = motion.parts, Canonical.of(motion.neutral).scale
    lips = parts.content[:, 48:] / scale
    assert np.isfinite(motion.landmarks).all()
    assert 1e-4 < lips.std() < 0.5 and parts.head_rotation.std() > 1e-4
    assert parts.blink.max() == pytest.approx(0.75) and parts.closure is None
    shipped = tmp_path / "shipped.npz"
    assert main(["animate", str(CARTOON), str(SPEECH), "-o", str(shipped)]) == 0
    other = load_motion(shipped)
    assert other.frames == motion.frames and not np.allclose(other.parts.content, parts.content, atol=0.1)


def test_only_the_blinks_are_drawn_by_lot(folder, face_file, tmp_path):
    parts = []
    for seed in ("1", "1", "2"):
        out = tmp_path / "motion.npz"
        options = ["--face", str(face_file), "-o", str(out), "--weights", str(folder), "--seed", seed]
        assert main(["predict", str(SPEECH), *options]) == 0
        parts.append(load_motion(out).parts)
    for name in ("content", "speaker", "head_rotation"):
        assert all(np.array_equal(getattr(parts[0], name), getattr(other, name)) for other in parts[1:])
    assert np.array_equal(parts[0].blink, parts[1].blink) and not np.array_equal(parts[0].blink, parts[2].blink)


def test_another_voice_moves_the_head_alone(folder, face_file, tmp_path):
    parts = []
    other = tmp_path / "other.wav"
    samples, rate = soundfile.read(SPEECH)
    soundfile.write(other, samples, round(1.3 * rate))
    for voice in ((), ("--voice", str(other))):
        out = tmp_path / "motion.npz"
        assert (
            main(["predict", str(SPEECH), "--face", str(face_file), "-o", str(out), "--weights", str(folder), *voice])
            == 0
        )
        parts.append(load_motion(out).parts)
    assert np.array_equal(parts[0].content, parts[1].content)
    assert not np.array_equal(parts[0].head_rotation, parts[1].head_rotation)


def test_photoreal_frames_are_its_own_networks(folder, photo, short, tmp_path):
    films = []
    for weights in ((), ("--weights", str(folder))):
        out = tmp_path / f"film{len(films)}.mp4"
        assert main(["animate", str(photo), str(short), "-o", str(out), "--style", "photo", *weights]) == 0
        films.append(frames_of(out))
    assert len(films[0]) == len(films[1]) == 9  # 1/3 s at 25 frames/s
    face = (slice(None), slice(40, 100), slice(120, 170))
    assert np.abs(films[0][face].astype(int) - films[1][face]).mean() > 20  # values of chance paint no face
    edge = (slice(None), slice(-20, None))
    assert np.abs(films[0][edge].astype(int) - films[1][edge]).mean() < 4


def test_rendered_frames_and_those_of_blender(folder, photo, short, tmp_path):
    motion = tmp_path / "motion.npz"
    assert main(["animate", str(photo), str(short), "-o", str(motion), "--weights", str(folder)]) == 0
    pictures = tmp_path / "pictures"
    options = ["--style", "photo", "--fps", "10", "--weights", str(folder)]
    assert main(["render", str(photo), str(motion), "-o", str(pictures), *options]) == 0
    assert len(list(pictures.glob("*.png"))) >= 3

    job = tmp_path / "job"
    job.mkdir()
    backend = Backend()
    try:
        request = protocol.Animate(portrait=str(photo), audio=str(short), folder=str(job), weights=str(folder))
        number = backend.send(request)
        backend.wait(number)
        made = protocol.AnimateData.from_dict(backend.of(number, "result")[0].data)
    finally:
        backend.process.kill()
    assert np.allclose(load_motion(made.motion).parts.content, load_motion(motion).parts.content, atol=1e-3)
    mesh = Mesh.load(made.mesh)
    still = np.stack(list(deform(mesh, np.zeros((2, 68, 3), np.float32), np.zeros((2, 3)), np.zeros((2, 3)))))
    Moves(still.astype(np.float32)).save(job / "moves.npz")
    files = (made.portrait, made.mesh, job / "moves.npz", tmp_path / "frames")
    assert render_frames(*files, weights=str(folder)).drawn == 2
    assert render_frames(*files, weights=str(folder)).drawn == 0
    assert render_frames(*files).drawn == 2  # other weights, other frames
    assert Face.load(made.face).landmarks.shape == (68, 3)


def test_a_preview_does_not_wait_for_what_they_do_not_hear(folder, photo, tmp_path, monkeypatch):
    def fail(*_args, **_more):
        raise AssertionError("the released networks hear no Whisper")

    monkeypatch.setattr("makeittalk.networks.speech.hear_whisper", fail)
    shown = []
    options = AnimateOptions(device="cpu", weights=str(folder))
    made = preview_character(photo, SPEECH, tmp_path, 10.0, "auto", options, shown.append, silent)
    assert len(shown) >= 3 and shown[1].bake and 0 < shown[1].until < shown[-1].until  # a beginning was shown
    # What is kept of the recording can still be heard by whoever needs it.
    monkeypatch.undo()
    before = made.character.motion
    again = preview_character(photo, SPEECH, tmp_path, 10.0, "auto", AnimateOptions(device="cpu"), shown.append, silent)
    assert not np.allclose(again.character.motion.parts.content, before.parts.content, atol=0.1)


def test_what_is_not_there(face_file, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MAKEITTALK_HOME", str(tmp_path / "home"))
    out = tmp_path / "motion.npz"
    command = ["predict", SPEECH, "--face", face_file, "-o", out, "--weights"]
    refused(capsys, [*command, "released"], "have not been imported", "makeittalk weights import")
    refused(capsys, [*command, tmp_path], "holds no set of weights")
    refused(capsys, [*command, "vae"], "no weights called 'vae'")
    refused(
        capsys, ["animate", CARTOON, SPEECH, "-o", tmp_path / "x.mp4", "--weights", "released"], "not been imported"
    )
    assert not out.exists()
