"""Films become clips for the image network."""

import pickle

import numpy as np
import pytest
from makeittalk.exchange.errors import InputError
from makeittalk.images.face_crop import SIZE
from makeittalk_lab.data.clips import Prepared
from makeittalk_lab.data.films import read_film
from makeittalk_lab.data.image_clips import ImageClip
from makeittalk_lab.evaluation.picture_metrics import compare, mouth_box
from makeittalk_lab.prepare.frames import prepare_frames


def test_takes_hold_what_was_filmed_and_what_the_mesh_shows(prepared_frames, films):
    index = Prepared.load(prepared_frames)
    assert (index.kind, index.train, index.test) == ("frames", ["one", "two"], ["three"])
    clip = ImageClip.load(prepared_frames, "one")
    assert clip.warps.shape == clip.targets.shape == (11, SIZE, SIZE, 3)
    # The films were drawn by the mesh itself: away from H.264's losses both must be the same face in the same place.
    for warp, target, points in zip(clip.warps, clip.targets, clip.landmarks, strict=True):
        assert compare(warp, target, mouth_box(points))["PSNR"] > 22
        assert np.abs(warp.astype(int) - target).mean() < 6


def test_a_second_run_keeps_takes_and_names_films_that_cannot_be_used(films, filmed, prepared_frames, tmp_path):
    (folder := tmp_path / "more").mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.mp4").write_bytes((films / f"{name}.mp4").read_bytes())
    (folder / "broken.mp4").write_bytes(b"no film")
    before = (prepared_frames / "one.npy").stat().st_mtime_ns
    index = prepare_frames(folder, prepared_frames, track=lambda _p, _q: (filmed[1], 25.0, (288, 288)))
    assert (prepared_frames / "one.npy").stat().st_mtime_ns == before
    assert "broken" in index.skipped and "not a film" in index.skipped["broken"]
    prepare_frames(films, prepared_frames, track=lambda _p, _q: (filmed[1], 25.0, (288, 288)))


def test_folders_without_films_and_damaged_takes_are_refused(prepared_frames, tmp_path):
    with pytest.raises(InputError, match="holds no films"):
        prepare_frames(tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match="not a film"):
        read_film(prepared_frames / "prepared.json")
    for suffix in ("npy", "npz"):
        (tmp_path / f"one.{suffix}").write_bytes((prepared_frames / f"one.{suffix}").read_bytes())
    data = (tmp_path / "one.npy").read_bytes()
    (tmp_path / "one.npy").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="not an image clip"):
        ImageClip.load(tmp_path, "one")
    with (tmp_path / "one.npy").open("wb") as stream:
        pickle.dump([1, 2], stream)
    with pytest.raises(InputError, match="not an image clip"):
        ImageClip.load(tmp_path, "one")
