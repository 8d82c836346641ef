"""Pictures that show their face later: animations that fade in, and files of several pages."""

import numpy as np
import pytest
from makeittalk.exchange.errors import Cancelled
from makeittalk.jobs import later_face
from makeittalk.jobs.animate import find_face
from makeittalk.landmarks.detector import NoFaceError
from PIL import Image


@pytest.fixture(scope="module")
def photo(astronaut):
    return Image.open(astronaut).convert("RGB").crop((240, 180, 720, 660)).resize((320, 320))


@pytest.fixture(scope="module")
def black(photo):
    return Image.new("RGB", photo.size)


def same(rgba, picture):
    assert np.abs(rgba[..., :3].astype(int) - np.asarray(picture.convert("RGB"))).mean() < 8


@pytest.mark.parametrize(
    "name, kind",
    [
        ("a.gif", "is animated; its picture 3 of 4"),
        ("a.webp", "is animated; its picture 3 of 4"),
        ("a.png", "is animated; its picture 3 of 4"),
        ("a.avif", "is animated; its picture 3 of 4"),
        ("a.tif", "holds several pictures; number 3 of 4"),
    ],
)
def test_the_first_picture_with_a_face(tmp_path, photo, black, name, kind):
    path = tmp_path / name
    grey = Image.new("RGB", photo.size, (10, 10, 10))
    black.save(path, save_all=True, append_images=[grey, photo, photo.rotate(180)], duration=100)
    found = find_face(path, tmp_path)
    assert found.notices == [f"{path} {kind} was taken, the first one with a face."]
    same(found.rgba, photo)
    with Image.open(tmp_path / "portrait.png") as stored:
        np.testing.assert_array_equal(np.asarray(stored.convert("RGBA")), found.rgba)
    assert (found.face.width, found.face.height) == photo.size and found.path.is_file()


def test_a_face_in_the_first_picture(tmp_path, photo, black):
    photo.save(tmp_path / "a.gif", save_all=True, append_images=[black])
    found = find_face(tmp_path / "a.gif", tmp_path)
    assert found.notices == [f"{tmp_path / 'a.gif'} is animated; its first picture was taken."]
    same(found.rgba, photo)


def test_pages_of_several_sizes(tmp_path, photo):
    Image.new("L", (64, 80)).save(tmp_path / "a.tif", save_all=True, append_images=[photo.resize((260, 300))])
    assert find_face(tmp_path / "a.tif", tmp_path).rgba.shape == (300, 260, 4)


@pytest.mark.parametrize("count", [1, 3])
def test_no_face_anywhere(tmp_path, black, count):
    """The error is that of a still, whether or not there are more pictures."""
    others = [Image.new("RGB", black.size, (9 * n, 0, 0)) for n in range(1, count)]
    black.save(tmp_path / "a.gif", save_all=True, append_images=others)
    with pytest.raises(NoFaceError, match="No face was found in"):
        find_face(tmp_path / "a.gif", tmp_path)


def test_a_face_that_takes_a_search(tmp_path, monkeypatch, photo, black):
    """Where a glance shows none, the picture with most contrast is searched as a still is."""
    glances = []
    detect = later_face.detect_landmarks

    def glance(rgb, *arguments, thorough=True, **options):
        if not thorough:
            glances.append(rgb)
            raise NoFaceError("none")
        return detect(rgb, *arguments, **options)

    monkeypatch.setattr(later_face, "detect_landmarks", glance)
    faint = Image.blend(black, photo, 0.1)
    black.save(tmp_path / "a.png", save_all=True, append_images=[faint, photo, faint])
    found = find_face(tmp_path / "a.png", tmp_path)
    assert len(glances) == 3 and "its picture 3 of 4" in found.notices[0]


def test_limits(tmp_path, monkeypatch, photo, black):
    frames = [Image.new("RGB", photo.size, (n, 0, 0)) for n in range(1, 8)]
    black.save(tmp_path / "a.png", save_all=True, append_images=[*frames, photo])
    for name, value in (("_MOST_PICTURES", 4), ("_MOST_BYTES", 4 * 4 * 320 * 320), ("_MOST_SECONDS", -1.0)):
        with monkeypatch.context() as patch:
            patch.setattr(later_face, name, value)
            assert later_face.find_later_face(tmp_path / "a.png") is None
    assert later_face.find_later_face(tmp_path / "a.png") is not None


def test_a_damaged_rest_ends_the_search(tmp_path, photo, black):
    noise = Image.effect_noise(photo.size, 90)
    black.save(tmp_path / "a.gif", save_all=True, append_images=[photo, noise])
    data = (tmp_path / "a.gif").read_bytes()
    (tmp_path / "a.gif").write_bytes(data[:-4000])
    assert "picture 2 of" in find_face(tmp_path / "a.gif", tmp_path).notices[0]


def test_the_search_can_be_cancelled(tmp_path, photo, black):
    black.save(tmp_path / "a.gif", save_all=True, append_images=[photo])

    def progress(fraction, stage):
        if stage == "Looking for a face":
            raise Cancelled

    with pytest.raises(Cancelled):
        find_face(tmp_path / "a.gif", tmp_path, progress=progress)
