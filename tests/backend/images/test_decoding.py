"""Kinds of pictures, what they weigh before they are decoded, and damaged ones."""

import struct
import zlib

import numpy as np
import OpenEXR
import pillow_heif
import pytest
import tifffile
from makeittalk.exchange.errors import InputError
from makeittalk.images import decoding, srgb
from makeittalk.images.portrait import read_later_pictures, read_picture
from measured import measured
from PIL import Image

MILLION = 1_000_000


@pytest.fixture(scope="module")
def photo(astronaut):
    return Image.open(astronaut).convert("RGB").resize((202, 240))


def close(picture, expected, mean=4.0):
    assert picture.size == expected.size
    assert np.abs(np.asarray(picture)[..., :3].astype(int) - np.asarray(expected.convert("RGB"))).mean() < mean


def save_heic(picture, path, **options):
    pillow_heif.from_pillow(picture).save(path, quality=90, **options)


class TestHeic:
    @pytest.mark.parametrize("mode", ["RGB", "L"])
    def test_as_phones_make_them(self, tmp_path, photo, mode):
        save_heic(photo.convert(mode), tmp_path / "a.heic")
        picture, notices = read_picture(tmp_path / "a.heic")
        close(picture, photo.convert(mode))
        assert notices == []

    @pytest.mark.parametrize("orientation, turn", [(3, "ROTATE_180"), (6, "ROTATE_90"), (8, "ROTATE_270")])
    def test_rotation(self, tmp_path, photo, orientation, turn):
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored = photo.transpose(Image.Transpose[turn])
        save_heic(stored, tmp_path / "a.heic", exif=exif.tobytes())
        close(read_picture(tmp_path / "a.heic")[0], photo)

    def test_alpha(self, tmp_path, photo):
        alpha = np.tile(np.linspace(0, 255, 202).astype(np.uint8), (240, 1))
        picture = photo.copy()
        picture.putalpha(Image.fromarray(alpha))
        save_heic(picture, tmp_path / "a.heic")
        read = np.asarray(read_picture(tmp_path / "a.heic")[0])
        assert np.abs(read[..., 3].astype(int) - alpha).mean() < 3

    def test_ten_bits(self, tmp_path, photo):
        values = np.asarray(photo).astype(np.uint16) * 257
        pillow_heif.encode("RGB;16", photo.size, values.tobytes(), tmp_path / "a.heic", quality=90)
        assert pillow_heif.open_heif(tmp_path / "a.heic").info["bit_depth"] == 10
        close(read_picture(tmp_path / "a.heic")[0], photo)

    def test_the_primary_of_several(self, tmp_path, photo):
        file = pillow_heif.from_pillow(photo.rotate(180))
        file.add_from_pillow(photo)
        file.save(tmp_path / "a.heic", quality=90, primary_index=1)
        picture, notices = read_picture(tmp_path / "a.heic")
        close(picture, photo)
        (other,) = read_later_pictures(tmp_path / "a.heic")
        close(other.image, photo.rotate(180))
        assert (other.number, other.count, other.animated) == (1, 2, False) and notices == []


def write_png(path, side, depth, colour, palette=b"", rows=None):
    """A picture of one colour: hundreds of megapixels in kilobytes; `rows` of them where it is cut short."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    channels = {0: 1, 2: 3, 3: 1, 6: 4}[colour]
    packer = zlib.compressobj(1)
    row = bytes(1 + (side * depth * channels + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(side if rows is None else rows)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0))
    parts = header + (chunk(b"PLTE", palette) if palette else b"") + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)


class TestWeight:
    """No picture is decoded whose header says that it takes more than the budget."""

    @pytest.mark.parametrize("depth, colour", [(8, 2), (16, 2), (8, 6), (16, 6)])
    def test_too_much(self, tmp_path, monkeypatch, depth, colour):
        monkeypatch.setattr(decoding, "MAX_DECODED_BYTES", 4 * MILLION)
        monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("it was decoded"))
        write_png(tmp_path / "a.png", 1100, depth, colour)
        with pytest.raises(InputError, match="too large: its 1100 × 1100 pixels") as caught:
            read_picture(tmp_path / "a.png")
        assert caught.value.hint == "Scale it down to 1 million pixels or fewer."

    @pytest.mark.parametrize("depth, colour", [(8, 3), (1, 0), (16, 0)])
    def test_palettes_and_deep_grey_shrink_in_strips(self, tmp_path, monkeypatch, depth, colour):
        """What is larger than the portrait may be never stands in memory as RGBA."""
        monkeypatch.setattr(srgb, "MAX_PORTRAIT_SIDE", 800)
        monkeypatch.setattr(srgb, "_STRIP", 100_000)
        write_png(tmp_path / "a.png", 1100, depth, colour, bytes([10, 20, 30, 0, 0, 0]) if colour == 3 else b"")
        largest = []
        original = Image.Image.convert

        def convert(self, *arguments, **options):
            largest.append(self.width * self.height)
            return original(self, *arguments, **options)

        monkeypatch.setattr(Image.Image, "convert", convert)
        picture, _ = read_picture(tmp_path / "a.png")
        assert picture.size == (800, 800) and max(largest, default=0) < 110_000
        assert picture.getextrema()[:3] == (((10, 10), (20, 20), (30, 30)) if colour == 3 else ((0, 0),) * 3)

    def test_strips_join_without_seams(self, tmp_path, monkeypatch, photo):
        monkeypatch.setattr(srgb, "MAX_PORTRAIT_SIDE", 800)
        monkeypatch.setattr(srgb, "_STRIP", 20_000)
        large = photo.resize((900, 1100)).quantize(64)
        large.save(tmp_path / "a.png")
        picture, _ = read_picture(tmp_path / "a.png")
        close(picture, large.convert("RGB").resize((655, 800), Image.Resampling.BOX), 0.6)

    def test_a_draft_of_a_large_jpeg(self, tmp_path, monkeypatch, photo):
        """A JPEG is decoded at the scale that is needed, and weighed at that."""
        photo.resize((17_000, 4_000)).save(tmp_path / "a.jpg")
        monkeypatch.setattr(decoding, "MAX_DECODED_BYTES", 17_000 * 4_000)
        assert read_picture(tmp_path / "a.jpg")[0].size == (8192, 1928)

    def test_a_progressive_jpeg_keeps_its_coefficients(self, tmp_path, monkeypatch, photo):
        photo.save(tmp_path / "a.jpg", progressive=True)
        monkeypatch.setattr(decoding, "MAX_DECODED_BYTES", 202 * 240 * 5)
        with pytest.raises(InputError, match="too large"):
            read_picture(tmp_path / "a.jpg")
        photo.save(tmp_path / "a.jpg")
        read_picture(tmp_path / "a.jpg")

    def test_later_pictures_are_weighed_too(self, tmp_path, monkeypatch, photo):
        photo.save(tmp_path / "a.gif", save_all=True, append_images=[photo.rotate(180)])
        monkeypatch.setattr(decoding, "MAX_DECODED_BYTES", 202 * 240 * 3)
        read_picture(tmp_path / "a.gif")
        with pytest.raises(InputError, match="too large"):
            list(read_later_pictures(tmp_path / "a.gif"))


READING = """
import tempfile
from makeittalk.images.portrait import prepare_portrait
with tempfile.TemporaryDirectory() as folder:
    print(prepare_portrait(sys.argv[2], folder)[1].shape)
