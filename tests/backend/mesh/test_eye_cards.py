"""The eyes of turned heads: whatever the lids and the gaze do, nobody looks through them, and irises leave nothing."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from makeittalk.exchange import formats
from makeittalk.exchange.constants import GAZE_KEYS
from makeittalk.images.textures import shown_textures
from makeittalk.jobs.animate import find_face
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.deform import deform
from makeittalk.mesh.depth_restore import restore_depth
from makeittalk.rendering.raster import CpuRenderer
from project import ASSETS

PORTRAITS = ("portrait_photo.jpg", "portrait_cartoon.png")
TURNS = (*itertools.product((-15, 0, 15), (-15, 0, 15), (0,)), (10, -10, 12))  # degrees
BLINKS = (0.0, 0.5, 1.0)
LOOKS = ("", "L", "R", "U", "D")
SEEN_AS = 300  # px, of the portrait's width


@cache
def made(name: str, folder: Path) -> tuple[formats.Mesh, tuple[np.ndarray, ...]]:
    """A portrait's mesh and its textures."""
    found = find_face(ASSETS / name, folder)
    mesh = build_mesh(found.face, found.rgba)
    return mesh, shown_textures(mesh, found.rgba, *(int(side) for side in mesh.image_size))


def key(mesh: formats.Mesh, *names: str) -> np.ndarray:
    return np.asarray(mesh.keys[np.isin(mesh.key_names, names)].sum(axis=0))


def looking(mesh: formats.Mesh, way: str) -> np.ndarray:
    """What moves when both eyes look to the left or right of the picture, up or down, (V, 3) px."""
    names = {
        "": (),
        "L": ("eyeLookInLeft", "eyeLookOutRight"),
        "R": ("eyeLookOutLeft", "eyeLookInRight"),
        "U": ("eyeLookUpLeft", "eyeLookUpRight"),
        "D": ("eyeLookDownLeft", "eyeLookDownRight"),
    }[way]
    return key(mesh, *names)


def drawn(mesh: formats.Mesh, textures: tuple[np.ndarray, ...], positions: np.ndarray, width: int) -> np.ndarray:
    """The eyes and what lies around them, drawn as in a picture of a width, (h, w, 4)."""
    eyes = positions[mesh.landmark_vertices[36:48], :2]
    room = 0.15 * np.ptp(eyes[:, 0])
    low, high = np.floor(eyes.min(axis=0) - room), np.ceil(eyes.max(axis=0) + room)
    corners = positions[mesh.triangles, :2]
    near = ((corners.max(axis=1) > low) & (corners.min(axis=1) < high)).all(axis=1)
    part = replace(mesh, triangles=mesh.triangles[near], material=mesh.material[near], image_size=high - low)
    size = np.rint((high - low) * width / float(mesh.image_size[0])).astype(int)
    return CpuRenderer(part, textures, *size.tolist()).draw(positions - [*low, 0.0], np.eye(4))


@pytest.mark.parametrize("deep", [False, True], ids=["flat", "restored"])
@pytest.mark.parametrize("name", PORTRAITS)
def test_nobody_looks_through_the_eyes(name: str, deep: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    mesh, textures = made(name, tmp_path_factory.getbasetemp())
    assert mesh.gaze_reach is not None and (mesh.gaze_reach > 0).all()
    shut = key(mesh, "eyeBlinkLeft", "eyeBlinkRight")
    holes = {}
    for turn, blink, look in itertools.product(TURNS, BLINKS, LOOKS):
        moved = replace(mesh, vertices=(mesh.vertices + blink * shut + looking(mesh, look)).astype(np.float32))
        turned = deform(moved, np.zeros((68, 3)), np.radians(turn), np.zeros(3))
        shown = restore_depth(mesh, turned[None])[0] if deep else turned
        if missing := int((drawn(mesh, textures, shown, SEEN_AS)[..., 3] < 255).sum()):
            holes[turn, blink, look] = missing
    assert not holes


@pytest.mark.parametrize("name", PORTRAITS)
def test_the_card_lies_close_behind_the_lids(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Further behind, irises would slide in their lids when the head turns."""
    mesh, _ = made(name, tmp_path_factory.getbasetemp())
    for eye in (range(36, 42), range(42, 48)):
        lids = mesh.vertices[mesh.landmark_vertices[list(eye)]]
        width = np.linalg.norm(lids[3] - lids[0])
        disc = np.unique(mesh.triangles[mesh.material == 3])
        near = disc[np.linalg.norm(mesh.vertices[disc, :2] - lids[:, :2].mean(axis=0), axis=1) < width]
        behind = mesh.vertices[near, 2].mean() - lids[:, 2].mean()
        assert 0.0 < behind < 0.4 * width


@pytest.mark.parametrize("way", ["L", "R", "U"])
def test_no_green_of_a_drawn_iris_stays_behind(way: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Drawn eyes are larger than their landmarks: what of an iris lay beyond them went with it."""
    mesh, textures = made("portrait_cartoon.png", tmp_path_factory.getbasetemp())
    without = replace(mesh, triangles=mesh.triangles[mesh.material != 3], material=mesh.material[mesh.material != 3])
    at_rest, moved = (
        drawn(picked, textures, mesh.vertices + offset, int(mesh.image_size[0]))[..., :3].astype(int)
        for picked, offset in ((mesh, 0.0), (without, looking(mesh, way)))
    )
    count = [int((part[..., 1] > part[..., 0] + 12).sum()) for part in (at_rest, moved)]
    assert count[0] > 1000 and count[1] < 0.02 * count[0]


def test_the_eyes_have_every_key_of_the_gaze(tmp_path_factory: pytest.TempPathFactory) -> None:
    mesh, _ = made(PORTRAITS[0], tmp_path_factory.getbasetemp())
    disc = np.unique(mesh.triangles[mesh.material == 3])
    for name in GAZE_KEYS:
        assert np.linalg.norm(key(mesh, name)[disc], axis=1).max() > 1.0, name
