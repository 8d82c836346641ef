"""Readers of pictures, of recordings and of films, each of every format that is read."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import media
import numpy as np
import OpenEXR
import pillow_heif
import soundfile
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.errors import MakeItTalkError
from makeittalk.images.portrait import read_later_pictures, read_picture
from makeittalk.landmarks.film import film_frames
from makeittalk.landmarks.tracking import track_video
from PIL import Image
from project import ASSETS
from reader import Reader

TYPED = (MakeItTalkError,)
_SIDE = 48  # px
_PICTURES = 350  # inputs of a format
_SOUNDS = 320
_FILMS = 320


def _pixels(mode: str) -> Image.Image:
    y, x = np.mgrid[0:_SIDE, 0:_SIDE]
    rgba = np.dstack([x * 5, y * 5, (x + y) * 2, 255 - x]).astype(np.uint8)
    image = Image.fromarray(rgba, "RGBA")
    if mode == "I;16":
        return Image.fromarray((x * 1200 + y).astype(np.uint16))
    return image if mode == "RGBA" else image.convert("RGB").convert(mode)


def _pillow(form: str, suffix: str, *variants: tuple[str, dict[str, object]]) -> Callable[[Path], dict[str, bytes]]:
    """Pictures as Pillow writes them, one for each mode and its options."""

    def made(_folder: Path) -> dict[str, bytes]:
        found = {}
        for number, (mode, options) in enumerate(variants):
            out = io.BytesIO()
            _pixels(mode).save(out, form, **options)
            found[f"{number}{suffix}"] = out.getvalue()
        return found

    return made


def _several(form: str, suffix: str, count: int = 3) -> Callable[[Path], dict[str, bytes]]:
    """A file of several pictures."""

    def made(_folder: Path) -> dict[str, bytes]:
        out, first = io.BytesIO(), _pixels("RGB")
        later = [first.rotate(90 * turn) for turn in range(1, count)]
        first.save(out, form, save_all=True, append_images=later)
        return {f"several{suffix}": out.getvalue()}

    return made


def _heif(_folder: Path) -> dict[str, bytes]:
    out = io.BytesIO()
    pillow_heif.from_pillow(_pixels("RGB")).save(out, quality=60)
    return {"picture.heic": out.getvalue()}


def _exr(folder: Path) -> dict[str, bytes]:
    rgb = np.random.default_rng(1).random((_SIDE, _SIDE, 3)).astype(np.float32)
    found = {}
    for name, kind in (("half.exr", np.float16), ("float.exr", np.float32)):
        with OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION}, {"RGB": rgb.astype(kind)}) as file:
            file.write(str(folder / name))
        found[name] = (folder / name).read_bytes()
    return found


def _hdr(_folder: Path) -> dict[str, bytes]:
    """Radiance, with runs and without."""
    rgbe = np.full((_SIDE, _SIDE, 4), 128, np.uint8)
    head = f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\nEXPOSURE=1.0\n\n-Y {_SIDE} +X {_SIDE}\n".encode()
    row = struct.pack(">BBH", 2, 2, _SIDE) + bytes((128 + _SIDE, 128)) * 4
    return {"flat.hdr": head + rgbe.tobytes(), "runs.hdr": head + row * _SIDE}


def _psd(_folder: Path) -> dict[str, bytes]:
    """The merged picture of an empty Photoshop file, which is what is read of it."""
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, _SIDE, _SIDE, 8, 3) + bytes(12)
    return {"picture.psd": head + b"\0\0" + np.asarray(_pixels("RGB")).transpose(2, 0, 1).tobytes()}


def _deep_tiff(folder: Path) -> dict[str, bytes]:
    """TIFF as scanners and renderers write it, which is read without Pillow."""
    found = {}
    for name, kind, mode in (("deep16.tiff", "<H", 16), ("float.tiff", "<f", 32)):
        rgb = np.random.default_rng(2).random((_SIDE, _SIDE, 3))
        data = (rgb * (65535 if mode == 16 else 1)).astype(kind[0] + ("u2" if mode == 16 else "f4")).tobytes()
        tags = [(256, 3, 1, _SIDE), (257, 3, 1, _SIDE), (259, 3, 1, 1), (262, 3, 1, 2), (277, 3, 1, 3)]
        tags += [(278, 3, 1, _SIDE), (284, 3, 1, 1), (279, 4, 1, len(data))]
        end = 8 + 2 + 12 * (len(tags) + 3) + 4
        tags += [(258, 3, 3, end), (339, 3, 3, end + 6), (273, 4, 1, end + 12)]
        out = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(tags))
        out += b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags)) + bytes(4)
        out += struct.pack("<3H", *[mode] * 3) + struct.pack("<3H", *[1 if mode == 16 else 3] * 3) + data
        found[name] = out
    return found


def _picture(path: Path) -> object:
    image, notices = read_picture(path)
    return np.asarray(image), notices


def _all_pictures(path: Path) -> object:
    read_picture(path)
    return [later.number for later in read_later_pictures(path)]


def _speech() -> np.ndarray:
    samples, rate = soundfile.read(ASSETS / "speech.flac", dtype="float32")
    return samples[rate // 2 :][: rate // 3]


def _lossless(form: str, suffix: str, *subtypes: str) -> Callable[[Path], dict[str, bytes]]:
    def made(folder: Path) -> dict[str, bytes]:
        found = {}
        for subtype in subtypes:
            name = f"{subtype.lower()}{suffix}"
            soundfile.write(folder / name, _speech(), 16000, subtype, format=form)
            found[name] = (folder / name).read_bytes()
        return found

    return made


def _encoded(suffix: str, codec: str, rate: int = 48000, layout: str = "mono") -> Callable[[Path], dict[str, bytes]]:
    def made(folder: Path) -> dict[str, bytes]:
        path = folder / f"speech{suffix}"
        media.encode_sound(path, _speech(), codec, rate, layout, codec_options={"b": "64000"})
        return {path.name: path.read_bytes()}

    return made


def _wav(folder: Path) -> dict[str, bytes]:
    found = _lossless("WAV", ".wav", "PCM_16", "PCM_24", "FLOAT", "ULAW", "MS_ADPCM")(folder)
    with wave.open(str(folder / "stereo.wav"), "wb") as stream:
        stream.setnchannels(2)
        stream.setsampwidth(2)
        stream.setframerate(44100)
        stream.writeframes(bytes(4 * 9000))
    return found | {"stereo.wav": (folder / "stereo.wav").read_bytes()}


def _film(suffix: str, codec: str, sound: str, form: str = "yuv420p") -> Callable[[Path], dict[str, bytes]]:
    def made(folder: Path) -> dict[str, bytes]:
        path = folder / f"film{suffix}"
        with av.open(str(path), "w") as container:
            video = container.add_stream(codec, rate=25)
            video.width = video.height = 64
            video.pix_fmt = form
            track = container.add_stream(sound, rate=48000, layout="mono")
            for number in range(8):
                rgb = np.asarray(_pixels("RGB").resize((64, 64)).rotate(10 * number))
                container.mux(video.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")))
            container.mux(video.encode(None))
            media._mux_sound(container, track, _speech(), 48000, "mono")
        return {path.name: path.read_bytes()}

    return made


def _frames(path: Path) -> object:
    return [frame.time for frame in film_frames(path)]


def _face_film(folder: Path) -> dict[str, bytes]:
    """A film of a face, short and small."""
    face = Image.open(ASSETS / "portrait_photo.jpg").convert("RGB").resize((160, 160))
    frames = [np.asarray(face)] * 4
    media.encode_film(folder / "face.mp4", frames, [Fraction(number, 25) for number in range(4)], _speech())
    return {"face.mp4": (folder / "face.mp4").read_bytes()}


Samples = Callable[[Path], dict[str, bytes]]


def _reader(name: str, samples: Samples, read: Callable[[Path], object], count: int) -> Reader:
    return Reader(name, samples, read, TYPED, count=count)


_STILL = {
    "png": _pillow("PNG", ".png", *((mode, {}) for mode in ("RGB", "RGBA", "L", "P", "I;16", "1"))),
    "jpeg": _pillow("JPEG", ".jpg", ("RGB", {}), ("L", {}), ("CMYK", {}), ("RGB", {"progressive": True})),
    "webp": _pillow("WEBP", ".webp", ("RGB", {}), ("RGBA", {"lossless": True})),
    "tiff": _pillow(
        *("TIFF", ".tiff", ("RGB", {}), ("RGBA", {"compression": "tiff_lzw"})),
        *(("I;16", {}), ("RGB", {"compression": "jpeg"})),
    ),
    "deep tiff": _deep_tiff,
    "bmp": _pillow("BMP", ".bmp", ("RGB", {}), ("P", {}), ("1", {})),
    "gif": _pillow("GIF", ".gif", ("P", {}), ("L", {"interlace": 1})),
    "avif": _pillow("AVIF", ".avif", ("RGB", {}), ("RGBA", {"quality": 40})),
    "heif": _heif,
    "jpeg 2000": _pillow("JPEG2000", ".jp2", ("RGB", {}), ("RGBA", {"no_jp2": True})),
    "psd": _psd,
    "ppm": _pillow("PPM", ".ppm", ("RGB", {}), ("L", {}), ("1", {})),
    "tga": _pillow("TGA", ".tga", ("RGB", {}), ("RGBA", {"compression": "tga_rle"}), ("P", {})),
    "exr": _exr,
    "hdr": _hdr,
}
_MOVING = {
    "apng": _several("PNG", ".png"),
    "animated gif": _several("GIF", ".gif"),
    "animated webp": _several("WEBP", ".webp"),
    "pages": _several("TIFF", ".tiff"),
    "mpo": _several("MPO", ".mpo"),
}
_RECORDINGS = {
    "wav": _wav,
    "flac": _lossless("FLAC", ".flac", "PCM_16", "PCM_24"),
    "aiff": _lossless("AIFF", ".aiff", "PCM_16", "FLOAT"),
    "au": _lossless("AU", ".au", "PCM_16"),
    "caf": _lossless("CAF", ".caf", "PCM_16", "ALAC_16"),
    "w64": _lossless("W64", ".w64", "PCM_16"),
    "rf64": _lossless("RF64", ".rf64", "PCM_16"),
    "ogg": _lossless("OGG", ".ogg", "VORBIS", "OPUS"),
    "mp3": _encoded(".mp3", "libmp3lame", 44100),
    "aac": _encoded(".aac", "aac"),
    "m4a": _encoded(".m4a", "aac", 44100, "stereo"),
    "webm sound": _encoded(".webm", "libopus"),
    "wma": _encoded(".wma", "wmav2", 44100),
    "ac3": _encoded(".ac3", "ac3"),
    "mka": _encoded(".mka", "flac", 16000),
}
_CONTAINERS = {
    "mp4": _film(".mp4", "libx264", "aac"),
    "mov": _film(".mov", "mpeg4", "pcm_s16le"),
    "mkv": _film(".mkv", "libx264", "libopus"),
    "webm": _film(".webm", "libvpx", "libopus"),
    "avi": _film(".avi", "mpeg4", "libmp3lame"),
    "mpegts": _film(".ts", "mpeg2video", "mp2"),
}
READERS = (
    *(_reader(f"picture {name}", samples, _picture, _PICTURES) for name, samples in _STILL.items()),
    *(_reader(f"pictures {name}", samples, _all_pictures, _PICTURES) for name, samples in _MOVING.items()),
    *(_reader(f"sound {name}", samples, load_audio, _SOUNDS) for name, samples in _RECORDINGS.items()),
    *(_reader(f"film {name}", samples, _frames, _FILMS) for name, samples in _CONTAINERS.items()),
    *(_reader(f"sound of film {name}", samples, load_audio, _FILMS) for name, samples in _CONTAINERS.items()),
    _reader("track", _face_film, lambda path: track_video(path), 60),
)
