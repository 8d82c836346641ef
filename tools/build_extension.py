"""Builds and validates the extension: `python tools/build_extension.py [FOLDER]` writes FOLDER/makeittalk-VERSION.zip.

The building and the checking are Blender's own command-line tool's, which the bpy module brings; no Blender
executable is needed. Standard library only.
"""

from __future__ import annotations

import importlib.util
import re
import runpy
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: What the zip must hold to work, and all that it may hold at its top.
REQUIRED = (
    "blender_manifest.toml",
    "__init__.py",
    "LICENSE",
    "addon/__init__.py",
    "addon/write_blend.py",
    "backend/serve.py",
    "backend/wheels.py",
    "backend/makeittalk/exchange/protocol.py",
    "backend/makeittalk/jobs/server.py",
    "backend/makeittalk/weights/SHA256SUMS",
)
WEIGHTS = "backend/makeittalk/weights"
TOP = {"blender_manifest.toml", "__init__.py", "LICENSE", "README.md", "addon", "backend", "shaders"}


class BuildError(Exception):
    """The extension cannot be built; the text says why."""


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if arguments else ROOT / "dist"
    try:
        archive = build(folder)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{archive} ({archive.stat().st_size / 2**20:.1f} MiB)")
    return 0


def build(folder: Path) -> Path:
    """Builds the zip into `folder` and returns its path.

    Raises:
        BuildError: the versions differ, or Blender's tool or this one finds fault.
    """
    version = check_version()
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"makeittalk-{version}.zip"
    archive.unlink(missing_ok=True)
    blender_ext("build", "--source-dir", str(ROOT), "--output-filepath", str(archive))
    blender_ext("validate", str(archive))
    check_contents(archive)
    return archive


def check_version() -> str:
    """The version, which the manifest has to repeat.

    Raises:
        BuildError: it does not.
    """
    version = runpy.run_path(str(ROOT / "backend" / "makeittalk" / "exchange" / "version.py"))["VERSION"]
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    if manifest["version"] != version:
        raise BuildError(
            f"blender_manifest.toml says {manifest['version']}, backend/makeittalk/exchange/version.py {version}."
        )
    return version


def check_contents(archive: Path) -> None:
    """Sees to it that everything needed is in the zip and nothing else.

    Raises:
        BuildError: something is missing, or does not belong there.
    """
    with zipfile.ZipFile(archive) as bundle:
        names = bundle.namelist()
    missing = [name for name in (*REQUIRED, *weight_files()) if name not in names]
    if missing:
        raise BuildError(f"The zip lacks {', '.join(missing)}.")
    strangers = sorted({name.split("/")[0] for name in names} - TOP)
    # Training and measuring stay at home, and whatever else may lie beside the package.
    strangers += [name for name in names if re.match(r"backend/(?!serve\.py$|wheels\.py$|makeittalk/|$)", name)]
    strangers += [
        name for name in names if re.search(r"(^|/)(__pycache__|\.[^/]*|[^/]*\.(pyc|blend1?|log))(/|$)", name)
    ]
    if strangers:
        raise BuildError(f"The zip holds what does not belong there: {', '.join(strangers[:5])}.")


def weight_files() -> list[str]:
    """The listed weights, and the licences of those that others made, as the zip names them."""
    folder = ROOT / WEIGHTS
    listed = [line.split("  ", 1)[1] for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()]
    return [f"{WEIGHTS}/{name}" for name in (*listed, *(path.name for path in folder.glob("LICENSE.*")))]


def blender_ext(*arguments: str) -> None:
    """Runs Blender's extension tool.

    Raises:
        BuildError: there is none, or it finds fault.
    """
    spec = importlib.util.find_spec("bpy")
    found = []
    if spec is not None and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0])
        found = sorted(folder.glob("[0-9]*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))
    if not found:
        raise BuildError("Blender's extension tool comes with the bpy module: pip install bpy==4.5.15.")
    done = subprocess.run([sys.executable, str(found[-1]), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise BuildError((done.stderr + done.stdout).strip())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
