"""The backend as the add-on sees it: a process that speaks lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from backend_process import Backend
from makeittalk.exchange import protocol
from makeittalk.exchange.formats import Bake, Cues, Face, Mesh
from makeittalk.landmarks.landmark_motion import load_motion
from project import ASSETS


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    running = Backend()
    yield running
    running.process.kill()


def animate_request(folder: Path, **changes: object) -> protocol.Animate:
    values = {"portrait": str(ASSETS / "portrait_cartoon.png"), "audio": str(ASSETS / "speech.flac")}
    return protocol.Animate(**(values | {"folder": str(folder)} | changes))


def test_hello_names_the_versions(backend: Backend) -> None:
    number = backend.send(protocol.Hello())
    backend.wait(number)
    data = protocol.HelloData.from_dict(backend.of(number, "result")[0].data)
    assert data.version == protocol.VERSION
    assert data.devices[-1] == "cpu" and "mediapipe" in data.detectors
    assert data.torch.startswith("2.")


def test_a_job_makes_every_file(backend: Backend, tmp_path: Path) -> None:
    number = backend.send(animate_request(tmp_path, fps=25.0))
    backend.wait(number)
    assert not backend.of(number, "error"), backend.of(number, "error")
    data = protocol.AnimateData.from_dict(backend.of(number, "result")[0].data)
    bake, mesh = Bake.load(data.bake), Mesh.load(data.mesh)
    motion, face = load_motion(data.motion), Face.load(data.face)
    assert bake.key_names.tolist() == mesh.key_names.tolist()
    assert abs(bake.frames / 25.0 - data.seconds) <= 1 / 25
    assert abs(motion.seconds - data.seconds) < 0.05
    assert Path(data.portrait) == face.image and Path(data.audio).is_file()
    assert data.style == "cartoon" and any("drawing" in notice for notice in data.notices)
    fractions = [reply.fraction for reply in backend.of(number, "progress")]
    assert len(fractions) > 5 and fractions == sorted(fractions) and fractions[-1] == 1.0

    again = tmp_path / "again"
    again.mkdir()
    rough = backend.send(protocol.Rebake(motion=data.motion, mesh=data.mesh, folder=str(again), fps=25.0, smooth=0.0))
    backend.wait(rough)
    rebaked = Bake.load(protocol.RebakeData.from_dict(backend.of(rough, "result")[0].data).bake)
    jerks = [np.abs(np.diff(one.head_rotation, 2, axis=0)).mean() for one in (bake, rebaked)]
    assert jerks[1] > 1.5 * jerks[0]


def test_a_running_job_is_cancelled(backend: Backend, tmp_path: Path) -> None:
    number = backend.send(animate_request(tmp_path))
    backend.wait(number, "progress")
    backend.send(protocol.Cancel(target=number))
    backend.wait(number, seconds=20)
    assert [reply.code for reply in backend.of(number, "error")] == ["cancelled"]
    assert not backend.of(number, "result")


def test_a_bad_input_is_a_sentence_and_the_process_lives(backend: Backend, tmp_path: Path) -> None:
    number = backend.send(animate_request(tmp_path, portrait=str(tmp_path / "nobody.png")))
    backend.wait(number)
    error = backend.of(number, "error")[0]
    assert error.code == "input" and "nobody.png" in error.message and error.hint
    backend.wait(backend.send(protocol.Hello()), "result")


def test_a_style_of_the_future_is_refused(backend: Backend, tmp_path: Path) -> None:
    number = backend.send(animate_request(tmp_path, style="oil"))
    backend.wait(number)
    assert backend.of(number, "error")[0].code == "input"


@pytest.mark.parametrize("line", [b"not json\n", b"[]\n", b'{"id":1}\n', b'{"id":1,"method":"eval","params":{}}\n'])
def test_garbage_is_answered_not_fatal(backend: Backend, line: bytes) -> None:
    before = len([reply for reply in backend.replies if reply.code == "protocol"])
    backend.raw(line)
    backend.wait(backend.send(protocol.Hello()), "result")
    assert len([reply for reply in backend.replies if reply.code == "protocol"]) == before + 1


def test_only_messages_reach_standard_output(backend: Backend) -> None:
    assert all(isinstance(json.loads(line), dict) for line in backend.lines)


def test_the_end_of_its_input_ends_it() -> None:
    running = Backend()
    running.process.stdin.close()
    assert running.process.wait(timeout=20) == 0


def test_a_recording_s_cues_are_told(backend: Backend, tmp_path: Path) -> None:
    text = (ASSETS / "speech.txt").read_text(encoding="utf-8")
    request = protocol.Visemes(audio=str(ASSETS / "speech.flac"), folder=str(tmp_path), text=text, extended="G")
    number = backend.send(request)
    backend.wait(number)
    data = protocol.VisemesData.from_dict(backend.of(number, "result")[0].data)
    cues = Cues.load(data.cues)
    assert Path(data.cues).parent == tmp_path and data.notices == []
    assert [cue.name for cue in cues.words()][:4] == ["And", "Mister", "John", "Dashwood"]
    assert {cue.name for cue in cues.shapes_shown()} == set("ABCDEFG") and len(cues.phones()) > 60
    fractions = [reply.fraction for reply in backend.of(number, "progress")]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0

    refused = backend.send(protocol.Visemes(audio=str(tmp_path / "nobody.wav"), folder=str(tmp_path)))
    backend.wait(refused)
    assert "nobody.wav" in backend.of(refused, "error")[0].message
