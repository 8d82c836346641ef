"""Mouth shapes as the files that Rhubarb Lip Sync writes, for every tool that reads those. Standard library only.

Source: github.com/DanielSWolf/rhubarb-lip-sync, README, "Output formats" and "--datFrameRate". Times are seconds with
two decimals, cut off, not rounded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from xml.sax.saxutils import escape

from .cues import PRESTON_BLAIR, Cue
from .errors import InputError

#: Frames/s of a .dat file: with fewer, whole shapes fall out; there are no more times than hundredths of a second.
LOWEST_RATE, HIGHEST_RATE = 12, 100
USUAL_RATE = Fraction(24)
_PER_SECOND = 100  # steps of time
_ROUNDING = 1e-6  # steps: a time that floats leave a hair below its step is that step


@dataclass(frozen=True)
class VisemeTrack:
    """The mouth shapes of a recording, and what a file says besides.

    Attributes:
        cues: without a gap from 0 to the end. seconds: length of the recording. sound: its full path.
        closed: the shape that ends the files which have no other end.
        rate: frames/s of a .dat file. preston_blair: whether a .dat file has Preston Blair's names.
    """

    cues: Sequence[Cue]
    seconds: float
    sound: str
    closed: str = "X"
    rate: Fraction = USUAL_RATE
    preston_blair: bool = False


def check_dat_rate(rate: Fraction) -> None:
    """Sees to it that a .dat file can have a rate, frames/s.

    Raises:
        InputError: it cannot.
    """
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise InputError(
            f"A .dat file cannot have {float(rate):g} frames a second.",
            f"Use {LOWEST_RATE} to {HIGHEST_RATE}, or another format.",
        )


def tsv(track: VisemeTrack) -> str:
    """Lines of time and shape, parted by a tab; the last one is the end of the recording, with a closed mouth."""
    lines = [(cue.start, cue.name) for cue in track.cues] + [(track.seconds, track.closed)]
    return "".join(f"{_seconds(time)}\t{name}\n" for time, name in lines)


def xml(track: VisemeTrack) -> str:
    """An element `mouthCue` a shape, behind the path and the length of the recording."""
    cues = [
        f'    <mouthCue start="{_seconds(start)}" end="{_seconds(end)}">{name}</mouthCue>'
        for start, end, name in track.cues
    ]
    # XML has no way to write a control character.
    sound = "".join(letter if letter.isprintable() else "\ufffd" for letter in _readable(track.sound))
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        "<rhubarbResult>",
        "  <metadata>",
        f"    <soundFile>{escape(sound)}</soundFile>",
        f"    <duration>{_seconds(track.seconds)}</duration>",
        "  </metadata>",
        "  <mouthCues>",
        *cues,
        "  </mouthCues>",
        "</rhubarbResult>",
    ]
    return "\n".join([*lines, ""])


def json_text(track: VisemeTrack) -> str:
    """An object a shape, behind the path and the length of the recording."""
    cues = ",\n".join(
        f'    {{ "start": {_seconds(start)}, "end": {_seconds(end)}, "value": "{name}" }}'
        for start, end, name in track.cues
    )
    return (
        "{\n"
        '  "metadata": {\n'
        f'    "soundFile": {json.dumps(_readable(track.sound))},\n'
        f'    "duration": {_seconds(track.seconds)}\n'
        "  },\n"
        f'  "mouthCues": [\n{cues}\n  ]\n'
        "}\n"
    )


def dat(track: VisemeTrack) -> str:
    """A switch of Moho's (and OpenToonz'): lines of frame and shape, from frame 1, a closed mouth at the end.

    Raises:
        InputError: its rate is impossible.
    """
    check_dat_rate(track.rate)
    names = PRESTON_BLAIR if track.preston_blair else {}
    shown: dict[int, str] = {}
    for start, _, name in track.cues:
        shown.setdefault(_frame(start, track.rate), name)  # of two shapes in one frame the first
    end = _frame(track.seconds, track.rate)
    shown[end + 1 if end in shown else end] = track.closed
    return "".join(["MohoSwitch1\n", *(f"{frame} {names.get(name, name)}\n" for frame, name in shown.items())])


#: What writes a file, by its suffix.
WRITERS: dict[str, Callable[[VisemeTrack], str]] = {".tsv": tsv, ".xml": xml, ".json": json_text, ".dat": dat}


def _step(time: float) -> int:
    return int(time * _PER_SECOND + _ROUNDING)


def _seconds(time: float) -> str:
    return f"{_step(time) // _PER_SECOND}.{_step(time) % _PER_SECOND:02d}"


def _frame(time: float, rate: Fraction) -> int:
    """The frame, counted from 1, that is shown at a time."""
    return 1 + int(rate * Fraction(_step(time), _PER_SECOND))


def _readable(path: str) -> str:
    """A path without the halves of letters that stand for bytes which are no UTF-8."""
    return path.encode("utf-8", "replace").decode("utf-8")
