"""What can be chosen about a shot: the options of `makeittalk animate`, each with the reader of its values.

The command line makes its arguments of these, and lists of shots their columns. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .amounts import HIGHEST
from .constants import DETECTORS, DEVICES, LARGEST_INTEGER, LIP_FEATURES, STYLES
from .errors import InputError
from .rates import exact_rate

SUFFIXES = (".mp4", ".blend", ".npz", ".json", ".csv")  # of the files that a shot is written to
_YES, _NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")


@dataclass(frozen=True)
class ShotOption:
    """One thing that can be chosen.

    Attributes:
        name: as Python and lists write it; `--own-mouth` is `own_mouth`.
        read: makes its value of a text; raises ValueError with a sentence's end, such as "a seed is a whole number".
        default: what it is where nobody chooses. choices: the values there are, empty where there are more.
        column: whether lists of shots may choose it. A list may come from anywhere, so it names no program to run.
    """

    name: str
    read: Callable[[str], Any]
    default: Any = None
    choices: tuple[str, ...] = ()
    column: bool = True

    @property
    def flag(self) -> str:
        """As the command line writes it."""
        return f"--{self.name.replace('_', '-')}"

    def value(self, text: str) -> Any:
        """The value that a text stands for.

        Raises:
            ValueError: it is none, said in words.
        """
        if self.choices and text not in self.choices:
            raise ValueError(f"{self.name} is one of {', '.join(self.choices)}, not {text[:40]!r}")
        return self.read(text)


def amount(text: str) -> float:
    """How much of a part of the motion is shown, 1 as predicted."""
    value = _number(text, float, f"an amount is between 0 and {HIGHEST:g}")
    if not 0.0 <= value <= HIGHEST:  # also refuses nan
        raise ValueError(f"an amount is between 0 and {HIGHEST:g}, not {text[:40]}")
    return value


def seed(text: str) -> int:
    """A number that networks are seeded with."""
    value = _number(text, int, "a seed is a whole number from 0 on")
    if not 0 <= value <= LARGEST_INTEGER:
        raise ValueError(f"a seed is a whole number from 0 on, not {text[:40]}")
    return value


def count(text: str) -> int:
    """How many of something."""
    value = _number(text, int, "at least 1")
    if value < 1:
        raise ValueError(f"at least 1, not {text[:40]}")
    return value


def rate(text: str) -> str:
    """Frames a second, exact: "29.97" is "30000/1001"."""
    try:
        return str(exact_rate(text))
    except InputError as error:
        raise ValueError(error.message.rstrip(".")) from error


def switch(text: str) -> bool:
    """Yes or no."""
    if text.lower() not in (*_YES, *_NO):
        raise ValueError(f"yes or no, not {text[:40]!r}")
    return text.lower() in _YES


def _number(text: str, kind: Callable[[str], Any], what: str) -> Any:
    if len(text) > 40:  # int() of a million digits takes minutes
        raise ValueError(f"{what}, not {text[:40]}…")
    try:
        return kind(text)
    except ValueError as error:
        raise ValueError(f"{what}, not {text!r}") from error


OPTIONS: Mapping[str, ShotOption] = {
    option.name: option
    for option in (
        ShotOption("style", str, "auto", STYLES),
        ShotOption("fps", rate, "25"),
        ShotOption("lip", amount, 1.0),
        ShotOption("head", amount, 1.0),
        ShotOption("blink", amount, 1.0),
        ShotOption("smooth", amount, 1.0),
        ShotOption("gaze", amount, 1.0),
        ShotOption("landmarks", Path),
        ShotOption("blender", str, "", column=False),
        ShotOption("own_mouth", switch, True),
        ShotOption("detector", str, "auto", DETECTORS),
        ShotOption("face", count, 1),
        ShotOption("voice", Path),
        ShotOption("device", str, "auto", DEVICES),
        ShotOption("seed", seed, 0),
        ShotOption("features", str, LIP_FEATURES[0], LIP_FEATURES),
        ShotOption("weights", str),
    )
}


def all_options(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Every option: as chosen, else its default.

    Raises:
        KeyError: there is no such option.
    """
    for name in chosen:
        OPTIONS[name]
    return {name: chosen.get(name, option.default) for name, option in OPTIONS.items()}
