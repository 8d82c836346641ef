"""Pictures of more than 8 bits: floating-point and planar TIFF, OpenEXR and Radiance, linear light and a screen's."""

import io
import zlib

import cv2
import numpy as np
import OpenEXR
import pytest
import tifffile
from makeittalk.exchange.errors import InputError
from makeittalk.images import scene_linear
from makeittalk.images.portrait import read_picture
from PIL import Image, ImageCms

LINES = np.linspace(0.1, 1.0, 101)  # of alpha


@pytest.fixture(scope="module")
def photo(astronaut):
    """(120, 101, 3) uint8: sides that no tile divides."""
    return np.array(Image.open(astronaut).convert("RGB").resize((101, 120)))


def light(values):
    """Display values 0–1 as linear light (IEC 61966-2-1)."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def shown(path):
    picture, notices = read_picture(path)
    return np.asarray(picture), notices


def close(pixels, expected, most=2):
    assert pixels.shape[:2] == expected.shape[:2]
    assert np.abs(pixels[..., :3].astype(int) - expected).max() <= most


def with_alpha(values):
    return np.dstack([values, np.broadcast_to(LINES, values.shape[:2])])


class TestTiff:
    @pytest.mark.parametrize("kind", ["grey", "rgb", "rgba"])
    @pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "u2", "u4"])
    @pytest.mark.parametrize("planar", [False, True])
    @pytest.mark.parametrize("options", [{}, {"compression": "zlib", "tile": (64, 48)}, {"byteorder": ">"}])
    def test_kinds(self, tmp_path, photo, kind, dtype, planar, options):
        values = {"grey": photo[..., 1], "rgb": photo, "rgba": with_alpha(photo / 255.0) * 255}[kind] / 255.0
        values = values if dtype[0] == "f" else np.rint(values * np.iinfo(dtype).max)
        values = values.astype(dtype)
        if planar and kind != "grey":
            values, options = np.moveaxis(values, -1, 0), options | {"planarconfig": "separate"}
        extra = {"extrasamples": ["unassalpha"]} if kind == "rgba" else {}
        photometric = "minisblack" if kind == "grey" else "rgb"
        tifffile.imwrite(tmp_path / "a.tif", values, photometric=photometric, **options, **extra)
        pixels, _ = shown(tmp_path / "a.tif")
        close(pixels, photo[..., 1:2] if kind == "grey" else photo)
        if kind == "rgba":
            np.testing.assert_allclose(pixels[50, :, 3], LINES * 255, atol=1)

    @pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "zstd", "lzma"])
    @pytest.mark.parametrize("predictor", [1, 3])
    def test_compressed_floats(self, tmp_path, photo, compression, predictor):
        """As libtiff writes them, with the predictor of floating-point numbers too."""
        grey = Image.fromarray(photo[..., 1].astype(np.float32) / 255)
        predictor = 1 if compression == "packbits" else predictor
        grey.save(tmp_path / "a.tif", compression=compression, tiffinfo={317: predictor, 278: 33})
        close(shown(tmp_path / "a.tif")[0], photo[..., 1:2])

    @pytest.mark.parametrize("dtype", ["<f2", ">f4", "<f8", "<u2", ">u4"])
    @pytest.mark.parametrize("tile", [None, (64, 48)])
    def test_predictors_over_colours(self, tmp_path, photo, dtype, tile):
        """Strips and tiles in colour, encoded here by the words of TIFF 6.0 and its Technical Note 3."""
        floats = np.dtype(dtype).kind == "f"
        values = (photo / 255.0 if floats else np.rint(photo / 255.0 * np.iinfo(dtype).max)).astype(dtype)
        tall, wide = tile or (40, 101)
        padded = np.pad(values, ((0, -120 % tall), (0, -101 % wide), (0, 0)))
        blocks = [
            zlib.compress(b"".join(self.differences(row) for row in padded[y : y + tall, x : x + wide]))
            for y in range(0, len(padded), tall)
            for x in range(0, padded.shape[1], wide)
        ]
        tifffile.imwrite(
            tmp_path / "a.tif",
            iter(blocks),
            shape=photo.shape,
            dtype=dtype.replace("f", "i"),  # tifffile alone refuses to state a predictor of floats
            byteorder=dtype[0],
            photometric="rgb",
            compression="zlib",
            predictor=2,
            planarconfig="contig",
            **({"tile": tile} if tile else {"rowsperstrip": tall}),
        )
        if floats:
            with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as file:
                file.pages[0].tags["SampleFormat"].overwrite((3, 3, 3))
                file.pages[0].tags["Predictor"].overwrite(3)
        close(shown(tmp_path / "a.tif")[0], photo)

    @staticmethod
    def differences(row):
        """A row of pixels as a predictor stores it."""
        if row.dtype.kind != "f":
            return np.diff(row, axis=0, prepend=np.zeros_like(row[:1])).astype(row.dtype).tobytes()
        numbers = row.astype(row.dtype.newbyteorder(">")).ravel()  # the most significant byte first
        planes = numbers.view(np.uint8).reshape(-1, row.itemsize).T.ravel()
        return np.concatenate([planes[:3], planes[3:] - planes[:-3]]).tobytes()

    def test_logarithmic_light(self, tmp_path, photo):
        """What OpenCV writes where nothing is said: LogLuv."""
        cv2.imwrite(str(tmp_path / "a.tif"), np.ascontiguousarray(photo[..., ::-1], np.float32) / 255)
        with tifffile.TiffFile(tmp_path / "a.tif") as file:
            assert file.pages[0].compression == 34676
        assert np.abs(shown(tmp_path / "a.tif")[0][..., :3].astype(int) - photo).mean() < 3

    @pytest.mark.parametrize("top", [255, 65535])
    def test_counts_as_floats(self, tmp_path, photo, top):
        tifffile.imwrite(tmp_path / "a.tif", photo.astype(np.float32) * (top / 255), photometric="rgb")
        close(shown(tmp_path / "a.tif")[0], photo)

    def test_light_beyond_white(self, tmp_path, photo):
        """Values above 1 are linear light; what is brighter than white is white."""
        values = light(photo / 255.0)
        values[:10, :10] = 3.0
        tifffile.imwrite(tmp_path / "a.tif", values.astype(np.float32), photometric="rgb")
        expected = photo.copy()
        expected[:10, :10] = 255
        close(shown(tmp_path / "a.tif")[0], expected)

    def test_a_linear_profile(self, tmp_path, photo):
        """A profile with straight curves says that values within 0–1 are light."""
        profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
        for name in (b"rTRC", b"gTRC", b"bTRC"):
            entry = profile.find(name)
            start = int.from_bytes(profile[entry + 4 : entry + 8], "big")
            profile[entry + 8 : entry + 12] = (12).to_bytes(4, "big")
            profile[start : start + 12] = b"curv" + bytes(8)
        values = light(photo / 255.0).astype(np.float32)
        tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", iccprofile=bytes(profile))
        pixels, notices = shown(tmp_path / "a.tif")
        close(pixels, photo)
        assert notices == []

    def test_premultiplied_alpha(self, tmp_path, photo):
        values = with_alpha(photo / 255.0 * LINES[None, :, None]).astype(np.float32)
        tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", extrasamples=["assocalpha"])
        pixels, _ = shown(tmp_path / "a.tif")
        close(pixels, photo)
        np.testing.assert_allclose(pixels[50, :, 3], LINES * 255, atol=1)

    def test_says_how_it_took_the_values(self, tmp_path, photo):
        tifffile.imwrite(tmp_path / "a.tif", (photo / 255.0).astype(np.float32), photometric="rgb")
        (notice,) = shown(tmp_path / "a.tif")[1]
        assert str(tmp_path / "a.tif") in notice and "OpenEXR" in notice

    def test_orientation(self, tmp_path, photo):
        values = np.rot90(photo, 1).astype(np.float32) / 255
        tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", extratags=[(274, "H", 1, 6, True)])
        close(shown(tmp_path / "a.tif")[0], photo)

    def test_other_kinds_are_named(self, tmp_path, photo):
        """A sentence says what can be read instead."""
        values = np.repeat((photo / 255.0).astype(np.float32)[..., :1], 4, axis=2)
        tifffile.imwrite(tmp_path / "a.tif", values, photometric="separated")  # CMYK
        with pytest.raises(InputError, match="kind that is not read") as caught:
            read_picture(tmp_path / "a.tif")
        assert all(word in caught.value.hint for word in ("RGB", "LZW", "Deflate", "OpenEXR"))

    @pytest.mark.parametrize("share", [0.3, 0.9])
    def test_cut_short(self, tmp_path, photo, share):
        written = io.BytesIO()
        tifffile.imwrite(written, photo.astype(np.float32) / 255, photometric="rgb", rowsperstrip=10)
        (tmp_path / "a.tif").write_bytes(written.getvalue()[: int(len(written.getvalue()) * share)])
        with pytest.raises(InputError, match="damaged"):
            read_picture(tmp_path / "a.tif")

    def test_weighed_before_it_is_decoded(self, tmp_path):
        """Tags that claim 200 million pixels of 16 bytes, over strips of a few."""
        tifffile.imwrite(tmp_path / "a.tif", np.zeros((64, 64, 4), np.float32), photometric="rgb", rowsperstrip=64)
        data = bytearray((tmp_path / "a.tif").read_bytes())
        with tifffile.TiffFile(tmp_path / "a.tif") as file:
            for name in ("ImageWidth", "ImageLength"):
                place = file.pages[0].tags[name].valueoffset
                data[place : place + 2] = (14_200).to_bytes(2, "little")
        (tmp_path / "a.tif").write_bytes(data)
        with pytest.raises(InputError, match="too large: its 14200 × 14200 pixels"):
            read_picture(tmp_path / "a.tif")


class TestOpenExr:
    def write(self, path, channels, compression="ZIP_COMPRESSION", **header):
        header = {"compression": getattr(OpenEXR, compression), "type": OpenEXR.scanlineimage} | header
        channels = {name: np.ascontiguousarray(values) for name, values in channels.items()}
        OpenEXR.File(header, channels).write(str(path))

    @pytest.mark.parametrize("dtype", ["f2", "f4"])
    @pytest.mark.parametrize("compression", ["NO", "ZIP", "PIZ", "RLE"])
    def test_linear_light(self, tmp_path, photo, dtype, compression):
        self.write(tmp_path / "a.exr", {"RGB": light(photo / 255.0).astype(dtype)}, f"{compression}_COMPRESSION")
        pixels, notices = shown(tmp_path / "a.exr")
        close(pixels, photo)
        assert notices == [] and pixels[..., 3].min() == 255

    def test_alpha_is_unmultiplied(self, tmp_path, photo):
        values = with_alpha(light(photo / 255.0) * LINES[None, :, None]).astype(np.float32)
        self.write(tmp_path / "a.exr", {"RGBA": values})
        pixels, _ = shown(tmp_path / "a.exr")
        close(pixels, photo)
        np.testing.assert_allclose(pixels[50, :, 3], LINES * 255, atol=1)

    def test_layers_of_a_render(self, tmp_path, photo):
        """Of a multilayer file, the combined pass; of parts, the one in colour."""
        values, depth = light(photo / 255.0).astype(np.float32), np.full(photo.shape[:2], 9.0, np.float32)
        layers = {f"Layer.Combined.{c}": values[..., i] for i, c in enumerate("RGB")}
        layers |= {f"Layer.Albedo.{c}": depth for c in "RGB"} | {"Layer.Depth.Z": depth}
        self.write(tmp_path / "a.exr", layers)
        close(shown(tmp_path / "a.exr")[0], photo)
        parts = [OpenEXR.Part({"name": "depth"}, {"Z": depth}), OpenEXR.Part({"name": "beauty"}, {"RGB": values})]
        OpenEXR.File(parts).write(str(tmp_path / "b.exr"))
        close(shown(tmp_path / "b.exr")[0], photo)

    def test_grey(self, tmp_path, photo):
        self.write(tmp_path / "a.exr", {"Y": light(photo[..., 1] / 255.0).astype(np.float16)})
        close(shown(tmp_path / "a.exr")[0], photo[..., 1:2])

    def test_primaries(self, tmp_path, photo):
        """Rec.2020 by the matrix that ITU-R BT.2087 prints."""
        matrix = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
        values = (light(photo / 255.0) @ matrix.T).astype(np.float32)
        rec_2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)
        self.write(tmp_path / "a.exr", {"RGB": values}, chromaticities=rec_2020)
        close(shown(tmp_path / "a.exr")[0], photo)

    @pytest.mark.parametrize("stops", [-6, 8])
    def test_far_too_dark_or_bright(self, tmp_path, photo, stops):
        self.write(tmp_path / "a.exr", {"RGB": (light(photo / 255.0) * 2.0**stops).astype(np.float32)})
        pixels, (notice,) = shown(tmp_path / "a.exr")
        assert 60 < np.median(pixels[..., :3]) < 220
        assert ("brightened" if stops < 0 else "darkened") in notice and str(tmp_path / "a.exr") in notice

    def test_numbers_that_are_none(self, tmp_path, photo):
        values = light(photo / 255.0).astype(np.float32)
        values[3, 3], values[4, 4], values[5, 5] = np.nan, np.inf, -1.0
        self.write(tmp_path / "a.exr", {"RGB": values})
        pixels, _ = shown(tmp_path / "a.exr")
        assert pixels[3, 3, 0] == 0 and pixels[4, 4, 0] == 255 and pixels[5, 5, 0] == 0

    def test_without_a_picture(self, tmp_path):
        self.write(tmp_path / "a.exr", {"Z": np.zeros((64, 64), np.float32)})
        with pytest.raises(InputError, match="without a picture"):
            read_picture(tmp_path / "a.exr")

    @pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
    def test_cut_short(self, tmp_path, photo, share, capfd):
        self.write(tmp_path / "a.exr", {"RGB": light(photo / 255.0).astype(np.float32)})
        data = (tmp_path / "a.exr").read_bytes()
        (tmp_path / "a.exr").write_bytes(data[: int(len(data) * share)])
        with pytest.raises(InputError, match="damaged"):
            read_picture(tmp_path / "a.exr")
        assert capfd.readouterr() == ("", "")

    def test_weighed_before_it_is_decoded(self, tmp_path):
        """A few kilobytes that would unpack to 3 GB."""
        self.write(tmp_path / "a.exr", {"RGB": np.zeros((64, 64, 3), np.float32)})
        data = (tmp_path / "a.exr").read_bytes()
        window, large = np.array([0, 0, 63, 63], "<i4").tobytes(), np.array([0, 0, 15_999, 15_999], "<i4").tobytes()
        assert window in data
        (tmp_path / "a.exr").write_bytes(data.replace(window, large))
        with pytest.raises(InputError, match="too large: its 16000 × 16000 pixels"):
            read_picture(tmp_path / "a.exr")


class TestRadiance:
    def test_linear_light(self, tmp_path, photo):
        cv2.imwrite(str(tmp_path / "a.hdr"), light(photo[..., ::-1] / 255.0).astype(np.float32))
        close(shown(tmp_path / "a.hdr")[0], photo, 12)  # one exponent for three colours

    def test_cut_short_and_too_large(self, tmp_path, photo):
        cv2.imwrite(str(tmp_path / "a.hdr"), light(photo[..., ::-1] / 255.0).astype(np.float32))
        data = (tmp_path / "a.hdr").read_bytes()
        for broken, words in (
            (data[: len(data) // 2], "damaged"),
            (data.replace(b"-Y 120 +X 101", b"-Y 15000 +X 15000"), "too large"),
            (data.replace(b"-Y 120", b"-Q 120"), "not read"),
        ):
            (tmp_path / "a.hdr").write_bytes(broken)
            with pytest.raises(InputError, match=words):
                read_picture(tmp_path / "a.hdr")


def test_rec_709_needs_no_matrix():
    assert scene_linear.to_rec_709(scene_linear.REC_709) is None
