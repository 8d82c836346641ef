"""What is heard or shown from one time to another: a phone, a word, a mouth shape. Standard library only."""

from __future__ import annotations

from typing import NamedTuple

#: Mouth shapes as Rhubarb Lip Sync names them: `animation/mouth_shapes.py` says what they look like.
SHAPES = "ABCDEFGHX"
EXTENDED = "GHX"  # those that an artist may leave out
#: What is shown instead of a shape that nobody has drawn.
INSTEAD = {"G": "A", "H": "C", "X": "A"}
#: The same shapes by the names of Preston Blair's chart, which OpenToonz and Moho's own switches have.
PRESTON_BLAIR = dict(zip(SHAPES, ("MBP", "etc", "E", "AI", "O", "U", "FV", "L", "rest"), strict=True))
SILENCE = "SIL"


class Cue(NamedTuple):
    """One of them.

    Attributes:
        start, end: seconds of the recording. name: a phone in ARPAbet (SIL for silence), a word, or a mouth shape.
    """

    start: float
    end: float
    name: str


def closed_shape(extended: str = EXTENDED) -> str:
    """The shape of a mouth at rest, where those of G, H and X are drawn that `extended` holds."""
    return "X" if "X" in extended else INSTEAD["X"]
