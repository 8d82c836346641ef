"""Writes recordings that Blender would not play as they are heard; run by the backend's Python, which has FFmpeg.

    python odd_recordings.py KIND OUT HEARD.npy

`HEARD.npy` receives the (n,) samples at 16 kHz that the recording should sound like.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
import soxr
from media import encode_film, encode_sound
from project import ASSETS


def main(kind: str, out: Path, heard: Path) -> None:
    samples, rate = soundfile.read(ASSETS / "speech.flac", dtype="float32")
    speech = soxr.resample(samples, rate, 16_000)[: 2 * 16_000]
    expected = speech
    if kind == "late":
        pictures = [np.full((64, 64, 3), 90, np.uint8)] * 75
        encode_film(out, pictures, [Fraction(i, 25) for i in range(75)], speech, delay=1.0)
        expected = np.concatenate([np.zeros(16_000, np.float32), speech])
    elif kind == "chained":
        parts = [encode_sound(out, speech, "flac", rate).read_bytes() for rate in (22_050, 44_100)]
        out.write_bytes(b"".join(parts))
        expected = np.concatenate([speech, speech])
    elif kind == "crashed":
        soundfile.write(out, speech, 16_000, format="WAV", subtype="PCM_16")
        data = bytearray(out.read_bytes())
        data[4:8] = data[40:44] = bytes(4)
        out.write_bytes(data)
    elif kind == "integers":
        soundfile.write(out, np.round(speech * 2**23), 16_000, format="WAV", subtype="FLOAT")
    else:
        encode_sound(out, speech, {"mp3": "libmp3lame", "m4a": "aac"}[kind], 44_100)
    np.save(heard, expected)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
