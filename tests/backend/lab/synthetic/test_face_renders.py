"""Rendered clips: what they hold, that landmarks lie on the face, that a mouth looks like one, that runs resume."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from makeittalk.cli.main import main
from makeittalk.exchange.errors import InputError, MissingError
from makeittalk.images.landmark_image import fill_mouth
from makeittalk.landmarks import ibug68
from makeittalk_lab.data.clips import Prepared
from makeittalk_lab.data.rendered_clips import RenderedClip
from makeittalk_lab.prepare.renders import prepare_renders, split_renders
from makeittalk_lab.synthetic import face_renders
from makeittalk_lab.synthetic.face_renders import SIZE, render_clip
from makeittalk_lab.synthetic.head_model import HeadModel
from makeittalk_lab.synthetic.head_scene import HeadScene

TAKES, FRAMES = 5, 5
LUMINANCE = np.array([0.2, 0.7, 0.1])


@pytest.fixture(scope="module")
def head_file(data_dir: Path) -> Path:
    path = data_dir / "ict_facekit.npz"
    if not path.is_file():
        pytest.skip("the morphable head is missing")
    return path


@pytest.fixture(scope="module")
def head(head_file: Path) -> Iterator[HeadScene]:
    try:
        scene = HeadScene(HeadModel.load(head_file), SIZE)
    except MissingError as error:
        pytest.skip(f"no OpenGL: {error.hint}")
    with scene:
        yield scene


@pytest.fixture(scope="module")
def clips(head: HeadScene) -> list[RenderedClip]:
    return [render_clip(head, np.random.default_rng([1, number]), FRAMES) for number in range(TAKES)]


def face_width(clip: RenderedClip) -> np.ndarray:
    return np.linalg.norm(clip.projected[:, 0, :2] - clip.projected[:, 16, :2], axis=1)


def gap(clip: RenderedClip) -> np.ndarray:
    """Opening between the inner lips of the head itself, in face widths (N,)."""
    upper, lower = np.array(ibug68.INNER_PAIRS).T
    apart = np.linalg.norm((clip.projected[:, lower] - clip.projected[:, upper])[..., :2], axis=2)
    return apart.mean(axis=1) / face_width(clip)


def test_a_take_holds_pictures_and_landmarks(clips):
    for clip in clips:
        assert clip.pictures.shape == (FRAMES, SIZE[1], SIZE[0], 3)
        assert clip.pictures.dtype == np.uint8
        assert clip.landmarks.shape == clip.projected.shape == (FRAMES, 68, 3)
        assert clip.landmarks.dtype == np.float32
        assert np.abs(clip.landmarks[:, [0, 16], 2].mean(axis=1)).max() < 1e-3
        assert (clip.landmarks[:, 30, 2] < 0).all()  # the nose is nearer than the jaw's ends
        assert (clip.projected[:, 30, 2] < 0).all()
        assert clip.projected[..., :2].min() > 0
        assert clip.projected[..., 0].max() < SIZE[0]
        assert clip.projected[..., 1].max() < SIZE[1]


def test_the_same_numbers_draw_the_same_take(head, clips):
    again = render_clip(head, np.random.default_rng([1, 2]), FRAMES)
    assert np.array_equal(again.pictures, clips[2].pictures)
    assert np.array_equal(again.projected, clips[2].projected)
    assert np.allclose(again.landmarks, clips[2].landmarks, atol=1e-3)


def test_landmarks_lie_where_the_head_has_them(clips):
    for clip in clips:
        away = np.linalg.norm((clip.landmarks - clip.projected)[..., :2], axis=2) / face_width(clip)[:, None]
        assert np.median(away[:, 36:48]) < 0.025  # eyes
        assert np.median(away[:, 48:]) < 0.04  # lips
        assert np.median(away[:, 27:36]) < 0.05  # nose


def test_people_differ_and_stay_themselves(clips):
    shapes, skins = [], []
    for clip in clips:
        points = clip.projected[0, :, :2] - clip.projected[0, 27:48, :2].mean(axis=0)
        shapes.append(points / face_width(clip)[0])
        between = clip.projected[:, [21, 22, 27], :2].mean(axis=1).astype(int)  # the brows: no shadow falls there
        patches = [image[y - 3 : y + 4, x - 3 : x + 4] for image, (x, y) in zip(clip.pictures, between, strict=True)]
        skin = np.array([patch.mean(axis=(0, 1)) for patch in patches])
        assert np.ptp(skin, axis=0).max() < 60, "the skin changes within a clip"
        skins.append(skin[0])
    for one in range(TAKES):
        for other in range(one):
            assert np.abs(shapes[one] - shapes[other]).max() > 0.03
            assert np.abs(skins[one] - skins[other]).max() > 3


def test_faces_move_within_a_take(clips):
    for clip in clips:
        assert gap(clip).max() - gap(clip).min() > 0.02
        moved = np.linalg.norm(clip.projected[1:, 27, :2] - clip.projected[0, 27, :2], axis=1)
        assert moved.max() > 1.0  # the head too, by a pixel or more
        assert moved.max() < 0.5 * face_width(clip)[0]


def test_an_open_mouth_is_darker_than_the_lips_around_it(clips):
    seen = 0
    for clip in clips:
        for picture, points, open_by in zip(clip.pictures, clip.projected, gap(clip), strict=True):
            if open_by < 0.08:
                continue
            seen += 1
            light = picture @ LUMINANCE
            inside = light[fill_mouth(points[:, :2], SIZE[0]) > 200]
            face = points[:17, :2].mean(axis=0) * 0.5 + points[30, :2] * 0.5
            skin = light[int(face[1]) - 4 : int(face[1]) + 5, int(face[0]) - 4 : int(face[0]) + 5]
            assert np.percentile(inside, 25) < 0.7 * skin.mean()
    assert seen >= 3


def test_lips_meet_in_some_frames_and_are_apart_in_others(clips):
    openings = np.concatenate([gap(clip) for clip in clips])
    assert (openings < 0.012).sum() >= 3
    assert (openings > 0.06).sum() >= 3


def test_preparing_resumes_and_splits_by_person(head, head_file, tmp_path, monkeypatch):
    monkeypatch.setattr(face_renders, "FRAMES", 2)
    monkeypatch.setattr(face_renders.render_clip, "__defaults__", (2,))
    prepared = prepare_renders(head_file, tmp_path / "out", count=2)
    first = tmp_path / "out" / "take_0_00000.npz"
    second = tmp_path / "out" / "take_0_00001.npz"
    kept, drawn = first.stat().st_mtime_ns, RenderedClip.load(second)
    second.unlink()
    again = prepare_renders(head_file.parent, tmp_path / "out", count=2)
    assert first.stat().st_mtime_ns == kept
    assert np.array_equal(RenderedClip.load(second).pictures, drawn.pictures)
    assert drawn.pictures.shape[0] == 2
    assert again == prepared == Prepared.load(tmp_path / "out")
    assert prepared.kind == "renders"
    assert prepared.train == [f"take_0_{number:05d}" for number in range(2)]


def test_more_takes_leave_the_split_of_the_others(tmp_path):
    few, many = (split_renders(tmp_path, [f"take_0_{n:05d}" for n in range(count)]) for count in (50, 200))
    assert set(few.train) <= set(many.train)
    assert set(few.test) <= set(many.test)
    assert len(many.test) == 20
    assert len(many.validation) == 10
    assert len(set(many.train) | set(many.test) | set(many.validation)) == 200


def test_the_command_makes_takes(head, head_file, tmp_path, capsys):
    assert main(["prepare", "renders", str(head_file), str(tmp_path / "out"), "--count", "1"]) == 0
    assert "1 clips to train" in capsys.readouterr().out
    assert RenderedClip.load(tmp_path / "out" / "take_0_00000.npz").pictures.shape == (
        face_renders.FRAMES,
        *SIZE[::-1],
        3,
    )


def test_bad_files_are_one_sentence(tmp_path):
    (tmp_path / "head.npz").write_bytes(b"no head")
    with pytest.raises(InputError):
        prepare_renders(tmp_path / "head.npz", tmp_path / "out", count=1)
    with pytest.raises(InputError):
        prepare_renders(tmp_path / "missing.npz", tmp_path / "out", count=1)
    np.savez(tmp_path / "head.npz", neutral=np.zeros((5, 3)), quads=np.zeros((1, 4), int))
    with pytest.raises(InputError, match="ICT-FaceKit"):
        HeadModel.load(tmp_path / "head.npz")
    np.savez(tmp_path / "clip.npz", format=1, pictures=np.zeros((2, 4, 4, 3), np.uint8), landmarks=np.zeros((3, 68, 3)))
    with pytest.raises(InputError, match="rendered clip"):
        RenderedClip.load(tmp_path / "clip.npz")
