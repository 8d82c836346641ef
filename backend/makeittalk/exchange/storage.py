"""Files from strangers are read with limits; results appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .constants import MAX_JSON_BYTES, MAX_NPZ_BYTES
from .errors import InputError, OutputError

_KINDS = frozenset("biufU")  # what an array may hold: no objects, no voids


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when the block ends well, and vanishes otherwise.

    The temporary name keeps the suffix, so that writers which look at it work as usual.

    Raises:
        OutputError: the folder is missing or closed to writing, or the disk is full.
    """
    target = Path(path)
    temporary: Path | None = None
    try:
        if target.is_dir():
            raise OutputError(f"{target} is a folder.", "Name a file to write.")
        # Short and fixed in length: a target near the file system's name limit must not fail for its stand-in.
        handle, name = tempfile.mkstemp(prefix=".mit-", suffix=target.suffix, dir=target.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        # mkstemp makes private files; a result gets the permissions that any new file gets.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, target)
        temporary = None
    except OSError as error:
        raise output_error(target, error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()


def output_error(path: str | os.PathLike[str], error: OSError) -> OutputError:
    """The sentence for an operating system's refusal to write `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutputError(f"The disk is full, so {path} was not written.", "Free some space and run it again.")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return OutputError(f"The folder of {path} does not exist.", "Make the folder or name another.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return OutputError(f"{path} may not be written.", "Choose a folder you can write to.")
    return OutputError(f"{path} could not be written: {error.strerror or error}.", "Name another file.")


def read_bytes(path: str | os.PathLike[str], limit: int) -> bytes:
    """The whole of a file of at most `limit` bytes.

    Raises:
        InputError: the file is missing, a folder, unreadable, empty or larger than the limit.
    """
    source = Path(path)
    check_file(source)
    try:
        with open(source, "rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise InputError(f"{source} cannot be read: {error.strerror or error}.", "Check the file.") from error
    if len(data) > limit:
        raise InputError(f"{source} is larger than {limit // 2**20} MiB.", "Choose another file.")
    return data


def check_file(path: str | os.PathLike[str]) -> None:
    """Sees to it that `path` is a regular file that holds something.

    Raises:
        InputError: it is missing, a folder or a device, or empty.
    """
    source = Path(path)
    try:
        exists, regular = source.exists(), source.is_file()
        size = source.stat().st_size if regular else 0
    except (OSError, ValueError) as error:
        raise InputError(f"{source} cannot be read: {error}.", "Check the path.") from error
    if not exists:
        raise InputError(f"{source} does not exist.", "Check the path.")
    if not regular:
        raise InputError(f"{source} is not a file.", "Name a file.")
    if size == 0:
        raise InputError(f"{source} is empty.", "Choose another file.")


def read_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The object in a small JSON file.

    Raises:
        InputError: it is no JSON object, too deep, or larger than `MAX_JSON_BYTES`.
    """
    data = read_bytes(path, MAX_JSON_BYTES)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid JSON.", "Make the file again.") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} does not hold a JSON object.", "Make the file again.")
    return value


def write_json(path: str | os.PathLike[str], value: dict[str, Any]) -> None:
    """Writes `value` beside `path` and renames it into place."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_npz(path: str | os.PathLike[str], limit: int = MAX_NPZ_BYTES) -> dict[str, np.ndarray]:
    """The arrays of an .npz file, read without pickle and only after every header was found harmless.

    Args:
        path: the file.
        limit: most bytes that all arrays together may take once unpacked.

    Raises:
        InputError: it is no .npz, damaged, too large unpacked, or holds anything but plain arrays.
    """
    check_file(path)
    arrays: dict[str, np.ndarray] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > 256 or sum(member.file_size for member in members) > limit:
                raise InputError(f"{path} is too large.", f"Its arrays may take {limit // 2**20} MiB at most.")
            for member in members:
                if not member.filename.endswith(".npy") or member.flag_bits & 1:
                    raise InputError(f"{path} is not a plain .npz file.", "Make the file again.")
                with archive.open(member) as stream:
                    raw = stream.read(member.file_size + 1)
                array = np.lib.format.read_array(  # numpy's stubs lack the last argument
                    io.BytesIO(raw),
                    allow_pickle=False,
                    max_header_size=4096,  # type: ignore[call-arg]
                )
                if array.dtype.kind not in _KINDS:
                    raise InputError(f"{path} holds something that is not an array of numbers.", "Make it again.")
                arrays[member.filename[:-4]] = array
    except InputError:
        raise
    except Exception as error:  # a hostile archive can make zipfile, zlib and numpy raise nearly anything
        raise InputError(f"{path} is not a readable .npz file.", "Make the file again.") from error
    return arrays


def write_npz(path: str | os.PathLike[str], arrays: dict[str, Any]) -> None:
    """Writes compressed arrays beside `path` and renames them into place."""
    # Packed in memory first: a zip file that meets a full disk complains again when it is collected.
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    with replacing(path) as temporary:
        temporary.write_bytes(stream.getbuffer())
