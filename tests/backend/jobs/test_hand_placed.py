"""Landmarks by hand, asked of a real backend: faces to begin with, clicks, refining, and a character made anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from backend_process import Backend
from makeittalk.exchange import protocol
from makeittalk.exchange.formats import Bake, Face, Mesh
from makeittalk.landmarks.few_points import few_points
from makeittalk.landmarks.landmark_motion import load_motion
from PIL import Image
from project import ASSETS

CARTOON = str(ASSETS / "portrait_cartoon.png")


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    running = Backend()
    yield running
    running.process.kill()


@pytest.fixture(scope="module")
def begun(backend: Backend, tmp_path_factory) -> protocol.FacesData:
    folder = tmp_path_factory.mktemp("begun")
    return protocol.FacesData.from_dict(backend.answer(protocol.FindFaces(portrait=CARTOON, folder=str(folder))).data)


def clicks_of(points: np.ndarray) -> list[protocol.Click]:
    return [protocol.Click(x=float(x), y=float(y)) for x, y in points]


def test_the_face_of_a_portrait_begins_the_work(begun: protocol.FacesData) -> None:
    face = Face.load(begun.faces[0])
    assert begun.found == 1 == len(begun.faces) and face.detector == "mediapipe"
    assert Path(begun.portrait) == face.image and face.image.is_file()


def test_several_faces_come_largest_first(backend: Backend, tmp_path: Path) -> None:
    photo = Image.open(ASSETS / "portrait_photo.jpg").convert("RGB").resize((512, 512))
    both = Image.new("RGB", (900, 512), (120, 120, 120))
    both.paste(photo, (388, 0))
    both.paste(photo.resize((380, 380)), (0, 60))
    both.save(tmp_path / "both.png")
    reply = backend.answer(protocol.FindFaces(portrait=str(tmp_path / "both.png"), folder=str(tmp_path), enough=2))
    data = protocol.FacesData.from_dict(reply.data)
    widths = [float(np.ptp(Face.load(path).landmarks[:, 0])) for path in data.faces]
    assert data.found == len(widths) == 2 and widths[0] > 1.2 * widths[1]
    assert Face.load(data.faces[0]).landmarks[:, 0].min() > 388


def test_a_picture_without_a_face_begins_with_one_in_its_middle(backend: Backend, tmp_path: Path) -> None:
    Image.new("RGB", (600, 400), (250, 250, 250)).save(tmp_path / "wall.png")
    reply = backend.answer(protocol.FindFaces(portrait=str(tmp_path / "wall.png"), folder=str(tmp_path)))
    data = protocol.FacesData.from_dict(reply.data)
    face = Face.load(data.faces[0])
    assert data.found == 0 and (face.detector, face.confidence) == ("hand", 0.0)
    middle = (face.landmarks.min(axis=0) + face.landmarks.max(axis=0))[:2] / 2
    np.testing.assert_allclose(middle, (300, 200), atol=1)
    assert (face.landmarks[:, :2] > 0).all() and (face.landmarks[:, 1] < 400).all()


def test_clicks_become_a_face_and_are_refined(backend: Backend, begun: protocol.FacesData, tmp_path: Path) -> None:
    detected = Face.load(begun.faces[0]).landmarks
    wanted = few_points(detected) + (6.0, -4.0)
    place = protocol.Place(portrait=CARTOON, folder=str(tmp_path), clicks=clicks_of(wanted))
    placed = protocol.PlacedData.from_dict(backend.answer(place).data)
    face = Face.load(placed.face)
    np.testing.assert_allclose(few_points(face.landmarks), wanted, atol=0.01)
    assert face.detector == "hand" and face.irises is None
    refine = protocol.Refine(portrait=CARTOON, folder=str(tmp_path), face=placed.face)
    refined = Face.load(protocol.PlacedData.from_dict(backend.answer(refine).data).face)
    width = np.linalg.norm(detected[16] - detected[0])
    assert np.linalg.norm(refined.landmarks[:, :2] - detected[:, :2], axis=1).mean() < 0.012 * width
    assert refined.detector == "mediapipe" and refined.irises is not None


def test_clicks_that_are_no_face_and_places_without_one_are_sentences(backend: Backend, tmp_path: Path) -> None:
    same = clicks_of(np.full((7, 2), 50.0))
    reply = backend.answer(protocol.Place(portrait=CARTOON, folder=str(tmp_path), clicks=same), "error")
    assert reply.code == "input" and "same point" in reply.message and "Click the seven points" in reply.hint
    few = backend.answer(protocol.Place(portrait=CARTOON, folder=str(tmp_path), clicks=same[:3]), "error")
    assert "seven points" in few.message
    Image.new("RGB", (600, 400), (250, 250, 250)).save(tmp_path / "wall.png")
    begun = backend.answer(protocol.FindFaces(portrait=str(tmp_path / "wall.png"), folder=str(tmp_path))).data
    begun = protocol.FacesData.from_dict(begun)
    refine = protocol.Refine(portrait=str(tmp_path / "wall.png"), folder=str(tmp_path), face=begun.faces[0])
    reply = backend.answer(refine, "error")
    assert reply.code == "input" and "Nothing like a face" in reply.message and "wall.png" in reply.message
    other = protocol.Refine(portrait=CARTOON, folder=str(tmp_path), face=begun.faces[0])
    assert "600 × 400" in backend.answer(other, "error").message


def test_a_character_is_made_anew_for_corrected_landmarks(backend: Backend, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir(), second.mkdir()
    animate = protocol.Animate(portrait=CARTOON, audio=str(ASSETS / "speech.flac"), folder=str(first), fps=25.0, seed=3)
    made = protocol.AnimateData.from_dict(backend.answer(animate).data)
    face = Face.load(made.face)
    face.landmarks[48:68, 1] += 10.0  # the mouth lies lower
    face.save(first / "corrected.json")
    reface = protocol.Reface(
        portrait=made.portrait,
        face=str(first / "corrected.json"),
        mesh=made.mesh,
        motions=[made.motion, made.motion],
        folder=str(second),
        fps=25.0,
    )
    data = protocol.RefaceData.from_dict(backend.answer(reface).data)
    before, after = Mesh.load(made.mesh), Mesh.load(data.mesh)
    assert after.key_names.tolist() == before.key_names.tolist()
    np.testing.assert_array_equal(after.key_range, before.key_range)
    moved = after.vertices[after.landmark_vertices] - before.vertices[before.landmark_vertices]
    np.testing.assert_allclose(moved[48:68, 1], 10.0, atol=1.0)
    assert np.abs(moved[:27, :2]).max() < 1.0
    assert len(data.motions) == len(data.bakes) == 2
    old, new = load_motion(made.motion), load_motion(data.motions[1])
    assert new.frames == old.frames and new.parts is not None
    np.testing.assert_array_equal(new.head_rotation, old.head_rotation)  # nothing was predicted anew
    np.testing.assert_array_equal(new.parts.blink, old.parts.blink)
    bakes = [Bake.load(path) for path in (made.bake, *data.bakes)]
    np.testing.assert_array_equal(bakes[1].lip_values, bakes[2].lip_values)
    jaw = [bake.lip_values[:, bake.key_names.tolist().index("jawOpen")] for bake in bakes]
    assert np.corrcoef(jaw[0], jaw[1])[0, 1] > 0.98 and max(bake.residual.max() for bake in bakes) < 1.0
    none = backend.answer(
        protocol.Reface(portrait=made.portrait, face=made.face, mesh=made.mesh, folder=str(second)), "error"
    )
    assert none.code == "input" and "No motion" in none.message
