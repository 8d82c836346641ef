"""What several tests of the laboratory share: made films, voices and heads, prepared."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from makeittalk.animation.basis import character_keys
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.constants import SAMPLE_RATE
from makeittalk.exchange.formats import Face
from makeittalk.images.portrait import prepare_portrait
from makeittalk.landmarks.detector import detect_landmarks
from makeittalk.landmarks.landmark_motion import motion_of_landmarks
from makeittalk.mesh.build import build_mesh
from makeittalk.rendering.warp import Warper
from makeittalk_lab.data.clips import Prepared
from makeittalk_lab.prepare.frames import prepare_frames
from makeittalk_lab.prepare.heads import prepare_heads
from makeittalk_lab.prepare.mouth_frames import prepare_mouth_frames
from makeittalk_lab.prepare.voices import prepare_voices
from makeittalk_lab.training.train import train
from project import ASSETS


@pytest.fixture(scope="session")
def filmed(astronaut, tmp_path_factory):
    """Pictures (12, 288, 288, 3) and landmarks (12, 68, 3) of the embedded photo opening its mouth."""
    from PIL import Image

    small = tmp_path_factory.mktemp("photo") / "small.png"
    with Image.open(astronaut) as picture:
        picture.convert("RGB").resize((288, 288)).save(small)
    _, rgba, _ = prepare_portrait(small, small.parent)
    neutral = detect_landmarks(rgba).landmarks
    names, keys, _ = character_keys(neutral)
    jaw = keys[list(names).index("jawOpen")]
    amount = np.concatenate([np.zeros(2), np.linspace(0, 0.8, 5), np.linspace(0.7, 0.1, 5)])
    landmarks = (neutral + amount[:, None, None] * jaw).astype(np.float32)
    mesh = build_mesh(Face(Path("p.png"), rgba.shape[1], rgba.shape[0], neutral), rgba)
    with Warper(mesh, rgba, backend="cpu") as warper:
        frames = list(warper.frames(motion_of_landmarks(landmarks, neutral.astype(np.float32), 25.0)))
    return np.stack(frames)[..., :3], landmarks


@pytest.fixture(scope="session")
def films(filmed, tmp_path_factory) -> Path:
    """Three such films, one of them for tests."""
    folder = tmp_path_factory.mktemp("films")
    for name in ("one", "two", "three"):
        with av.open(str(folder / f"{name}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 288, 288, "yuv420p"
            stream.options = {"crf": "12"}
            for picture in filmed[0]:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
    (folder / "test.txt").write_text("three\n")
    return folder


@pytest.fixture(scope="session")
def prepared_frames(films, filmed, tmp_path_factory) -> Path:
    """Image clips of these films."""
    dest = tmp_path_factory.mktemp("frames")
    prepare_frames(films, dest, track=lambda _path, _progress: (filmed[1], 25.0, (288, 288)))
    return dest


@pytest.fixture(scope="session")
def prepared_mouths(films, filmed, tmp_path_factory) -> Path:
    """Mouths up close of these films, two portraits of each."""
    dest = tmp_path_factory.mktemp("mouth_frames")
    prepare_mouth_frames(films, dest, track=lambda _path, _progress: (filmed[1], 25.0, (288, 288)), portraits=2)
    return dest


VOICE_CONFIG = """
data = ["{data}"]
out = "{out}"
steps = {steps}
batch = 3
frames = 64
blocks = [8, 4]
threads = 1
accelerator = "cpu"
checkpoint_every = 2
validate_every = 2

[network]
width = 16
decoder = 16
layers = 1
postnet = 8
"""


@pytest.fixture(scope="session")
def prepared_voices(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The demo's sentence as said by five speakers: the same voice, read faster or slower."""
    folder = tmp_path_factory.mktemp("voices")
    samples = load_audio(ASSETS / "speech.flac").samples
    source, phones = folder / "audio", folder / "phones"
    source.mkdir()
    phones.mkdir()
    for number in range(5):
        place = np.arange(0, len(samples) - 1, 0.9 + 0.05 * number)
        soundfile.write(source / f"{number}-1-1.flac", np.interp(place, np.arange(len(samples)), samples), SAMPLE_RATE)
        labels = {"phones": [[0.0, 0.5, "SIL"], [0.5, 1.0, "P"], [1.0, 2.0, "AA"]]}
        (phones / f"{number}-1-1.json").write_text(json.dumps(labels))
    return prepare_voices(source, folder / "prepared", phones)


@pytest.fixture(scope="session")
def trained_voice(prepared_voices: Prepared, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A configuration and the folder that four steps of training it left."""
    folder = tmp_path_factory.mktemp("trained")
    config = folder / "voice.toml"
    config.write_text(VOICE_CONFIG.format(data=prepared_voices.folder, out=folder / "out", steps=4))
    return config, train("voice", config)


@pytest.fixture(scope="session")
def heads(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Constructed heads on a few voices."""
    root = tmp_path_factory.mktemp("heads")
    (root / "voices").mkdir()
    for recording in sorted((data_dir / "librispeech").glob("*.flac"), key=lambda path: path.stat().st_size)[:25]:
        (root / "voices" / recording.name).symlink_to(recording)
    prepare_heads(root / "voices", root / "heads", variants=1)
    return root / "heads"
