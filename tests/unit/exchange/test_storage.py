"""Reading what strangers made, and writing whole or not at all."""

from __future__ import annotations

import errno
import gc
import io
import os
import pickle
import resource
import signal
import socket
import stat
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from makeittalk.exchange import constants, storage
from makeittalk.exchange.errors import InputError, OutputError
from project import BACKEND


def npy(array: np.ndarray, **options: bool) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


def archive(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as target:
        for name, data in members.items():
            target.writestr(name, data)
    return path


def folder_is_clean(folder: Path, *names: str) -> bool:
    return sorted(path.name for path in folder.iterdir()) == sorted(names)


class Bomb:
    """Writes a file when somebody unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (open, (str(self.path), "w"))


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    arrays = {
        "a": np.arange(12, dtype=np.float32).reshape(3, 4),
        "flag": np.array(True),
        "names": np.array(["jawOpen", "mouthÄ"]),
        "empty": np.zeros((0, 3)),
    }
    storage.write_npz(tmp_path / "x.npz", arrays)
    loaded = storage.read_npz(tmp_path / "x.npz")
    assert loaded.keys() == arrays.keys()
    for name, array in arrays.items():
        assert loaded[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded[name], array)


def test_a_pickle_is_refused_and_never_run(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    path = tmp_path / "x.npz"
    np.savez(path, fps=np.array([Bomb(trap)], dtype=object))
    with pytest.raises(InputError):
        storage.read_npz(path)
    path.write_bytes(pickle.dumps(Bomb(trap)))
    with pytest.raises(InputError):
        storage.read_npz(path)
    assert not trap.exists()


def test_a_structured_type_that_hides_an_object_is_refused(tmp_path: Path) -> None:
    plain = np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")])
    with pytest.raises(InputError):
        storage.read_npz(archive(tmp_path / "x.npz", {"a.npy": npy(plain)}))
    for kind in ("S4", "M8[s]", "V8"):
        with pytest.raises(InputError):
            storage.read_npz(archive(tmp_path / "x.npz", {"a.npy": npy(np.zeros(2, dtype=kind))}))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.npz", {f"{i}.npy": bytes(2**20) for i in range(40)})
    assert path.stat().st_size < 2**18
    with pytest.raises(InputError, match="too large"):
        storage.read_npz(path, limit=2**20)


def test_a_zip_bomb_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.npz", {"a.npy": npy(np.zeros(2**22, np.float32))})
    data = bytearray(path.read_bytes())
    size = (2**24 + 128).to_bytes(4, "little")
    assert data.count(size) == 2  # local header and central directory
    path.write_bytes(bytes(data).replace(size, (200).to_bytes(4, "little")))
    with pytest.raises(InputError):
        storage.read_npz(path)


def test_what_nobody_wants_is_not_unpacked(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.npz", {"big.npy": npy(np.zeros(2**24)), "small.npy": npy(np.arange(3))})
    asked: list[tuple[str, tuple[int, ...]]] = []

    def wanted(name: str, shape: tuple[int, ...], _kind: np.dtype) -> bool:
        asked.append((name, shape))
        return name == "small"

    tracemalloc.start()
    loaded = storage.read_npz(path, wanted=wanted)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert list(loaded) == ["small"] and asked == [("big", (2**24,)), ("small", (3,))]
    assert peak < 8 * 2**20


def test_fortran_order_and_other_byte_orders_are_read(tmp_path: Path) -> None:
    arrays = {"f": np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)), "b": np.arange(5, dtype=">i4")}
    storage.write_npz(tmp_path / "x.npz", arrays)
    for name, array in storage.read_npz(tmp_path / "x.npz").items():
        np.testing.assert_array_equal(array, arrays[name])
        array[...] = 0  # it may be worked on


def header(shape: str, descr: str = "'<f4'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    "data",
    [
        header("(1099511627776, 68, 3)") + bytes(64),  # promises terabytes, brings nothing
        header("(-1,)") + bytes(64),
        header("(4,)") + bytes(3),
        header("(2,)", "'|O'") + bytes(64),
        header("(4,)", "__import__('os').system('true')") + bytes(16),
        b"\x93NUMPY\x09\x00" + bytes(64),
        b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + b"{" * 64,
        b"not an array",
        b"",
    ],
    ids=["huge", "negative", "short", "object", "code", "version", "header", "text", "nothing"],
)
def test_a_damaged_array_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    path = archive(tmp_path / "x.npz", {"a.npy": data}, zipfile.ZIP_STORED)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (64 * 2**30, hard))  # terabytes must fail even where memory is overcommitted
    try:
        with pytest.raises(InputError) as error:
            storage.read_npz(path)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert "x.npz" in error.value.message and "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["../../escape.npy", "/etc/x.npy", "folder/"])
def test_member_names_are_never_paths(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    path = archive(inner / "x.npz", {name: npy(np.zeros(3))})
    try:
        loaded = storage.read_npz(path)
    except InputError:
        loaded = {}
    assert all(isinstance(array, np.ndarray) for array in loaded.values())
    assert folder_is_clean(tmp_path, "inner") and folder_is_clean(inner, "x.npz")


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    small = npy(np.zeros(1))
    with pytest.raises(InputError):
        storage.read_npz(archive(tmp_path / "x.npz", {f"{i}.npy": small for i in range(300)}))


def test_every_cut_of_a_file_is_refused(tmp_path: Path) -> None:
    storage.write_npz(tmp_path / "x.npz", {"a": np.arange(100.0)})
    data = (tmp_path / "x.npz").read_bytes()
    for length in range(0, len(data), 7):
        (tmp_path / "cut.npz").write_bytes(data[:length])
        with pytest.raises(InputError):
            storage.read_npz(tmp_path / "cut.npz")


def test_damage_anywhere_is_refused_or_harmless(tmp_path: Path) -> None:
    storage.write_npz(tmp_path / "x.npz", {"a": np.arange(50.0), "names": np.array(["ab", "c"])})
    data = (tmp_path / "x.npz").read_bytes()
    random = np.random.default_rng(5)
    for place in range(len(data)):
        broken = bytearray(data)
        broken[place] ^= int(random.integers(1, 256))
        (tmp_path / "broken.npz").write_bytes(broken)
        try:
            loaded = storage.read_npz(tmp_path / "broken.npz")
        except InputError:
            continue
        assert all(array.dtype.kind in "biufU" for array in loaded.values())


def test_json_must_be_a_small_flat_object(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for text in ("[" * 200_000, "[1]", "3", "null", "{", '{"a": }', "\x00", ""):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError):
            storage.read_json(path)
    path.write_text('{"a": 1}', encoding="utf-8-sig")  # as editors of Windows write it
    assert storage.read_json(path) == {"a": 1}
    path.write_bytes(b'{"a": "\xff\xfe"}')
    with pytest.raises(InputError):
        storage.read_json(path)
    path.write_bytes(b'{"a": ' + b"9" * 100_000 + b"}")
    with pytest.raises(InputError):
        storage.read_json(path)
    for number in ("1e400", "NaN", "-Infinity", "1" + "0" * 400):
        path.write_text(f'{{"a": [{{"b": {number}}}]}}')
        with pytest.raises(InputError):
            storage.read_json(path)
    path.write_text('{"a": ' + "[" * 70 + "]" * 70 + "}")
    with pytest.raises(InputError):
        storage.read_json(path)
    path.write_bytes(b" " * (constants.MAX_JSON_BYTES + 1))
    with pytest.raises(InputError, match="larger than"):
        storage.read_json(path)


@pytest.mark.parametrize("read", [storage.read_json, storage.read_npz])
def test_what_is_no_file_is_one_sentence(tmp_path: Path, read) -> None:
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("missing", "empty", "pipe", "loop", ".", "a\0b", "n" * 300):
        with pytest.raises(InputError):
            read(tmp_path / name if name != "a\0b" else str(tmp_path) + "/a\0b")
    with pytest.raises(InputError):
        read("/dev/zero")


def test_nothing_is_left_when_the_writing_fails(tmp_path: Path) -> None:
    target = tmp_path / "x.json"
    target.write_text("before")
    with pytest.raises(RuntimeError), storage.replacing(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    with pytest.raises(KeyboardInterrupt), storage.replacing(target) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert target.read_text() == "before" and folder_is_clean(tmp_path, "x.json")


def test_a_result_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    previous = os.umask(0o027)
    try:
        storage.write_json(tmp_path / "x.json", {"a": 1})
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "x.json").stat().st_mode) == 0o640


def test_the_stand_in_keeps_the_suffix_and_the_folder(tmp_path: Path) -> None:
    with storage.replacing(tmp_path / ("n" * 240 + ".mp4")) as temporary:
        assert temporary.suffix == ".mp4" and temporary.parent == tmp_path
        temporary.write_text("x")
    assert folder_is_clean(tmp_path, "n" * 240 + ".mp4")


def make_special(path: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.close()  # its file stays
    elif kind == "link to a device":
        path.symlink_to("/dev/null")
    elif kind == "link to a pipe":
        os.mkfifo(path.with_name("pipe"))
        path.symlink_to("pipe")


@pytest.mark.parametrize("kind", ["pipe", "socket", "link to a device", "link to a pipe"])
def test_what_is_no_regular_file_is_never_replaced(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "x.npz"
    make_special(target, kind)
    before = sorted((path.name, path.lstat().st_mode, path.lstat().st_ino) for path in tmp_path.iterdir())
    for write in (storage.write_npz, storage.write_json):
        with pytest.raises(OutputError, match=r"x\.npz is a device, a pipe or a socket") as error:
            write(target, {})
        assert error.value.hint
    assert before == sorted((path.name, path.lstat().st_mode, path.lstat().st_ino) for path in tmp_path.iterdir())


@pytest.mark.parametrize("name", ["/dev/null", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/0"])
def test_a_device_is_never_replaced(name: str) -> None:
    if not os.path.exists(name) or stat.S_ISREG(os.stat(name).st_mode):
        pytest.skip("there is no such device here")
    with pytest.raises(OutputError), storage.replacing(name):
        raise AssertionError("the block must not begin")
    assert not stat.S_ISREG(os.stat(name).st_mode)


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "links").mkdir()
    old, new = tmp_path / "real" / "old.json", tmp_path / "real" / "new.json"
    old.write_text("before")
    for target in (old, new):
        link = tmp_path / "links" / target.name
        link.symlink_to(f"../real/{target.name}")
        (tmp_path / "links" / f"again-{target.name}").symlink_to(target.name)
        for name in (link, tmp_path / "links" / f"again-{target.name}"):
            with storage.replacing(name) as temporary:
                assert temporary.parent == tmp_path / "real"  # the same disk, so that renaming works
                temporary.write_text(name.name)
            assert name.is_symlink() and not target.is_symlink() and target.read_text() == name.name
    assert folder_is_clean(tmp_path / "real", "old.json", "new.json")


def test_a_link_that_leads_nowhere_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "lost").symlink_to("none/x.json")
    for name in ("loop", "lost", "a\0b"):
        with pytest.raises(OutputError) as error:
            storage.write_json(tmp_path / name, {})
        assert error.value.hint and "\n" not in str(error.value)
    assert folder_is_clean(tmp_path, "loop", "lost")
    assert (tmp_path / "loop").is_symlink() and (tmp_path / "lost").is_symlink()


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for target in (tmp_path / "none" / "x.json", tmp_path / "file" / "x.json", tmp_path):
        with pytest.raises(OutputError) as error:
            storage.write_json(target, {})
        assert error.value.exit_status == 2 and error.value.hint
    assert folder_is_clean(tmp_path, "file")


def test_each_refusal_of_the_system_has_its_sentence() -> None:
    for number, words in (
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "disk is full"),
        (errno.EROFS, "may not be written"),
        (errno.EACCES, "may not be written"),
        (errno.ENAMETOOLONG, "could not be written"),
    ):
        error = storage.output_error("x.npz", OSError(number, os.strerror(number)))
        assert words in error.message and "x.npz" in error.message


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="disk is full"), storage.replacing(tmp_path / "x.npz") as temporary:
        temporary.unlink()
        temporary.symlink_to("/dev/full")
        with open(temporary, "wb") as stream:
            stream.write(bytes(2**16))
    assert folder_is_clean(tmp_path)


def test_what_is_added_is_added_whole_or_not_at_all(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys; sys.path.insert(0, sys.argv[1])\n"
        "from makeittalk.exchange import storage; from makeittalk.exchange.errors import OutputError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "storage.append_text('log', 'ü one\\n'); storage.append_text('log', 'two\\n')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))\n"
        "try:\n    storage.append_text('log', 'three, which is too long\\n')\n"
        "except OutputError as error:\n    print(error.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(BACKEND)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("log could not be written: File too large")
    assert (tmp_path / "log").read_text(encoding="utf-8") == "ü one\ntwo\n"


def test_a_limit_on_file_size_leaves_nothing_behind(tmp_path: Path) -> None:
    """The nearest a test comes to a disk that fills up midway, by the kernel's own refusal."""
    code = (
        "import resource, signal, sys, numpy as np; sys.path.insert(0, sys.argv[1])\n"
        "from makeittalk.exchange import storage; from makeittalk.exchange.errors import OutputError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "try: storage.write_npz(sys.argv[2], {'a': np.random.default_rng(0).random(50_000)})\n"
        "except OutputError as error: print(error)\n"
    )
    target = tmp_path / "x.npz"
    target.write_bytes(b"before")
    result = subprocess.run(
        [sys.executable, "-c", code, str(BACKEND), str(target)], capture_output=True, text=True, check=True
    )
    assert "could not be written" in result.stdout and not result.stderr
    assert target.read_bytes() == b"before" and folder_is_clean(tmp_path, "x.npz")


def test_an_interrupted_writer_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        def __array__(self, *_wanted: object, **_more: object) -> np.ndarray:
            raise KeyboardInterrupt

    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    with pytest.raises(KeyboardInterrupt):
        storage.write_npz(tmp_path / "x.npz", {"a": np.zeros(50_000), "b": Interrupted()})
    gc.collect()
    assert folder_is_clean(tmp_path) and not complaints


def test_a_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[1])\n"
        "from makeittalk.exchange import storage\n"
        "with storage.replacing(sys.argv[2]) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    target = tmp_path / "x.json"
    target.write_text("before")
    result = subprocess.run([sys.executable, "-c", code, str(BACKEND), str(target)])
    assert result.returncode == -signal.SIGKILL
    assert target.read_text() == "before"
    storage.write_json(target, {"a": "ü"})
    assert storage.read_json(target) == {"a": "ü"}
