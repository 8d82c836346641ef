"""Files from strangers are read with limits; results appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import math
import os
import re
import shutil
import stat
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np

from . import bounded_json, temporary
from .constants import MAX_JSON_BYTES, MAX_NPZ_BYTES, MAX_TOML_BYTES
from .errors import InputError, OutputError

_KINDS = frozenset("biufU")  # what an array may hold: no objects, no voids
_BLOCK = 2**22  # bytes of a file that are read at once
_CHUNK = 2**20  # bytes that are unpacked at once
_LINE = re.compile(rb"[^\r\n]+")
_NO_DOTS = re.compile(r"[^.,=\[\]{}\n]+")
_DOTS = 65
_LONGEST_LINE = 2**16  # bytes of a line of JSON

_Value = TypeVar("_Value")


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when the block ends well, and vanishes otherwise.

    The temporary name keeps the suffix, so that writers which look at it work as usual, and what killed processes have
    left in the folder of such files is removed. Where `path` is a symbolic
    link, the file it leads to is replaced, and the link stays.

    Raises:
        OutputError: the folder is missing or closed to writing, the disk is full, or what is there already is a
            folder, a device, a pipe or a socket.
    """
    written: Path | None = None
    try:
        target = real_target(path)
        name = temporary.beside(target.parent, target.suffix)
        # Opened as any new file is, so that the result has the permissions that any new file gets.
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        written = name
        yield written
        os.replace(written, target)
        written = None
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        if written is not None:
            with contextlib.suppress(OSError):
                written.unlink()


def remove_leftovers(folder: str | os.PathLike[str]) -> None:
    """Removes the temporary files of `replacing` that processes left which were killed; nobody else may write there."""
    for leftover in Path(folder).glob(f"{temporary.BESIDE}*"):
        with contextlib.suppress(OSError):
            leftover.unlink()


def real_target(path: str | os.PathLike[str]) -> Path:
    """Where a file called `path` is really written, behind symbolic links.

    Raises:
        OutputError: something is there that is no regular file. OSError: nothing can be there.
    """
    try:
        mode: int | None = os.stat(path).st_mode
    except FileNotFoundError:
        mode = None
    except ValueError as error:
        raise OutputError(f"{os.fspath(path)!r} cannot be a file's name.", "Name another file.") from error
    if mode is not None and stat.S_ISDIR(mode):
        raise OutputError(f"{path} is a folder.", "Name a file to write.")
    if mode is not None and not stat.S_ISREG(mode):
        raise OutputError(f"{path} is a device, a pipe or a socket.", "Name a file to write.")
    return Path(os.path.realpath(path)) if os.path.islink(path) else Path(path)


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


def blocks(path: str | os.PathLike[str]) -> Iterator[bytes]:
    """The content of a file of any size, a block at a time.

    Raises:
        InputError: the file is missing, a folder, unreadable or empty.
    """
    check_file(path)
    try:
        with open(path, "rb") as stream:
            while block := stream.read(_BLOCK):
                yield block
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the file.") from error


