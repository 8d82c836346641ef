"""Readers of the tools that run where others have put files: the index of an extension repository."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import build_extension
import build_release
from reader import Reader


def _index(folder: Path) -> dict[str, bytes]:
    archive = folder / "makeittalk.zip"
    archive.write_bytes(b"PK")
    item = {
        **{"id": "makeittalk", "version": build_extension.check_version(), "archive_url": "./makeittalk.zip"},
        **{"archive_hash": f"sha256:{hashlib.sha256(b'PK').hexdigest()}", "archive_size": 2},
    }
    return {"index.json": json.dumps({"version": "v1", "blocklist": [], "data": [item]}).encode()}


def _check(path: Path) -> None:
    build_release.check_index(path.parent, path.parent / "makeittalk.zip")


READERS = (Reader("repository index", _index, _check, (build_extension.BuildError,), "json", 1000),)
