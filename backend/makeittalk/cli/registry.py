"""Which commands there are: those of this package, and those that installed packages add.

A package adds commands through the entry-point group `makeittalk.commands`; each entry names a `Command`. The
laboratory (training and measuring) does so and may be missing, as it is from the extension.
"""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass, field

from ..exchange.errors import MissingError
from . import animate, batch, detect, doctor, predict, render, serve, track, visemes, voice_convert, weights
from .command import Command

GROUP = "makeittalk.commands"
_OWN = (
    animate.COMMAND,
    batch.COMMAND,
    detect.COMMAND,
    predict.COMMAND,
    render.COMMAND,
    track.COMMAND,
    visemes.COMMAND,
    voice_convert.COMMAND,
    weights.COMMAND,
    serve.COMMAND,
    doctor.COMMAND,
)
_LABORATORY = ("evaluate", "prepare", "train")


@dataclass
class Registry:
    """The commands by their names, and for those that cannot be offered the sentence that says why.

    Attributes:
        commands: what can be used. absent: belongs to a package that is not installed. broken: is installed, and
            cannot be imported.
    """

    commands: dict[str, Command] = field(default_factory=dict)
    absent: dict[str, MissingError] = field(default_factory=dict)
    broken: dict[str, MissingError] = field(default_factory=dict)

    @classmethod
    def find(cls) -> Registry:
        """This package's commands, then those of the entry points; a name that is taken stays whose it was."""
        registry = cls({command.name: command for command in _OWN})
        for entry in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda entry: entry.name):
            if entry.name not in registry.commands:
                registry._load(entry)
        for name in _LABORATORY:
            if name not in registry.commands and name not in registry.broken:
                registry.absent[name] = MissingError(
                    f"The command {name} belongs to the laboratory, which is not installed.",
                    "Run `pip install --no-deps -e .` in a checkout of the project.",
                )
        return registry

    def _load(self, entry: importlib.metadata.EntryPoint) -> None:
        try:
            command = entry.load()
            if not isinstance(command, Command):
                raise TypeError(f"{entry.value} is no command")
        except Exception as error:  # whatever a foreign module raises must not stop the other commands
            missing = error.name if isinstance(error, ModuleNotFoundError) else None
            if missing != entry.module.partition(".")[0]:  # else: metadata of a package that is not there any more
                self.broken[entry.name] = MissingError(
                    f"The command {entry.name} cannot be loaded ({type(error).__name__}: {error}).",
                    "Install its package again.",
                )
        else:
            self.commands[entry.name] = command

    def check(self, name: str) -> None:
        """Sees to it that a name is not that of a command which cannot be offered.

        Raises:
            MissingError: its package is not installed, or broken.
        """
        error = self.absent.get(name) or self.broken.get(name)
        if error is not None:
            raise error
