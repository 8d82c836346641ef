"""A motion on the picture it belongs to: its own portrait, a moment of its film, or another face."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from makeittalk.animation.placement import place_motion
from makeittalk.animation.postprocess import shown_motion
from makeittalk.cli.main import main
from makeittalk.exchange.formats import Face, Motion, MotionParts
from makeittalk.jobs.animate import face_for_motion
from makeittalk.landmarks.detector import detect_landmarks
from makeittalk.landmarks.landmark_motion import motion_of_landmarks
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.landmarks.pose import neck_pivot
from makeittalk.landmarks.tracking import reference_motion
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.deform import landed
from makeittalk.networks.correction import CorrectionConfig, CorrectionNet
from makeittalk.networks.image_inference import save_image
from makeittalk.rendering.photo import motion_vertices
from PIL import Image

FILM = "bbaz6p"
FACE = (120 * MEAN_FACE + (160.0, 170.0, 0.0)).astype(np.float32)
WIDTH = float(np.linalg.norm(FACE[16] - FACE[0]))


def filmed() -> Motion:
    """A face that opens its mouth and drifts to the right; it rests in frame 3."""
    moved = np.repeat(FACE[None], 20, axis=0)
    moved[:, [57, 58, 56, 65, 66, 67], 1] += np.abs(np.arange(20) - 3)[:, None]
    moved[..., 0] += 0.5 * (np.arange(20) - 3)[:, None]
    return motion_of_landmarks(moved, moved[3], 25.0, np.array([320, 320], np.int32))


def predicted() -> Motion:
    """A face at rest, as networks would predict it."""
    still, head = np.zeros((20, 68, 3), np.float32), np.zeros((20, 3), np.float32)
    parts = MotionParts(np.zeros_like(FACE), still, still, np.zeros(20, np.float32), head, head)
    return shown_motion(FACE, parts, 25.0, neck_pivot(FACE), np.array([320, 320], np.int32))


def jitter(points: np.ndarray, size: float) -> np.ndarray:
    return (points + np.random.default_rng(0).normal(0, size * WIDTH, points.shape)).astype(np.float32)


def test_a_moment_of_the_film_has_the_landmarks_tracked_there() -> None:
    motion = filmed()
    for frame in (0, 3, 12, 19):
        rest, placed, carried = place_motion(motion, jitter(motion.landmarks[frame], 0.004))
        assert not carried
        assert np.abs(rest[:, :2] - motion.landmarks[frame, :, :2]).max() <= 1.1  # it or the next one
        assert np.array_equal(placed.neutral, rest) and np.array_equal(placed.landmarks, motion.landmarks)


def test_the_motions_own_portrait_keeps_corrected_landmarks() -> None:
    motion = predicted()
    motion.neutral = jitter(FACE, 0.03)  # as corrected by hand: no frame of a film
    rest, placed, carried = place_motion(motion, FACE)
    assert not carried and placed is motion and np.array_equal(rest, motion.neutral)


def test_another_face_of_the_same_size_is_carried_over() -> None:
    for motion in (filmed(), predicted()):
        other = 0.8 * FACE + [60, 10, 0]
        rest, placed, carried = place_motion(motion, other.astype(np.float32))
        assert carried and np.array_equal(rest, other.astype(np.float32))
        assert np.abs(placed.landmarks[3, :48, :2] - other[:48, :2]).max() < 2.0


def test_landmarks_beside_the_film_stay_absolute() -> None:
    motion = filmed()
    near = (motion.landmarks[3] + [0.03 * WIDTH, 0, 0]).astype(np.float32)
    near[:, 0] += np.where(np.arange(68) % 2, 0.02, -0.02) * WIDTH
    rest, placed, carried = place_motion(motion, near)
    assert not carried and np.array_equal(rest, near) and np.array_equal(placed.landmarks, motion.landmarks)


@pytest.fixture(scope="module")
def film(data_dir: Path) -> Path:
    return data_dir / "grid_s1" / "video" / f"{FILM}.mp4"


@pytest.fixture(scope="module")
def frames(film: Path) -> list[np.ndarray]:
    with av.open(str(film)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def tracked(film: Path) -> Motion:
    return reference_motion(film)


@pytest.mark.data
@pytest.mark.parametrize("moment", [0, 40, 60])
def test_a_filmed_face_falls_on_itself(moment: int, frames: list[np.ndarray], tracked: Motion, tmp_path: Path) -> None:
    Image.fromarray(frames[moment]).save(tmp_path / "frame.png")
    portrait, motion = face_for_motion(tmp_path / "frame.png", tracked, tmp_path)
    width = float(np.linalg.norm(portrait.face.landmarks[16] - portrait.face.landmarks[0]))
    off = np.linalg.norm(portrait.face.landmarks[:, :2] - tracked.landmarks[moment, :, :2], axis=1)
    # A still's landmarks lie 0.006 to 0.008 from the film's, so that a moment close by may be the nearest.
    assert off.mean() < 0.01 * width
    assert np.allclose(motion.landmarks, tracked.landmarks, atol=1e-3)
    mesh = build_mesh(portrait.face, portrait.rgba)
    for other in (5, 50):
        vertices = landed(mesh, list(motion_vertices(mesh, motion))[other], motion.landmarks[other])
        seen = vertices[mesh.landmark_vertices, :2]
        found = detect_landmarks(frames[other]).landmarks[:, :2]
        assert np.linalg.norm(seen - found, axis=1).mean() < 0.012 * width


@pytest.mark.data
def test_render_makes_a_film_again(frames: list[np.ndarray], tracked: Motion, tmp_path: Path) -> None:
    """From any of its frames, in both styles: the frame that is the portrait comes out as it was, others come near."""
    weights = tmp_path / "own.safetensors"
    save_image(weights, CorrectionNet(CorrectionConfig((8, 16), 0)), "correction", {})  # leaves the warp as it is
    Image.fromarray(frames[40]).save(tmp_path / "frame.png")
    arrays = tracked.arrays() | {"landmarks": tracked.landmarks[[40, 20]]}
    short = {name: arrays[name] for name in ("format", "fps", "landmarks", "neutral", "image_size")}
    short["landmarks"] = np.concatenate([short["landmarks"], tracked.neutral[None]])  # as the film itself has it
    np.savez(tmp_path / "m.npz", **short)
    command = ["render", str(tmp_path / "frame.png"), str(tmp_path / "m.npz")]
    boxes = [slice(100, 250), slice(70, 220)]
    unmoved = float(np.abs(frames[20].astype(int) - frames[40])[tuple(boxes)].mean())
    for style, more in (("photo", ["--weights", str(weights), "--device", "cpu"]), ("cartoon", [])):
        out = tmp_path / style
        assert main([*command, "-o", str(out), "--style", style, *more]) == 0
        same, other = (cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB) for path in sorted(out.iterdir())[:2])
        assert np.abs(same.astype(int) - frames[40]).mean() < 0.3
        assert np.abs(other.astype(int) - frames[20])[tuple(boxes)].mean() < 0.97 * unmoved


def test_a_face_that_nobody_finds_has_the_motions_landmarks(tmp_path: Path) -> None:
    Image.new("RGB", (320, 320), (90, 120, 150)).save(tmp_path / "plain.png")
    motion = filmed()
    portrait, placed = face_for_motion(tmp_path / "plain.png", motion, tmp_path)
    assert np.array_equal(portrait.face.landmarks, motion.neutral) and placed is motion
    assert isinstance(portrait.face, Face)
