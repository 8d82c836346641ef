"""Mouths up close: of films, of single open mouths that the mesh shuts, with teeth that can be exchanged."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from makeittalk.exchange.errors import InputError
from makeittalk.images.mouth_crop import SIZE
from makeittalk.images.mouth_image import draw_mouth
from makeittalk_lab.data.clips import Prepared
from makeittalk_lab.data.mouth_clip import MouthClip
from makeittalk_lab.data.mouth_frames import MouthFrames
from makeittalk_lab.prepare import mouth_frames
from makeittalk_lab.prepare.mouth_frames import prepare_mouth_frames
from PIL import Image


def test_films_become_mouths_that_lie_on_each_other(prepared_mouths: Path) -> None:
    index = Prepared.load(prepared_mouths)
    assert (index.kind, index.train, index.test) == (
        "mouth frames",
        ["one.0", "one.1", "two.0", "two.1"],
        ["three.0", "three.1"],
    )
    clip = MouthFrames.load(prepared_mouths, "one.0").clip
    assert clip.portrait.shape == (SIZE, SIZE, 3) and clip.warps.shape == clip.targets.shape
    for warp, target, points in zip(clip.warps, clip.targets, clip.landmarks, strict=True):
        away = cv2.dilate(draw_mouth(points, clip.rest)[..., 1], np.ones((25, 25), np.uint8)) == 0
        away[:8] = away[-8:] = away[:, :8] = away[:, -8:] = False
        assert np.abs(warp.astype(int) - target)[away].mean() < 6  # the films were drawn by the mesh
    assert (draw_mouth(clip.landmarks[-1], clip.rest)[..., 0] > 0).sum() > 0


def test_other_teeth_stand_where_the_card_shows(prepared_mouths: Path) -> None:
    frames = MouthFrames.load(prepared_mouths, "one.0")
    assert frames.own  # this mouth is open in every frame
    assert np.array_equal(frames.warp(4, np.zeros((9, 9, 3), np.uint8)), frames.clip.warps[4])
    frames.own = False
    moment = int(frames.cards[..., 2].sum(axis=(1, 2)).argmax())
    green = np.zeros((32, 32, 4), np.uint8)
    green[..., 1], green[..., 3] = 250, 255
    green[:, :16, 0] = 250  # the card's left half
    shown = frames.warp(moment, green).astype(int)
    card = frames.cards[moment][..., 2] > 250
    assert card.sum() > 100
    assert np.abs(shown[card][:, 1:] - [250, 0]).max() < 12
    rows, columns = np.nonzero(card)
    left = columns < columns.mean()
    assert shown[rows[left], columns[left], 0].mean() > 150 > 100 > shown[rows[~left], columns[~left], 0].mean()
    bare = frames.cards[moment][..., 2] == 0
    assert np.array_equal(shown[bare], frames.clip.warps[moment][bare])
    assert np.array_equal(frames.warp(moment, None), frames.clip.warps[moment])


def test_a_picture_of_a_smile_teaches_what_it_shows(films: Path, filmed, tmp_path: Path) -> None:
    (source := tmp_path / "pictures").mkdir()
    Image.fromarray(filmed[0][6]).save(source / "open.png")
    Image.fromarray(np.full((64, 64, 3), 120, np.uint8)).save(source / "shut.png")
    prepared = prepare_mouth_frames(source, tmp_path / "out")
    assert prepared.train == ["open.0"] and "face" in prepared.skipped["shut"]
    clip = MouthFrames.load(tmp_path / "out", "open.0").clip
    opening = draw_mouth(clip.landmarks[0], clip.rest)
    assert (opening[..., 0] > 127).sum() > 8 * max(1, (opening[..., 2] > 127).sum())  # asked for open, shown shut
    away = cv2.dilate(opening[..., 1], np.ones((41, 41), np.uint8)) == 0
    assert np.abs(clip.warps[0].astype(int) - clip.targets[0])[away].mean() < 4


def test_rendered_heads_are_laid_on_a_canvas_that_holds_the_face(filmed, tmp_path: Path) -> None:
    pictures, landmarks = filmed
    corner = np.round(landmarks[0, 57, :2] - 48).astype(int)
    cut = np.s_[:, corner[1] : corner[1] + 96, corner[0] : corner[0] + 96]
    count = len(pictures)
    head = MouthClip(
        pictures[cut],
        np.array(["rest"] * count),
        np.zeros(count, bool),
        (landmarks[:, :, :2] - corner).astype(np.float32),
        np.zeros((count, 4, 2), np.float32),
        np.zeros(count, np.float32),
        np.zeros((count, 3), np.float32),
        0,
        np.zeros(3, np.float32),
    )
    frames = mouth_frames.head_clip("head", head)
    place = np.abs(frames.clip.landmarks[:, 30] - frames.clip.rest[30]).max()
    assert place < 2.0  # the nose stays
    assert (draw_mouth(frames.clip.landmarks[4], frames.clip.rest)[..., 0] > 127).sum() > 100


def test_folders_that_hold_no_mouths_say_so(prepared_frames: Path, prepared_mouths: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no mouths"):
        prepare_mouth_frames(prepared_frames, tmp_path / "out")
    with pytest.raises(InputError, match="holds no films"):
        prepare_mouth_frames(tmp_path, tmp_path / "out")
    for path in prepared_mouths.glob("one.0*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    data = (tmp_path / "one.0.card.npy").read_bytes()
    (tmp_path / "one.0.card.npy").write_bytes(data[:300])
    with pytest.raises(InputError, match="is damaged"):
        MouthFrames.load(tmp_path, "one.0")
