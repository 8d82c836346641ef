"""Builds a release: `python tools/build_release.py [FOLDER]` fills FOLDER (dist/release) with an extension repository.

Served from any web space, the folder is what Blender's *Add Remote Repository* takes: the zip, `index.json`, which
Blender's own tool makes, and `index.html`, whose link can be dropped into a window. Only the newest version lies in
it: Blender takes whatever a repository lists as its latest. Standard library only.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path

import build_extension
from build_extension import ROOT, BuildError, blender_ext

INDEX = "index.json"


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if arguments else ROOT / "dist" / "release"
    try:
        archive = release(folder)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{folder} holds {archive.name} ({archive.stat().st_size / 2**20:.1f} MiB) and {INDEX}.")
    return 0


def release(folder: Path) -> Path:
    """Builds the zip and the repository's list into `folder`, in the place of an older release, and returns the zip.

    Raises:
        BuildError: the extension cannot be built, or Blender's tool lists something else than this one zip.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        built = build_extension.build(Path(temporary))
        blender_ext("server-generate", "--repo-dir", temporary, "--html")
        check_index(Path(temporary), built)
        for old in (*folder.glob("makeittalk-*.zip"), *folder.glob("index.*")):
            old.unlink()
        # The list last: until it is there nobody looks for the zip.
        for name in (built.name, "index.html", INDEX):
            (Path(temporary) / name).rename(folder / name)
    return folder / built.name


def check_index(folder: Path, archive: Path) -> None:
    """Sees to it that a repository lists its one zip, by a link that holds wherever the folder is served.

    Raises:
        BuildError: it does not.
    """
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    expected = (f"./{archive.name}", f"sha256:{digest}", archive.stat().st_size, build_extension.check_version())
    try:
        listed = json.loads((folder / INDEX).read_text(encoding="utf-8"))["data"]
        found = [(item["archive_url"], item["archive_hash"], item["archive_size"], item["version"]) for item in listed]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BuildError(f"{INDEX} is no list of a repository ({error}).") from error
    if found != [expected]:
        raise BuildError(f"{INDEX} lists {found}, not {expected}.")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
