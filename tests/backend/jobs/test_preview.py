"""A character that is shown while it is made: what comes when, and that the whole is what animate makes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from backend_process import Backend
from makeittalk.exchange import protocol
from makeittalk.exchange.errors import Cancelled, InputError
from makeittalk.exchange.formats import Bake, Mesh
from makeittalk.exchange.protocol import AnimateData, Preview, PreviewPart
from makeittalk.jobs import idle_memory, kept
from makeittalk.jobs.animate import AnimateOptions, animate
from makeittalk.jobs.preview import FIRST, next_stretch, preview_character
from makeittalk.jobs.warm import warm_steps
from makeittalk.landmarks.ibug68 import LIPS
from project import ASSETS

SECONDS = 20.0
FPS = 24.0
CARTOON, PHOTO = ASSETS / "portrait_cartoon.png", ASSETS / "portrait_photo.jpg"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded sentence again and again."""
    path = tmp_path_factory.mktemp("sound") / "long.wav"
    samples, rate = soundfile.read(ASSETS / "speech.flac", dtype="float32")
    soundfile.write(path, np.resize(samples, int(SECONDS * rate)), rate)
    return path


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    running = Backend()
    yield running
    running.process.kill()


def asked(backend: Backend, request: protocol.Animate) -> tuple[list[PreviewPart], AnimateData]:
    number = backend.send(request)
    backend.wait(number)
    assert not backend.of(number, "error"), backend.of(number, "error")
    parts = [PreviewPart.from_dict(reply.data) for reply in backend.of(number, "part")]
    (result,) = backend.of(number, "result")
    assert [reply.kind for reply in backend.replies if reply.id == number and reply.kind != "progress"] == [
        *["part"] * len(parts),
        "result",
        "done",
    ]
    fractions = [reply.fraction for reply in backend.of(number, "progress")]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    return parts, AnimateData.from_dict(result.data)


def same(one: str, other: str) -> bool:
    """Whether two files of arrays hold the same bits."""
    with np.load(one) as left, np.load(other) as right:
        return sorted(left) == sorted(right) and all(
            left[name].dtype == right[name].dtype and left[name].tobytes() == right[name].tobytes() for name in left
        )


def test_it_is_shown_while_it_is_made_and_ends_as_animate_does(
    backend: Backend, recording: Path, tmp_path: Path
) -> None:
    folders = [tmp_path / name for name in ("made", "shown", "again", "seed")]
    for folder in folders:
        folder.mkdir()
    given = {"portrait": str(CARTOON), "audio": str(recording), "seed": 5, "fps": FPS}
    other = Backend()  # what makes a character keeps what it found out, too
    try:
        _, made = asked(other, protocol.Animate(folder=str(folders[0]), **given))
    finally:
        other.process.kill()
    for folder in folders[1:3]:  # the second time, face, mesh and what Whisper heard are known
        parts, shown = asked(backend, Preview(folder=str(folder), **given))
        assert len(parts) >= 3
        first, *moving = parts
        assert (first.bake, first.until, first.final) == ("", 0.0, False)
        assert first.portrait == shown.portrait and first.mesh == shown.mesh and first.audio == str(recording)
        assert first.style == made.style == "cartoon" and abs(first.seconds - SECONDS) < 0.01
        assert [part.final for part in moving] == [False] * (len(moving) - 1) + [True]
        assert moving[0].until == FIRST and moving[-1].until == first.seconds and moving[-1].bake == shown.bake
        assert len({part.bake for part in moving}) == len(moving)
        for part, later in pairwise(moving):
            baked = Bake.load(part.bake)
            assert part.until == baked.frames / FPS < later.until and baked.fps == FPS
            assert baked.gaze_values is not None and len(baked.residual) == baked.frames
        for name in ("mesh", "motion", "bake"):
            assert same(getattr(made, name), getattr(shown, name)), name
        assert Path(made.portrait).read_bytes() == Path(shown.portrait).read_bytes()
        assert (shown.style, shown.seconds, shown.notices) == (made.style, made.seconds, made.notices)
        assert not list(folder.glob(".mit-*"))  # nothing half-written
    _, taken = asked(backend, Preview(folder=str(folders[3]), **(given | {"seed": 6})))
    assert same(taken.mesh, made.mesh) and not same(taken.bake, made.bake)