def sha256(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file of any size, in hexadecimal digits.

    Raises:
        InputError: as `blocks`.
    """
    digest = hashlib.sha256()
    for block in blocks(path):
        digest.update(block)
    return digest.hexdigest()


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
        InputError: it is no JSON object, too deep, larger than `MAX_JSON_BYTES`, or holds infinities.
    """
    data = read_bytes(path, MAX_JSON_BYTES)
    try:
        value = bounded_json.loads(data)
    except ValueError as error:
        raise InputError(f"{path} is not valid JSON.", "Make the file again.") from error
    if not bounded_json.is_finite(value):
        raise InputError(f"{path} holds a number that is none.", "Make the file again.")
    if not isinstance(value, dict):
        raise InputError(f"{path} does not hold a JSON object.", "Make the file again.")
    return value


def read_text(path: str | os.PathLike[str], limit: int) -> str:
    """The text in a UTF-8 file of at most `limit` bytes, with or without a byte-order mark.

    Raises:
        InputError: as `read_bytes`, or it is no text.
    """
    try:
        return read_bytes(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text in UTF-8.", "Save it as UTF-8.") from error


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The tables of a small TOML file.

    Raises:
        InputError: it is no TOML, too deep, or larger than `MAX_TOML_BYTES`.
    """
    text = read_text(path, MAX_TOML_BYTES)
    try:
        if "." * _DOTS in _NO_DOTS.sub("", text):  # tomllib's time grows with the square of a key's parts
            raise ValueError("a key has too many parts")
        return bounded_json.check_depth(tomllib.loads(text))
    except (ValueError, RecursionError) as error:  # a number of too many digits is a ValueError, too
        raise InputError(f"{path} is not valid TOML: {error}.", "Correct the file.") from error


def json_lines(
    path: str | os.PathLike[str], convert: Callable[[Any], _Value], limit: int, most: int = 2**20, spoiled: int = 1000
) -> Iterator[_Value]:
    """What the lines of a file of JSON hold, those left out that a killed writer has spoiled.

    Args:
        path: the file. convert: makes of a line's value what is wanted; KeyError, TypeError, ValueError and
            OverflowError say that it is none.
        limit: most bytes of the file. most: lines that hold something. spoiled: lines of them that hold nothing wanted.

    Raises:
        InputError: as `read_bytes`, or there are more lines, or more spoiled ones.
    """
    bad = 0
    for count, line in enumerate(_LINE.finditer(read_bytes(path, limit))):
        if count >= most:
            raise InputError(f"{path} has more than {most} lines.", "Delete it; it is made again.")
        try:
            if line.end() - line.start() > _LONGEST_LINE:
                raise ValueError("too long")
            value = convert(bounded_json.loads(line[0]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            bad += 1
            if bad > spoiled:
                raise InputError(f"{path} is damaged.", "Delete it; it is made again.") from error
            continue
        yield value


def write_json(path: str | os.PathLike[str], value: dict[str, Any]) -> None:
    """Writes `value` beside `path` and renames it into place."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes a text as UTF-8, its lines ended as they are, beside `path` and renames it into place.

    Raises:
        OutputError: it cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def append_text(path: str | os.PathLike[str], text: str) -> None:
    """Adds text at the end of a file: all of it, or nothing where the disk is full; a kill may cut it off.

    Raises:
        OutputError: it cannot be written.
    """
    left = memoryview(text.encode())
    try:
        with open(path, "ab", buffering=0) as stream:
            end = stream.seek(0, os.SEEK_END)
            try:
                while left:
                    left = left[stream.write(left) :]
            except OSError:
                stream.truncate(end)
                raise
    except OSError as error:
        raise output_error(path, error) from error


def copy_file(source: Path, target: Path) -> None:
    """Copies a finished file to where it was asked for, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)


def read_npz(
    path: str | os.PathLike[str],
    limit: int = MAX_NPZ_BYTES,
    wanted: Callable[[str, tuple[int, ...], np.dtype], bool] | None = None,
    most: int = 256,
) -> dict[str, np.ndarray]:
    """The arrays of an .npz file, each read without pickle and only after its header was found harmless.

    Args:
        path: the file.
        limit: most bytes that all arrays together may take once unpacked.
        wanted: told each array's name, shape and type before it is unpacked; those it is False for are left out, and
            it may raise an InputError. All are read without it.
        most: arrays that the file may hold.

    Raises:
        InputError: it is no .npz, damaged, too large unpacked, or holds anything but plain arrays.
    """
    check_file(path)
    arrays: dict[str, np.ndarray] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > most or sum(member.file_size for member in members) > limit:
                raise InputError(f"{path} is too large.", f"Its arrays may take {limit // 2**20} MiB at most.")
            for member in members:
                if not member.filename.endswith(".npy") or member.flag_bits & 1:
                    raise InputError(f"{path} is not a plain .npz file.", "Make the file again.")
                name = member.filename[:-4]
                with archive.open(member) as stream:
                    shape, fortran, kind = _header(stream)
                    if kind.kind not in _KINDS:
                        raise InputError(f"{path} holds something that is not an array of numbers.", "Make it again.")
                    if wanted is None or wanted(name, shape, kind):
                        arrays[name] = _content(stream, shape, fortran, kind, member.file_size)
    except InputError:
        raise
    except Exception as error:  # a hostile archive can make zipfile, zlib and numpy raise nearly anything
        raise InputError(f"{path} is not a readable .npz file.", "Make the file again.") from error
    return arrays


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether the first index runs fastest, and type of the array that a stream goes on with."""
    version = np.lib.format.read_magic(stream)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
    shape, fortran, kind = read(stream, max_header_size=4096)  # type: ignore[call-arg]  # numpy's stubs lack the last
    return shape, fortran, kind


def _content(stream: IO[bytes], shape: tuple[int, ...], fortran: bool, kind: np.dtype, limit: int) -> np.ndarray:
    """The array itself, of no more than `limit` bytes; nothing is allocated for one that only its header promises."""
    size = math.prod(shape) * kind.itemsize
    if size > limit or min(shape, default=0) < 0:
        raise ValueError("more than the file holds")
    data = np.empty(size, np.uint8)
    view, filled = memoryview(data.data), 0
    while filled < size:
        chunk = stream.read(min(_CHUNK, size - filled))
        if not chunk:
            raise ValueError("less than the header says")
        view[filled : filled + len(chunk)] = chunk
        filled += len(chunk)
    stream.read(1)  # at its end zipfile compares the checksum
    return data.view(kind).reshape(shape, order="F" if fortran else "C")


def write_npz(path: str | os.PathLike[str], arrays: dict[str, Any]) -> None:
    """Writes compressed arrays beside `path` and renames them into place."""
    # Not by numpy's savez, which leaves a zip file open that was interrupted. Level 1: measured values shrink by
    # hardly less than at 6, in half the time.
    with (
        replacing(path) as temporary,
        writing(temporary) as target,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for name, value in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(value), allow_pickle=False)


@contextlib.contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[io.FileIO]:
    """A file for libraries that do not bear it when a write fails: the failure is raised when the block ends.

    Raises:
        OSError: it cannot be opened or written.
    """
    with _Target(path, "w") as target:
        try:
            yield target
        finally:
            if target.failure is not None:
                raise target.failure


class _Target(io.FileIO):
    """A file to write whose first failure is kept and all else dropped: a zip file that meets a full disk would
    complain again when it is collected, and libsndfile's callbacks print what they may not raise."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while self.failure is None and len(left):
                left = left[super().write(left) :]
        except OSError as error:
            self.failure = error
        return size
