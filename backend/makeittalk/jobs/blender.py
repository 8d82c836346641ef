"""Writes a .blend in a Blender process: the bpy module beside this Python, or a Blender executable."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

from ..exchange import temporary
from ..exchange.errors import MissingError, OutputError

ROOT = Path(__file__).resolve().parents[3]
WRITER = ROOT / "addon" / "write_blend.py"
_TIMEOUT = 600.0  # s


def blender_command(executable: str = "") -> list[str]:
    """What runs a script in Blender, up to the script's arguments.

    Args:
        executable: a Blender; by default the bpy module beside this Python, else the `blender` of the PATH.

    Raises:
        MissingError: there is neither.
    """
    if not WRITER.is_file():
        raise MissingError("The add-on's files are not beside the backend.", "Install the whole project.")
    if executable:
        if not Path(executable).is_file():
            raise MissingError(f"There is no Blender at {executable}.", "Check --blender.")
    elif importlib.util.find_spec("bpy") is not None:
        return [sys.executable, "-I", str(WRITER)]
    else:
        executable = shutil.which("blender") or ""
        if not executable:
            raise MissingError(
                "A .blend needs Blender, and neither its bpy module nor a blender on the PATH is there.",
                "Install Blender, or name it with --blender.",
            )
    return [executable, "-b", "--factory-startup", "--python-exit-code", "9", "--python", str(WRITER), "--"]


def write_blend(
    folder: Path, output: Path, fps: Fraction, executable: str = "", **settings: str | float | Path
) -> None:
    """Builds the scene of a job's folder and saves it.

    Args:
        folder: holds portrait.png, face.json, mesh.npz, motion.npz and bake.npz.
        output: the .blend; it appears whole or not at all. fps: the scene's rate. executable: a Blender, or the bpy
            module beside this Python.
        settings: what the character remembers of its making, by the writer's options: audio, name, portrait, seed …

    Raises:
        MissingError: there is no Blender. OutputError: Blender could not write the file.
    """
    command = [
        *blender_command(executable),
        str(folder.absolute()),
        str(output.absolute()),
        f"--fps={fps}",
        "--end-with-input",
    ]
    for name, value in settings.items():
        command.append(f"--{name}={value.absolute() if isinstance(value, Path) else value}")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    read, write = os.pipe()  # nothing comes through it but its end, when this process ends: then Blender does too
    try:
        with temporary.folder() as scratch:  # Blender leaves a folder of its own
            done = subprocess.run(
                command,
                stdin=read,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TIMEOUT,
                env=environment | temporary.environment(scratch),
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OutputError(f"Blender did not write {output}: {error}.", "Check that Blender starts.") from error
    finally:
        os.close(read)
        os.close(write)
    if done.returncode == 0 and output.is_file():
        return
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if done.returncode == 2 and lines:
        raise OutputError(lines[-1])
    reason = lines[-1][:300] if lines else f"it ended with status {done.returncode}"
    raise OutputError(f"Blender did not write {output}: {reason}", "Check that Blender starts.")
