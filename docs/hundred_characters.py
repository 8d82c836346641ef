"""Makes a character of every line of a table, each in a .blend of its own, without a window.

    blender -b --python hundred_characters.py -- table.csv folder

A line of the table: a portrait, a recording, and if you like a name and a seed. A line that fails is said at the end
and leaves no file; one whose .blend is there already is left out, so that an interrupted run goes on where it was.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import bpy


def main(table: Path, folder: Path) -> int:
    """Returns how many lines failed."""
    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    with open(table, newline="", encoding="utf-8") as file:
        lines = [line for line in csv.reader(file) if line]
    for number, (portrait, speech, *more) in enumerate(lines, 1):
        name = more[0] if more else f"{number:03d}_{Path(portrait).stem}"
        output = folder / f"{name}.blend"
        if output.exists():
            continue
        try:
            make(table.parent / portrait, table.parent / speech, int(more[1]) if len(more) > 1 else number)
        except RuntimeError as error:  # what an operator says
            failed += 1
            print(f"{portrait}: {str(error).strip()}", file=sys.stderr)
            continue
        bpy.ops.wm.save_as_mainfile(filepath=str(output), compress=True)
        print(f"{number} of {len(lines)}: {output}")
    return failed


def make(portrait: Path, speech: Path, seed: int) -> None:
    """Puts a talking character into an empty scene.

    Raises:
        RuntimeError: the operator's own sentence.
    """
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=False)  # the backend goes on running
    settings = bpy.context.scene.makeittalk
    settings.portrait, settings.speech = str(portrait.resolve()), str(speech.resolve())
    settings.seed = seed
    bpy.ops.makeittalk.make_it_talk()


if __name__ == "__main__":
    arguments = sys.argv[sys.argv.index("--") + 1 :]
    sys.exit(main(Path(arguments[0]), Path(arguments[1])) > 0)