"""


class TestSmallFilesOfManyPixels:
    """Files of a few kilobytes with as many pixels as are read at all, read by a process of their own."""

    @pytest.mark.parametrize(
        "side, depth, colour, limit", [(22_300, 1, 3, 1000), pytest.param(20_000, 16, 0, 1250, marks=pytest.mark.slow)]
    )
    def test_are_read_in_bounded_memory(self, tmp_path, side, depth, colour, limit):
        palette = bytes([10, 20, 30, 0, 0, 0]) if colour == 3 else b""
        write_png(tmp_path / "a.png", side, depth, colour, palette)
        said, memory = measured(READING, tmp_path / "a.png")
        assert said == "(8192, 8192, 4)" and memory < limit, (said, memory)

    @pytest.mark.parametrize("side, depth, colour", [(22_300, 16, 0), (16_000, 8, 6), (22_300, 16, 2)])
    def test_beyond_the_budget_are_refused_by_their_header(self, tmp_path, side, depth, colour):
        write_png(tmp_path / "a.png", side, depth, colour, rows=4)
        said, memory = measured(READING, tmp_path / "a.png")
        assert "too large" in said and memory < 200

    @pytest.mark.parametrize("kind", [pytest.param("float.tif", marks=pytest.mark.slow), "half.exr", "hdr"])
    def test_deep_ones_too(self, tmp_path, kind):
        path = tmp_path / f"a.{kind}"
        if kind == "float.tif":  # 0.4 GB of numbers: more bytes than Pillow reads without being asked
            tifffile.imwrite(path, np.zeros((5700, 5700, 3), np.float32), photometric="rgb", compression="zlib")
        elif kind == "half.exr":
            channels = {name: np.zeros((4900, 5000), np.float16) for name in "RGBA"}
            OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}, channels).write(
                str(path)
            )
        else:
            row = b"\x02\x02\x20\x00" + (b"\xff\x00" * (8192 // 127) + b"\xc0\x00") * 4
            path.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 4096 +X 8192\n" + row * 4096)
        said, memory = measured(READING, path)
        assert said.endswith(", 4)") and memory < 1300, (said, memory)


@pytest.mark.parametrize("suffix", "heic avif webp gif png jpg tif exr jp2 psd float.tif".split())
def test_damage_is_a_sentence(tmp_path, photo, suffix, capfd):
    """Whatever byte is changed, there is a picture or the project's own error."""
    path, small = tmp_path / f"a.{suffix}", photo.resize((64, 76))
    if suffix == "heic":
        save_heic(small, path)
    elif suffix == "exr":
        channels = {"RGB": np.asarray(small, np.float32) / 255}
        OpenEXR.File({"compression": OpenEXR.PIZ_COMPRESSION, "type": OpenEXR.scanlineimage}, channels).write(str(path))
    elif suffix == "float.tif":
        tifffile.imwrite(path, np.asarray(small, np.float32) / 255, photometric="rgb", compression="zlib")
    elif suffix == "psd":
        header = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 76, 64, 8, 3) + bytes(12) + b"\0\0"
        path.write_bytes(header + np.asarray(small).transpose(2, 0, 1).tobytes())
    else:
        small.save(path)
    read_picture(path)
    data, random = path.read_bytes(), np.random.default_rng(0)
    for number in range(150):
        broken = bytearray(data)
        # Most of what matters stands at the start.
        for place in random.integers(0, min(len(data), 600) if number % 2 else len(data), 1 + number % 4):
            broken[place] = random.integers(256)
        path.write_bytes(broken[: random.integers(8, len(data))] if number % 10 == 0 else broken)
        try:
            read_picture(path)
            list(read_later_pictures(path))
        except InputError as error:
            assert str(path) in error.message and error.hint
    assert capfd.readouterr() == ("", "")


def test_the_hint_names_every_kind(tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(InputError) as caught:
        read_picture(tmp_path / "a.png")
    for kind in "PNG JPEG HEIC AVIF WebP TIFF OpenEXR Radiance GIF PSD TGA".split():
        assert kind in caught.value.hint