def test_provisional_frames_are_nearly_the_final_ones(backend: Backend, recording: Path, tmp_path: Path) -> None:
    parts, whole = asked(backend, Preview(portrait=str(CARTOON), audio=str(recording), folder=str(tmp_path)))
    mesh, final = Mesh.load(whole.mesh), Bake.load(whole.bake)
    landmarks = mesh.key_landmarks[:, LIPS].reshape(len(mesh.key_names), -1)
    for part in parts[1:-1]:
        early = Bake.load(part.bake)
        count = early.frames
        apart = (early.key_values() - final.key_values()[:count]) @ landmarks
        lips = np.linalg.norm(apart.reshape(count, -1, 3)[..., :2], axis=2).max(axis=1)
        head = np.degrees(np.abs(early.head_rotation - final.head_rotation[:count])).max(axis=1)
        mouth = np.linalg.norm(mesh.vertices[mesh.landmark_vertices[48]] - mesh.vertices[mesh.landmark_vertices[54]])
        assert lips.max() < 0.05 * mouth and head.max() < 0.5
        # The two are of the same speech and not the same face throughout.
        assert np.abs(final.lip_values[:count]).max() > 0.1


def test_a_short_recording_is_shown_at_once_whole(backend: Backend, tmp_path: Path) -> None:
    sound = tmp_path / "short.wav"
    samples, rate = soundfile.read(ASSETS / "speech.flac", dtype="float32")
    soundfile.write(sound, samples[: 2 * rate], rate)
    parts, _ = asked(backend, Preview(portrait=str(PHOTO), audio=str(sound), folder=str(tmp_path), fps=30.0))
    assert [(bool(part.bake), part.until, part.final) for part in parts] == [(False, 0.0, False), (True, 2.0, True)]


