"""`makeittalk detect`: the landmarks of a portrait, to look at or to correct."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..exchange import temporary
from . import arguments
from .command import Command
from .output import check_apart, check_file
from .terminal import progress_bar, tell


def add_arguments(parser: ArgumentParser) -> None:
    """A portrait, and the files to write."""
    parser.add_argument("portrait", type=Path)
    arguments.add_output(parser, "face.json to write; the prepared picture is put beside it")
    parser.add_argument("--overlay", type=Path, metavar="PNG", help="also draw the landmarks over the picture")
    arguments.add_detector(parser)


def run(options: Namespace) -> None:
    """Writes the landmarks, the picture they belong to, and the overlay if one is wanted."""
    check_file(options.output, (".json",))
    if options.overlay:
        check_file(options.overlay, (".png",))
    # The landmarks name their picture from where they lie, so a link is followed first.
    output = Path(os.path.realpath(options.output)) if options.output.is_symlink() else options.output
    picture = _prepared_picture(output, options.portrait)
    check_apart([output, picture, options.overlay], [options.portrait])
    from dataclasses import replace

    from ..exchange import storage
    from ..jobs import animate as pipeline
    from ..landmarks.overlay import draw_overlay

    with progress_bar() as progress, temporary.folder() as folder:
        found = pipeline.find_face(
            options.portrait, folder, detector=options.detector, face=options.face, progress=progress
        )
        storage.copy_file(found.face.image, picture)
        replace(found.face, image=picture.absolute()).save(output.absolute())
        if options.overlay:
            from PIL import Image

            with storage.replacing(options.overlay) as beside:
                Image.fromarray(draw_overlay(found.rgba[..., :3], found.face.landmarks)).save(beside)
        tell(found.notices)


def _prepared_picture(output: Path, portrait: Path) -> Path:
    """Where the prepared picture goes: beside the landmarks, and never over the user's own."""
    picture = output.with_name(f"{output.stem}.png")
    if picture.exists() and portrait.exists() and picture.samefile(portrait):
        return output.with_name(f"{output.stem}-prepared.png")
    return picture


COMMAND = Command("detect", "find the landmarks of a portrait", run, add_arguments)
