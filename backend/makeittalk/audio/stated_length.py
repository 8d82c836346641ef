"""How long a recording says it is: a length that its header states, never one that FFmpeg guesses from the bit rate."""

from __future__ import annotations

import re
from typing import Any

import av

# Formats whose header, or whose last page, counts the samples of each stream. Not among them: raw streams (AAC, AC-3,
# AMR, DTS …), whose length is a guess; uncompressed files, judged by their bytes.
_COUNTED = frozenset("mov mp4 m4a 3gp 3g2 mj2 flac ogg ape tta tak wv mpc mpc8".split())
_HEAD = 1 << 16  # bytes in which a header is looked for
_MOST_TAGS = 16
# How a frame of MPEG audio, layer III, begins.
_FRAME = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}  # Hz by version
_INFO, _DURATION = b"\x15\x49\xa9\x66", re.compile(rb"\x44\x89(?:\x84(.{4})|\x88(.{8}))", re.DOTALL)


def stated_length(container: Any, sound: Any, stream: Any) -> tuple[float, bool]:
    """The length that a container states.

    Args:
        container: opened by PyAV. sound: its stream of sound. stream: its bytes, whose position is kept.

    Returns:
        seconds, 0 where none are stated, and whether they are those of all streams together rather than of the sound.
    """
    names = set(container.format.name.split(","))
    if names & _COUNTED:
        return float(sound.duration * sound.time_base) if sound.duration else 0.0, False
    if "mp3" in names:
        return _mp3_length(_head(stream)), False
    if "matroska" in names and _matroska_has_duration(_head(stream)):
        return (container.duration or 0) / av.time_base, True
    return 0.0, False


def _head(stream: Any) -> bytes:
    """The beginning of a file, behind its ID3 tags."""
    position = stream.tell()
    offset = 0
    for _ in range(_MOST_TAGS):
        stream.seek(offset)
        tag = stream.read(10)
        if len(tag) < 10 or tag[:3] != b"ID3":
            break
        size = sum((byte & 0x7F) << shift for byte, shift in zip(tag[6:10], (21, 14, 7, 0), strict=True))
        offset += 10 + size + (10 if tag[5] & 0x10 else 0)
    stream.seek(offset)
    head = stream.read(_HEAD)
    stream.seek(position)
    return head


def _mp3_length(head: bytes) -> float:
    """The seconds of the frames that a Xing, Info or VBRI header in the first one counts, 0 without one."""
    first = _FRAME.search(head)
    if first is None:
        return 0.0
    frame = head[first.start() : first.start() + 64].ljust(64, b"\0")
    version, mono = frame[1] >> 3 & 3, frame[3] >> 6 == 3  # 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
    index = frame[2] >> 2 & 3
    offset = (21 if mono else 36) if version == 3 else (13 if mono else 21)
    count = 0
    if frame[offset : offset + 4] in (b"Xing", b"Info") and frame[offset + 7] & 1:
        count = int.from_bytes(frame[offset + 8 : offset + 12], "big")
    elif frame[36:40] == b"VBRI":
        count = int.from_bytes(frame[50:54], "big")
    return count * (1152 if version == 3 else 576) / _RATES[version][index] if index < 3 else 0.0


def _matroska_has_duration(head: bytes) -> bool:
    """Whether the segment's information holds a duration; a live recording's does not."""
    begin = head.find(_INFO)
    found = _DURATION.search(head, begin) if begin >= 0 else None
    return found is not None and any(found[1] or found[2])