def test_it_is_cancelled_between_two_parts(backend: Backend, recording: Path, tmp_path: Path) -> None:
    request = Preview(portrait=str(PHOTO), audio=str(recording), folder=str(tmp_path))
    number = backend.send(request)
    backend.wait(number, "part")
    backend.send(protocol.Cancel(target=number))
    backend.wait(number, seconds=20)
    assert [reply.code for reply in backend.of(number, "error")] == ["cancelled"]
    assert not backend.of(number, "result") and len(backend.of(number, "done")) == 1
    assert not (tmp_path / "motion.npz").exists()
    parts = [PreviewPart.from_dict(reply.data) for reply in backend.of(number, "part")]
    assert not any(part.final for part in parts)
    backend.wait(backend.send(protocol.Hello()), "result")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"portrait": "nobody.png"}, "nobody.png"),
        ({"audio": "nobody.wav"}, "nobody.wav"),
        ({"voice": "nobody.flac"}, "nobody.flac"),
        ({"face": "nobody.json"}, "nobody.json"),
        ({"audio": str(CARTOON)}, "portrait_cartoon"),
        ({"style": "oil"}, "oil"),
        ({"fps": 0.0}, "0"),
        ({"device": "abacus"}, "abacus"),
        ({"folder": "nowhere"}, "nowhere"),
    ],
)
def test_a_bad_input_is_one_sentence(
    backend: Backend, recording: Path, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    given = {"portrait": str(CARTOON), "audio": str(recording), "folder": str(tmp_path)}
    number = backend.send(Preview(**(given | changes)))
    backend.wait(number, seconds=60)
    (error,) = backend.of(number, "error")
    assert error.code == "input" and words in error.message and error.hint
    assert not backend.of(number, "result") and len(backend.of(number, "done")) == 1


def test_a_recording_that_is_played_from_a_copy(backend: Backend, tmp_path: Path) -> None:
    samples, rate = soundfile.read(ASSETS / "speech.flac", dtype="float32")
    broken = np.resize(samples, 8 * rate)
    broken[rate] = np.nan
    soundfile.write(tmp_path / "nan.wav", broken, rate, subtype="FLOAT")
    parts, whole = asked(backend, Preview(portrait=str(CARTOON), audio=str(tmp_path / "nan.wav"), folder=str(tmp_path)))
    assert {part.audio for part in parts} == {str(tmp_path / "speech.flac")} == {whole.audio}
    assert soundfile.info(whole.audio).frames == len(broken) and whole.notices


class Watched:
    """A preview in this process: its parts, and a progress that may stop it at a stage."""

    def __init__(self, folder: Path, recording: Path, portrait: Path = CARTOON, stop: str = "") -> None:
        self.parts: list[PreviewPart] = []
        self.stages: list[str] = []
        self._stop = stop
        options = AnimateOptions(device="cpu")
        folder.mkdir(exist_ok=True)
        preview_character(portrait, recording, folder, FPS, "auto", options, self.parts.append, self.progress)

    def progress(self, _fraction: float, stage: str) -> None:
        self.stages.append(stage)
        if stage == self._stop:
            raise Cancelled


@pytest.mark.parametrize("stage", ["Finding the face", "Building the mesh", "Moving the head", "Baking the curves"])
def test_it_stops_at_every_stage(recording: Path, tmp_path: Path, stage: str) -> None:
    with pytest.raises(Cancelled):
        Watched(tmp_path, recording, stop=stage)
    for path in tmp_path.glob("*.npz"):  # whatever is there is whole
        with np.load(path) as arrays:
            assert list(arrays)


def test_what_is_kept_belongs_to_its_content(recording: Path, tmp_path: Path) -> None:
    """The same name with another content is another portrait, and another name with the same content the same."""
    portrait = tmp_path / "portrait.jpg"
    shutil.copy(PHOTO, portrait)
    kept.clear()
    Watched(tmp_path / "a", recording, portrait)
    shutil.copy(PHOTO, tmp_path / "copy.jpg")
    Watched(tmp_path / "b", recording, tmp_path / "copy.jpg")
    assert same(str(tmp_path / "a" / "mesh.npz"), str(tmp_path / "b" / "mesh.npz"))
    shutil.copy(CARTOON, portrait)  # its content tells that it is a PNG
    Watched(tmp_path / "c", recording, portrait)
    assert not same(str(tmp_path / "a" / "mesh.npz"), str(tmp_path / "c" / "mesh.npz"))


def test_a_known_recording_is_not_heard_again(recording: Path, tmp_path: Path, monkeypatch) -> None:
    Watched(tmp_path / "a", recording)

    def fail(*_args, **_more):
        raise AssertionError("it was known")

    monkeypatch.setattr("makeittalk.networks.speech.hear_whisper", fail)
    monkeypatch.setattr("makeittalk.jobs.kept.build_mesh", fail)
    monkeypatch.setattr("makeittalk.jobs.kept.detect_landmarks", fail)
    Watched(tmp_path / "b", recording)
    assert same(str(tmp_path / "a" / "bake.npz"), str(tmp_path / "b" / "bake.npz"))
    idle_memory.free_memory()  # as when nobody has asked for anything for long
    with pytest.raises(AssertionError, match="it was known"):
        Watched(tmp_path / "c", recording)


def test_a_new_take_looks_and_listens_no_second_time(recording: Path, tmp_path: Path, monkeypatch) -> None:
    """And is, bit for bit, what it is where nothing is known."""
    folders = [tmp_path / name for name in ("fresh", "first", "second")]
    for folder in folders:
        folder.mkdir()
    kept.clear()
    animate(CARTOON, recording, folders[0], AnimateOptions(seed=8))
    kept.clear()
    animate(CARTOON, recording, folders[1], AnimateOptions(seed=7))

    def fail(*_args, **_more):
        raise AssertionError("it was known")

    for name in ("networks.speech.hear_whisper", "jobs.kept.build_mesh", "jobs.kept.detect_landmarks"):
        monkeypatch.setattr(f"makeittalk.{name}", fail)
    idle_memory.free_networks()  # as photoreal frames do that are drawn in between
    animate(CARTOON, recording, folders[2], AnimateOptions(seed=8, style="cartoon"))  # which it is by itself
    for name in ("mesh.npz", "motion.npz"):
        assert same(str(folders[0] / name), str(folders[2] / name)), name
    assert not same(str(folders[1] / "motion.npz"), str(folders[2] / "motion.npz"))
    assert (folders[0] / "face.json").read_text() == (folders[2] / "face.json").read_text()


def test_after_warming_up_nothing_is_loaded(recording: Path, tmp_path: Path, monkeypatch) -> None:
    idle_memory.free_memory()
    for step in warm_steps():
        step()

    def fail(*_args, **_more):
        raise InputError("A network was loaded.", "")

    for module in ("whisper", "content", "speaker", "phones"):
        monkeypatch.setattr(f"makeittalk.networks.{module}_inference.network_weights", fail)
    Watched(tmp_path, recording)


def test_the_next_stretch_is_there_in_time() -> None:
    assert next_stretch(4.0, 4.0, 0.03, 20.0) == 20.0  # a fast machine: the whole
    assert next_stretch(4.0, 4.0, 0.03, 3600.0) == pytest.approx(2.0 / 0.03 - 2.2)
    assert next_stretch(4.0, 4.0, 0.5, 3600.0) == 8.0  # a slow one: it grows all the same
    assert next_stretch(4.0, -3.0, 0.5, 3600.0) == 8.0
    assert next_stretch(4.0, 4.0, 0.5, 9.0) == 9.0  # what would be left is not worth a stretch of its own
    for pace in (0.02, 0.1, 0.2):
        shown, clock, seconds = 4.0, 0.0, 3600.0
        while shown < seconds:
            stretch = next_stretch(shown, shown - clock, pace, seconds)
            clock += pace * (stretch + 2.2)
            assert clock < shown < stretch
            shown = stretch
