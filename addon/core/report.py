"""A report of a problem as one text: headed sections of facts, and the ends of log files. No bpy here."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

_TAIL = 24_000  # bytes of each log
_LOGS = 12  # of a folder, the newest


def compose(sections: Mapping[str, Mapping[str, object] | str], scrub: Callable[[str], str]) -> str:
    """The report's text.

    Args:
        sections: facts by name, or a text, by heading.
        scrub: takes out what is private; everything goes through it.
    """
    lines = []
    for heading, content in sections.items():
        lines += ["", heading, "-" * len(heading)]
        if isinstance(content, str):
            lines.append(content.strip() or "(empty)")
        else:
            lines += [f"{name}: {value}" for name, value in content.items()]
    return scrub("\n".join(["MakeItTalk report", "=" * 17, *lines, ""]))


def log_tails(folders: list[Path]) -> dict[str, str]:
    """The ends of the newest log files of some folders, by "Log " and the file's name."""
    found: dict[Path, float] = {}
    for folder in folders:
        try:
            found |= {path: path.stat().st_mtime for path in folder.glob("*.log") if path.is_file()}
        except OSError:
            continue
    newest = sorted(found, key=lambda path: found[path], reverse=True)[:_LOGS]
    return {f"Log {path.name}": tail(path) for path in newest}


def tail(path: Path, size: int = _TAIL) -> str:
    """The last whole lines of a file, at most `size` bytes; why there are none where it cannot be read."""
    try:
        with open(path, "rb") as stream:
            length = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, length - size))
            text = stream.read(size).decode("utf-8", "replace")
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return text if length <= size else text.partition("\n")[2]
