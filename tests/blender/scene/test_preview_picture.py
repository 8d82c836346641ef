"""The preview's picture and its vertices are those of the character that is built from the same files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import bpy
import numpy as np
import pytest
import samples
from drawing import with_gpu
from extension import part
from project import ASSETS
from rendered import render

MADE = """
import sys
from makeittalk.jobs import animate as pipeline

portrait, speech, folder = sys.argv[1:]
made = pipeline.animate(portrait, speech, folder)
pipeline.bake(made.motion, made.mesh, made.folder, 24.0)
"""
FILES = {"face": "face.json", "mesh": "mesh.npz", "motion": "motion.npz", "bake": "bake.npz"}


@pytest.fixture(scope="module", params=["portrait_cartoon.png", "portrait_photo.jpg"])
def made(request, backend_python, tmp_path_factory) -> Path:
    """A job made by the real backend."""
    folder = tmp_path_factory.mktemp("made")
    command = [backend_python, "-c", MADE, str(ASSETS / request.param), str(ASSETS / "speech.flac"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def load(folder: Path) -> tuple:
    formats = part("backend.makeittalk.exchange.formats")
    return formats.Mesh.load(folder / "mesh.npz"), formats.Bake.load(folder / "bake.npz")


def drawn(folder: Path, frames: list[float], amounts, size: tuple[int, int] | None = None) -> list[np.ndarray]:
    """The preview's pictures (H, W, 4) uint8."""
    preview_picture = part("addon.scene.preview_picture")
    mesh, bake = load(folder)
    motion = part("addon.core.preview_motion").PreviewMotion(mesh, bake)
    portrait = preview_picture.read_portrait(folder / "portrait.png")

    def work() -> list[np.ndarray]:
        picture = preview_picture.PreviewPicture(mesh, portrait)
        found = []
        for frame in frames:
            picture.draw(motion.pose(frame, amounts), *(size or [int(side) for side in mesh.image_size]))
            found.append(picture.read())
        picture.free()
        return found

    return with_gpu(work)


def test_the_picture_is_the_baked_characters(made, scene, tmp_path):
    mesh, bake = load(made)
    opening = bake.lip_values @ np.linalg.norm(mesh.key_landmarks[:, [62, 66]], axis=-1).sum(axis=-1)
    gap = np.abs((bake.key_values() @ mesh.key_landmarks[:, [62, 66], 1]) @ [-1.0, 1.0])
    frames = [0, int(gap.argmax()), 5 + int(gap[5:].argmin())]  # rest, widest, closed
    assert opening.any() and gap[frames[1]] > gap[frames[2]] + 2.0
    portraits = len(bpy.data.images)
    pictures = drawn(made, frames, part("backend.makeittalk.exchange.amounts").Amounts())
    assert len(bpy.data.images) == portraits
    character = part("addon.scene.character")
    character.build(scene, character.Made(name="Ada", audio=None, **{key: made / name for key, name in FILES.items()}))
    points = mesh.vertices[mesh.landmark_vertices, :2]
    (left, top), (right, bottom) = points.min(axis=0).astype(int), points.max(axis=0).astype(int)
    shown = []
    for frame, picture in zip(frames, pictures, strict=True):
        scene.frame_set(1 + frame)
        built = render(tmp_path / f"{frame}.png")[top:bottom, left:right]
        shown.append(picture[top:bottom, left:right, :3].astype(np.float64))
        difference = np.abs(built - shown[-1]).mean()
        print(f"frame {frame}: mean difference {difference:.2f}/255 in the face")
        assert difference < 3.0
    assert np.abs(shown[1] - shown[2]).mean() > 3.0  # the face has moved by more than what is allowed


@pytest.mark.parametrize("lip, head, blink, gaze", [(1.0, 1.0, 1.0, 1.0), (1.6, 0.4, 2.0, 0.5)])
def test_the_vertices_are_the_built_characters(made, scene, lip, head, blink, gaze):
    amounts = part("backend.makeittalk.exchange.amounts").Amounts(lip=lip, head=head, blink=blink, gaze=gaze)
    mesh, bake = load(made)
    motion = part("addon.core.preview_motion").PreviewMotion(mesh, bake)
    character = part("addon.scene.character")
    settings = {"lip": lip, "head": head, "blink": blink, "gaze": gaze}
    files = {key: made / name for key, name in FILES.items()}
    built = character.build(scene, character.Made(name="Ada", audio=None, every_frame=True, settings=settings, **files))
    frames = range(0, bake.frames, 7)
    moves = np.empty((len(frames), len(mesh.vertices), 3), np.float32)
    for _ in part("addon.scene.evaluation").read_moves(lambda: (scene, built), range(1, 1 + bake.frames, 7), moves):
        pass
    found = np.array([motion.pose(frame, amounts).vertices(mesh.head_weights) for frame in frames])
    assert np.ptp(moves, axis=0).max() > 5.0
    assert np.abs(found - moves).max() < 0.05  # px


def test_transparency_and_size(scene, job):
    picture = samples.portrait()
    picture[:40, :, 3] = 0
    samples.write_png(job / "portrait.png", picture)
    amounts = part("backend.makeittalk.exchange.amounts").Amounts(lip=0.0, head=0.0)
    (found,) = drawn(job, [0], amounts, (2 * samples.WIDTH, 2 * samples.HEIGHT))
    assert found.shape == (2 * samples.HEIGHT, 2 * samples.WIDTH, 4)
    assert found[:72].max() == 0 and (found[88:300, ..., 3] == 255).all()
    small = found[1::2, 1::2, :3].astype(int)
    assert np.abs(small - picture[..., :3])[50:150, 3:-3].mean() < 2.0


def test_a_small_preview_is_the_large_one_seen_from_afar(made, scene):
    """Its mouth, too, whose teeth are painted much larger than they are shown."""
    mesh, bake = load(made)
    gap = np.abs((bake.key_values() @ mesh.key_landmarks[:, [62, 66], 1]) @ [-1.0, 1.0])
    width, height = (int(side) // 4 * 4 for side in mesh.image_size)
    amounts = part("backend.makeittalk.exchange.amounts").Amounts()
    (large,) = drawn(made, [int(gap.argmax())], amounts, (width, height))
    (small,) = drawn(made, [int(gap.argmax())], amounts, (width // 4, height // 4))
    wanted = large.reshape(height // 4, 4, width // 4, 4, 4).mean(axis=(1, 3))
    lips = mesh.vertices[mesh.landmark_vertices[48:60], :2] / 4
    (left, top), (right, bottom) = lips.min(axis=0).astype(int), np.ceil(lips.max(axis=0)).astype(int)
    difference = np.abs(small - wanted)[top:bottom, left:right, :3].mean()
    print(f"mean difference {difference:.2f}/255 in the mouth")
    assert difference < 3.8


def test_large_pictures_shrink_by_area(extension):
    preview_picture = part("addon.scene.preview_picture")
    rng = np.random.default_rng(0)
    picture = rng.random((600, 400, 4)).astype(np.float32)
    small = preview_picture.shrunk(picture, 80, 80)
    assert small.shape == (150, 100, 4)
    np.testing.assert_allclose(small[0, 0], picture[:4, :4].mean(axis=(0, 1)), atol=1e-5)
    assert preview_picture.shrunk(picture, 300, 300) is picture
