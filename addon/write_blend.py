"""Writes a .blend from a job's folder: the add-on's own scene code in a process that has Blender.

    python -I addon/write_blend.py FOLDER OUT.blend --audio SPEECH --fps 24        where the bpy module is installed
    blender -b --factory-startup --python addon/write_blend.py -- FOLDER OUT.blend …

FOLDER holds `face.json`, its portrait, `mesh.npz`, `motion.npz` and `bake.npz`. Exit status 0, or 2 with one
sentence on stderr when an input or the output is at fault.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any

_alone = threading.Event()  # nobody waits for the file any more
_PACKAGE = "makeittalk_extension"  # whatever the folder of the checkout is called


def main(arguments: list[str]) -> int:
    """Runs the command line and returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        import bpy
    except ImportError:
        print("This Python has no bpy. Install the bpy package, or name a Blender with --blender.", file=sys.stderr)
        return 2
    extension = _load_extension()
    if options.end_with_input:
        threading.Thread(target=_end_with_input, args=(options.output,), daemon=True).start()
    from makeittalk_extension.addon import compat  # type: ignore[import-not-found]
    from makeittalk_extension.backend.makeittalk.exchange.errors import (  # type: ignore[import-not-found]
        MakeItTalkError,
    )

    bpy.ops.wm.read_factory_settings(use_empty=True)
    extension.register()
    try:
        _build(options)
        _save(options.output)
        if options.audio is not None and not compat.plays_sound():
            print("This Blender was built without sound, so the speech is not in the .blend.", file=sys.stderr)
    except MakeItTalkError as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        extension.unregister()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="write_blend", description="Writes a talking character as a .blend file.")
    parser.add_argument("folder", type=Path, help="folder with face.json, mesh.npz, motion.npz and bake.npz")
    parser.add_argument("output", type=Path, help="the .blend to write")
    parser.add_argument("--audio", type=Path, help="the recording to play")
    parser.add_argument("--fps", default="24", help="the scene's rate, such as 24 or 30000/1001")
    parser.add_argument("--start", type=int, default=1, help="frame on which the speech begins")
    parser.add_argument("--name", default="Character", help="what the character is called")
    parser.add_argument("--portrait", default="", help="path of the picture it was made from, for the record")
    parser.add_argument("--style", default="auto", help="auto, cartoon or photo")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--voice", default="")
    parser.add_argument("--face", type=int, default=1, help="which of several faces of the picture, by size")
    parser.add_argument("--weights", default="", help="the imported set of weights it was predicted with")
    text = "end unfinished when standard input does, as it does when whoever started this is killed"
    parser.add_argument("--end-with-input", action="store_true", help=text)
    parser.add_argument("--every-frame", action="store_true", help="one key on every frame")
    for amount in ("lip", "head", "blink", "smooth", "gaze"):
        parser.add_argument(f"--{amount}", type=float, default=1.0)
    return parser


def _load_extension() -> ModuleType:
    """Loads the package that this file is part of, as Blender does: under a name that is not its folder's."""
    root = Path(__file__).resolve().parent.parent
    spec = importlib.util.spec_from_file_location(
        _PACKAGE, root / "__init__.py", submodule_search_locations=[str(root)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[_PACKAGE] = module
    spec.loader.exec_module(module)
    return module


def _end_with_input(output: Path) -> None:
    """Waits for the end of standard input, and then ends the process with nothing left of it."""
    from makeittalk_extension.backend.makeittalk.exchange import temporary  # type: ignore[import-not-found]

    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    _alone.set()
    temporary.remove_all()
    temporary.remove_beside(output.parent)
    # Blender's own folder lies in one of whoever started this, who cannot remove it any more.
    until = time.monotonic() + 1.0
    while Path(tempfile.gettempdir()).is_dir() and time.monotonic() < until:
        temporary.sweep(Path(tempfile.gettempdir()).parent)
        time.sleep(0.05)
    os._exit(3)


def _build(options: Any) -> None:
    import bpy
    from makeittalk_extension.addon.core import identities  # type: ignore[import-not-found]
    from makeittalk_extension.addon.scene import character  # type: ignore[import-not-found]
    from makeittalk_extension.backend.makeittalk.exchange.data_folder import (  # type: ignore[import-not-found]
        is_set_name,
    )
    from makeittalk_extension.backend.makeittalk.exchange.rates import (  # type: ignore[import-not-found]
        fps_and_base,
    )

    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = fps_and_base(options.fps)
    folder = options.folder
    kept = ("lip", "head", "blink", "smooth", "gaze", "style", "seed", "voice", "face")
    settings = {name: getattr(options, name) for name in kept}
    settings["portrait"] = options.portrait
    settings["speech"] = str(options.audio or "")
    settings["weights_set"] = options.weights if is_set_name(options.weights) else ""
    made = character.Made(
        name=options.name,
        face=folder / "face.json",
        mesh=folder / "mesh.npz",
        motion=folder / "motion.npz",
        bake=folder / "bake.npz",
        audio=options.audio,
        start=options.start,
        pack_sound=True,
        every_frame=options.every_frame,
        settings=settings,
    )
    # Equal runs write equal files: nothing in them is drawn by chance.
    with identities.following_from(
        path for path in (made.mesh, made.motion, made.bake, made.audio) if path is not None
    ):
        character.build(scene, made)


def _save(output: Path) -> None:
    """Saves beside the output and renames, so that an interrupted run leaves nothing half-written."""
    import bpy
    from makeittalk_extension.backend.makeittalk.exchange import storage  # type: ignore[import-not-found]
    from makeittalk_extension.backend.makeittalk.exchange.errors import (  # type: ignore[import-not-found]
        OutputError,
    )

    with storage.replacing(output) as temporary:
        temporary.unlink()  # Blender would keep the empty file as a backup
        try:
            bpy.ops.wm.save_as_mainfile(filepath=str(temporary), copy=True, compress=True, relative_remap=False)
            if not _whole(temporary):
                raise OutputError(
                    f"The disk is full, so {output} was not written.", "Free some space and run it again."
                )
            if _alone.wait(0.02):  # saving let no other thread work
                raise OutputError(f"{output} was not written: the program that asked for it is gone.")
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1].removeprefix("Error: ")
            raise OutputError(
                f"{output} could not be written: {reason}", "Free some space or name another file."
            ) from error
        finally:
            for left in temporary.parent.glob(f"{temporary.name}?*"):  # Blender writes to NAME@ first
                with contextlib.suppress(OSError):
                    left.unlink()


def _whole(path: Path) -> bool:
    """Whether a compressed .blend was written to its end: Blender does not notice a disk that fills up meanwhile."""
    with open(path, "rb") as stream:
        start = stream.read(4)
        if stream.seek(0, os.SEEK_END) < 8:
            return False
        stream.seek(-4, os.SEEK_END)
        return start == b"\x28\xb5\x2f\xfd" and stream.read(4) == b"\xb1\xea\x92\x8f"  # zstd, its seek table


if __name__ == "__main__":
    given = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    try:
        status = main(given)
    finally:  # a sentence for somebody who is gone is an error, too
        if _alone.is_set():
            time.sleep(5.0)  # the thread that has seen it removes what is left, and ends the process
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # inside Blender sys.exit does not reach the shell, and a module's bpy may stumble on its way out
