"""Which lock fits a machine, and what a folder of wheels lacks of it."""

from __future__ import annotations

import pytest
from makeittalk.exchange import locks, wheels


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("linux", "x86_64", "linux-x86_64"),
        ("linux", "aarch64", "linux-aarch64"),
        ("linux", "arm64", "linux-aarch64"),
        ("win32", "AMD64", "windows-x86_64"),
        ("darwin", "arm64", "macos-arm64"),
        ("darwin", "x86_64", "macos-x86_64"),
        ("linux", "riscv64", "linux-riscv64"),
    ],
)
def test_platforms_have_one_name(system, machine, name) -> None:
    assert locks.platform_name(system, machine) == name
    assert bool(locks.builds(name)) is (name in locks.PLATFORMS)


@pytest.mark.parametrize("platform", locks.PLATFORMS)
@pytest.mark.parametrize("python", locks.PYTHONS)
def test_there_is_a_lock_for_everybody(platform, python) -> None:
    lock = locks.Lock.read(locks.lock_path(platform, python))
    names = [name for name, _version in lock.packages]
    assert {"numpy", "scipy", "av", "safetensors", "sympy", "filelock"} <= set(names)
    assert not {"torch", "librosa", "matplotlib", "jax", "numba"} & set(names)
    assert len(set(names)) == len(names) and names == [locks.canonical(name) for name in names]
    assert 100e6 < lock.download < 250e6 and lock.disk > 2 * lock.download


def test_the_promised_sizes() -> None:
    """On Linux with a processor: at most 450 MB to download and 1.5 GB on the disk."""
    build = locks.find_build("cpu", "linux-x86_64")
    for python in locks.PYTHONS:
        lock = locks.Lock.read(locks.lock_path("linux-x86_64", python))
        assert lock.download + build.download <= 450e6 and lock.disk + build.disk <= 1.5e9


def test_a_lock_says_what_it_goes_without() -> None:
    assert locks.Lock.read(locks.lock_path("linux-x86_64", (3, 13))).without == ()
    assert "mediapipe" in locks.Lock.read(locks.lock_path("linux-aarch64", (3, 13))).without


def test_builds_are_asked_for_by_version() -> None:
    assert locks.find_build("cpu", "linux-x86_64").requirement == f"torch=={locks.TORCH}+cpu"
    assert locks.find_build("apple", "macos-arm64").requirement == f"torch=={locks.TORCH}"
    with pytest.raises(KeyError):
        locks.find_build("apple", "linux-x86_64")


def test_the_environment_changes_with_the_locks(tmp_path) -> None:
    path = locks.lock_path("linux-x86_64", (3, 12), tmp_path)
    path.write_text("numpy==1.0\n")
    first = locks.environment_id("linux-x86_64", tmp_path)
    locks.environment_id.cache_clear()
    path.write_text("numpy==1.1\n")
    assert len(first) == 12 and locks.environment_id("linux-x86_64", tmp_path) != first


FILES = {
    "numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl": True,
    "numpy-1.26.4-cp312-cp312-manylinux_2_17_x86_64.whl": False,
    "numpy-1.26.4-cp311-cp311-win_amd64.whl": False,
    "numpy-1.26.4-cp311-cp311-manylinux_2_17_aarch64.whl": False,
    "numpy-1.26.4-cp311-cp311-musllinux_1_2_x86_64.whl": False,
    "numpy-1.26.4-cp38-abi3-manylinux_2_17_x86_64.whl": True,
    "numpy-1.26.4-cp312-abi3-manylinux_2_17_x86_64.whl": False,
    "numpy-1.26.4-py3-none-any.whl": True,
    "numpy-1.26.4-py2.py3-none-any.whl": True,
    "numpy-1.26.4-py2-none-any.whl": False,
    "numpy-1.26.5-py3-none-any.whl": False,
    "numpy-1.26.4.tar.gz": False,
    "numpy.whl": False,
}


@pytest.mark.parametrize("name", FILES)
def test_which_wheels_count(tmp_path, name) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("numpy==1.26.4 \\\n    --hash=sha256:00\n")
    (tmp_path / "pip.txt").write_text("pip==1.0\n")
    folder = tmp_path / "wheels"
    folder.mkdir()
    for made in (name, "pip-1.0-py3-none-any.whl", f"torch-{locks.TORCH}+cpu-cp311-cp311-manylinux_2_28_x86_64.whl"):
        (folder / made).write_bytes(b"")
    missing = wheels.lacking(folder, locks.Lock.read(lock), (3, 11), "linux-x86_64", tmp_path)
    assert missing == ([] if FILES[name] else ["numpy==1.26.4"])


def test_a_lock_of_other_letters_and_a_huge_one(tmp_path) -> None:
    path = tmp_path / "lock.txt"
    path.write_bytes(b"# download: " + b"9" * 5000 + b"\nnumpy==1.26\xff \\\nfoo==1 \\\n")
    lock = locks.Lock.read(path)
    assert lock.download == 0 and ("foo", "1") in lock.packages
    path.write_bytes(b"a" * 5 * 2**20)
    with pytest.raises(ValueError, match="too large"):
        locks.Lock.read(path)
