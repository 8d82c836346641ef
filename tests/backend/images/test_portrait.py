"""Pictures of every kind become the same upright sRGB portrait; what is no picture is refused."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from makeittalk.exchange.errors import InputError, OutputError
from makeittalk.images.portrait import prepare_portrait
from PIL import Image, ImageCms


@pytest.fixture(scope="module")
def photo(astronaut):
    return Image.open(astronaut).convert("RGB").resize((400, 320))


@pytest.fixture
def prepare(tmp_path):
    """Prepares a picture in a folder of its own and checks that the PNG holds what was answered."""
    folder = tmp_path / "out"
    folder.mkdir()

    def run(path):
        png, pixels, notices = prepare_portrait(path, folder)
        assert png == folder / "portrait.png" and [item.name for item in folder.iterdir()] == ["portrait.png"]
        with Image.open(png) as stored:
            np.testing.assert_array_equal(np.asarray(stored.convert("RGBA")), pixels)
        assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 4
        return pixels, notices

    return run


def close(pixels, expected, mean):
    expected = np.asarray(expected.convert("RGB"), float)
    assert pixels.shape[:2] == expected.shape[:2]
    assert np.abs(pixels[..., :3] - expected).mean() < mean


def refused(path, folder, *words):
    with pytest.raises(InputError) as caught:
        prepare_portrait(path, folder)
    message = caught.value.message
    assert str(path) in message and message.endswith(".") and "\n" not in message and caught.value.hint
    for word in words:
        assert word in message
    assert not (folder / "portrait.png").exists()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(tmp_path, prepare, photo, orientation):
    """As a camera stores it: turned, with a note how to turn it back."""
    flips = Image.Transpose
    undo = {
        2: flips.FLIP_LEFT_RIGHT,
        3: flips.ROTATE_180,
        4: flips.FLIP_TOP_BOTTOM,
        5: flips.TRANSPOSE,
        6: flips.ROTATE_90,
        7: flips.TRANSVERSE,
        8: flips.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = photo.transpose(undo[orientation]) if orientation in undo else photo
    stored.save(tmp_path / "a.jpg", exif=exif, quality=95)
    close(prepare(tmp_path / "a.jpg")[0], photo, 3)


@pytest.mark.parametrize(
    "name, options",
    [
        ("a.png", {}),
        ("a.jpg", {"quality": 95}),
        ("a.webp", {"lossless": True}),
        ("a.tif", {}),
        ("a.bmp", {}),
        ("a.tga", {}),
        ("a.ppm", {}),
        ("a.gif", {}),
    ],
)
def test_formats(tmp_path, prepare, photo, name, options):
    photo.save(tmp_path / name, **options)
    pixels, notices = prepare(tmp_path / name)
    close(pixels, photo, 4)
    assert pixels[..., 3].min() == 255 and not notices


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk(tmp_path, prepare, photo, suffix):
    photo.convert("CMYK").save(tmp_path / f"a.{suffix}")
    close(prepare(tmp_path / f"a.{suffix}")[0], photo, 4)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("grey", [False, True])
def test_16_bit(tmp_path, prepare, photo, suffix, grey):
    picture = photo.convert("L").convert("RGB") if grey else photo
    values = np.asarray(picture)[..., ::-1].astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / f"a.{suffix}"), values[..., 0] if grey else values)
    close(prepare(tmp_path / f"a.{suffix}")[0], picture, 1)


def test_float_grey(tmp_path, prepare, photo):
    grey = photo.convert("L")
    Image.fromarray(np.asarray(grey, np.float32) / 255).save(tmp_path / "a.tif")
    close(prepare(tmp_path / "a.tif")[0], grey.convert("RGB"), 1)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "LAB"])
def test_modes(tmp_path, prepare, photo, mode):
    name = "a.tif" if mode in ("PA", "LAB") else "a.png"
    if mode == "LAB":
        srgb = ImageCms.createProfile("sRGB")
        picture = ImageCms.profileToProfile(photo, srgb, ImageCms.createProfile("LAB"), outputMode="LAB")
    else:
        picture = photo.convert("P" if mode == "PA" else mode)
    picture.save(tmp_path / name)
    expected = photo if mode == "LAB" else picture.convert("RGB")
    close(prepare(tmp_path / name)[0], expected, 1.5)


@pytest.mark.parametrize("suffix", ["png", "webp", "tga", "tif"])
def test_alpha_is_kept(tmp_path, prepare, photo, suffix):
    alpha = np.tile(np.linspace(0, 255, photo.width).astype(np.uint8), (photo.height, 1))
    picture = photo.copy()
    picture.putalpha(Image.fromarray(alpha))
    picture.save(tmp_path / f"a.{suffix}", **({"lossless": True, "exact": True} if suffix == "webp" else {}))
    pixels, _ = prepare(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(pixels[..., 3], alpha)
    close(pixels, photo, 1)


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_palette_with_a_transparent_colour(tmp_path, prepare, photo, suffix):
    picture = photo.quantize(32)
    picture.save(tmp_path / f"a.{suffix}", transparency=3)
    pixels, _ = prepare(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(pixels[..., 3] == 0, np.asarray(picture) == 3)


def test_colour_profile_becomes_srgb(tmp_path, prepare, photo):
    """A picture whose profile swaps red and green comes out with them swapped back."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.find(b"rXYZ"), profile.find(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    channels = photo.split()
    Image.merge("RGB", (channels[1], channels[0], channels[2])).save(tmp_path / "a.png", icc_profile=bytes(profile))
    close(prepare(tmp_path / "a.png")[0], photo, 3)


