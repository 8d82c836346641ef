"""The list of suffixes that the add-on knows against what the readers here say they read."""

from __future__ import annotations

import pillow_heif
from makeittalk.exchange import suffixes
from makeittalk.images import decoding
from PIL import Image


def test_portraits_are_all_that_is_read():
    pillow_heif.register_heif_opener()
    Image.init()
    named = {suffix for suffix, kind in Image.registered_extensions().items() if kind in decoding._FORMATS}
    assert set(suffixes.PORTRAIT) == named | {".exr", ".hdr"}


def test_no_file_is_both():
    assert not set(suffixes.PORTRAIT) & set(suffixes.SPEECH)
    assert suffixes.is_portrait("Zoë.JPG") and not suffixes.is_portrait("zoe.wav")
    assert suffixes.is_speech("take 1.MP4") and not suffixes.is_speech("face.png")