def test_a_broken_profile_is_ignored(tmp_path, prepare, photo):
    photo.save(tmp_path / "a.png", icc_profile=b"not a profile at all")
    close(prepare(tmp_path / "a.png")[0], photo, 0.01)


def test_animation_gives_its_first_picture(tmp_path, prepare, photo):
    photo.save(tmp_path / "a.gif", save_all=True, append_images=[photo.rotate(180)])
    pixels, notices = prepare(tmp_path / "a.gif")
    close(pixels, photo, 4)
    assert len(notices) == 1 and "animated" in notices[0]


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_twenty_thousand_pixels_wide(tmp_path, prepare, photo, name):
    photo.resize((20_000, 1_000)).save(tmp_path / name, **({"compress_level": 1} if name == "a.png" else {}))
    pixels, notices = prepare(tmp_path / name)
    close(pixels, photo.resize((8192, 410)), 4)
    assert len(notices) == 1 and "20000 × 1000" in notices[0] and "8192 × 410" in notices[0]


@pytest.mark.parametrize("name", ["ä ö 日本語 – face.png", "with  spaces.png"])
def test_names(tmp_path, prepare, photo, name):
    photo.save(tmp_path / name)
    close(prepare(tmp_path / name)[0], photo, 0.01)


def test_long_paths(tmp_path, photo):
    folder = tmp_path.joinpath(*(letter * 60 for letter in "abcdef"))
    folder.mkdir(parents=True)
    photo.save(folder / "a.png")
    assert len(str(prepare_portrait(folder / "a.png", folder)[0])) > 360


class TestRefused:
    def test_missing_folder_and_empty(self, tmp_path):
        refused(tmp_path / "none.png", tmp_path, "does not exist")
        (tmp_path / "empty.png").touch()
        refused(tmp_path / "empty.png", tmp_path, "empty")
        refused(tmp_path / "empty.png" / "a.png", tmp_path)
        (tmp_path / "folder.png").mkdir()
        refused(tmp_path / "folder.png", tmp_path, "not a file")

    @pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "tga", "gif", "tif", "ppm"])
    def test_cut_short(self, tmp_path, photo, suffix):
        path = tmp_path / f"a.{suffix}"
        photo.save(path)
        data = path.read_bytes()
        for length in (len(data) // 2, 40):
            path.write_bytes(data[:length])
            refused(path, tmp_path)

    @pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tga", "a"])
    def test_no_picture(self, tmp_path, name):
        (tmp_path / name).write_text("These are words.\n" * 50)
        refused(tmp_path / name, tmp_path, "not a picture")

    @pytest.mark.parametrize("start", ["%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "<svg xmlns='x'></svg>"])
    def test_programs_are_no_pictures(self, tmp_path, start):
        (tmp_path / "a.png").write_text(start)
        refused(tmp_path / "a.png", tmp_path)

    def test_recording(self, tmp_path, speech_wav):
        refused(speech_wav, tmp_path)

    @pytest.mark.parametrize("size", [(31, 400), (400, 31), (1, 1), (20_000, 20)])
    def test_too_small(self, tmp_path, photo, size):
        photo.resize(size).save(tmp_path / "a.png")
        refused(tmp_path / "a.png", tmp_path, "too small", f"{size[0]} × {size[1]}")

    def test_bomb(self, tmp_path):
        """A kilobyte that claims 3,600 million pixels is refused before it is unpacked."""

        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
        parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9999))) + chunk(b"IEND", b"")
        (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
        refused(tmp_path / "a.png", tmp_path, "too large", "60000 × 60000")

    def test_nowhere_to_write(self, tmp_path, photo):
        photo.save(tmp_path / "a.png")
        with pytest.raises(OutputError):
            prepare_portrait(tmp_path / "a.png", tmp_path / "none")
