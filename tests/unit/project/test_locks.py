"""The lock files: whole, of wheels alone, as pyproject.toml asks, and holding all that the backend imports."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from imports import imports
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from project import BACKEND, ROOT

sys.path.append(str(ROOT / "tools"))
import locks

ALL = list(locks.locks())
RUNTIME = [lock for lock in ALL if lock.platform]
DEPENDENCIES = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
#: What markers ask about a platform.
MARKERS = {
    "linux-x86_64": {"sys_platform": "linux", "platform_machine": "x86_64"},
    "linux-aarch64": {"sys_platform": "linux", "platform_machine": "aarch64"},
    "windows-x86_64": {"sys_platform": "win32", "platform_machine": "AMD64"},
    "macos-arm64": {"sys_platform": "darwin", "platform_machine": "arm64"},
}
#: The modules of packages whose names differ from theirs.
MODULES = {
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "pillow_heif": "pillow-heif",
    "OpenEXR": "openexr",
    "webrtcvad": "webrtcvad-wheels",
}
#: Offered where it is installed, never required.
OPTIONAL = {"face_alignment", "bpy", "ray"}
#: What the CPU build of torch takes on Linux x86-64, bytes to fetch and on disk.
TORCH = (191_794_682, 760_000_000)


def name_of(lock: locks.Lock) -> str:
    return lock.path.relative_to(ROOT).as_posix()


def test_there_is_one_for_every_platform_and_python() -> None:
    assert {(lock.platform, lock.python) for lock in RUNTIME} == {(p, v) for p in MARKERS for v in locks.PYTHONS}
    folders = [*locks.LOCKS.glob("*.txt"), *locks.REQUIREMENTS.glob("*.txt")]
    assert {lock.path for lock in ALL} == set(folders)


@pytest.mark.parametrize("lock", ALL, ids=name_of)
def test_every_package_is_pinned_with_hashes(lock: locks.Lock) -> None:
    text = lock.path.read_text(encoding="utf-8")
    assert text.startswith(f"# {lock.title}; made by tools/locks.py\n")
    assert f"# source: {lock.source()}\n" in text, "run `make locks`"
    marker = r"" if lock.platform else r"( ; [^\\\n]+)?"
    package = rf"[a-z0-9-]+==[\w.+!]+{marker}( \\\n    --hash=sha256:[0-9a-f]{{64}})+\n"
    body = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    assert re.fullmatch(f"({package})+", body)
    assert "://" not in text


@pytest.mark.parametrize("lock", RUNTIME, ids=name_of)
def test_the_backend_gets_what_it_asks_for(lock: locks.Lock) -> None:
    pins = dict(locks.pins(lock.path))
    assert len(pins) == len(locks.pins(lock.path))
    there = {**MARKERS[lock.platform], "python_version": lock.python, "python_full_version": f"{lock.python}.0"}
    absent = set()
    for wanted in map(Requirement, DEPENDENCIES):
        name = canonicalize_name(wanted.name)
        if wanted.marker is not None and not wanted.marker.evaluate(there):
            absent.add(name)
        elif name != "torch":
            absent.discard(name)
            assert wanted.specifier.contains(pins[name]), wanted
    # torch comes from an index of its own; one cv2 only; and no module that must be compiled.
    assert not [name for name in pins if locks.APART.fullmatch(name)]
    assert not {"opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless", "webrtcvad"} & pins.keys()
    # What only trains, measures or draws plots.
    assert (
        not {"librosa", "matplotlib", "numba", "scikit-image", "scikit-learn", "lightning-fabric", "jax"} & pins.keys()
    )
    assert {"filelock", "fsspec", "jinja2", "networkx", "sympy", "typing-extensions"} < pins.keys()
    said = re.search(r"^# without: (.*)$", lock.path.read_text(encoding="utf-8"), re.MULTILINE)
    assert (set(said[1].split()) if said else set()) == {name for name in absent if name not in pins}
    assert said is None or lock.platform == "linux-aarch64"


@pytest.mark.parametrize("lock", RUNTIME, ids=name_of)
def test_sizes_are_told_and_within_bounds(lock: locks.Lock) -> None:
    lines = lock.path.read_text(encoding="utf-8").splitlines()
    download = int(lines[1].removeprefix("# download: "))
    disk = int(lines[2].removeprefix("# disk: "))
    assert 100e6 < download < disk
    assert download + TORCH[0] <= 450e6 and disk + TORCH[1] <= 1.5e9


def imported(path: Path) -> set[str]:
    """The packages that a file imports, apart from its own and those that may be missing."""
    return imports(path) - set(sys.stdlib_module_names) - {"makeittalk"} - OPTIONAL


@pytest.mark.parametrize("lock", RUNTIME, ids=name_of)
def test_the_backend_imports_nothing_that_is_not_locked(lock: locks.Lock) -> None:
    text = lock.path.read_text(encoding="utf-8")
    there = {
        *dict(locks.pins(lock.path)),
        "torch",
        *re.findall(r"[\w-]+", "".join(re.findall("# without: (.*)", text))),
    }
    for path in [BACKEND / "serve.py", *(BACKEND / "makeittalk").rglob("*.py")]:
        strangers = {name for name in imported(path) if MODULES.get(name, name.replace("_", "-")) not in there}
        assert not strangers, f"{path.relative_to(ROOT)} imports {strangers}, which {lock.path.name} does not hold"


def test_nothing_is_asked_for_that_nothing_imports() -> None:
    names = set().union(*(imported(path) for path in (BACKEND / "makeittalk").rglob("*.py")))
    used = {MODULES.get(name, name.replace("_", "-")) for name in names} | {"webrtcvad-wheels"}  # resemblyzer's
    assert {canonicalize_name(Requirement(text).name) for text in DEPENDENCIES} == used


def test_those_of_this_machine_resolve() -> None:
    """Every wheel, with the hash that is written down, is at hand; `make locks-check` asks for every platform."""
    names = [lock.path.name for lock in RUNTIME if lock.platform == locks.here()] + ["dev.txt", "pip.txt"]
    tool = [sys.executable, str(ROOT / "tools" / "locks.py"), "check", *names]
    done = subprocess.run(tool, capture_output=True, text=True, timeout=280)
    unreachable(done.stdout + done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": resolves\n") == len(names)


def test_a_changed_hash_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (locks.REQUIREMENTS / "test.txt").read_text(encoding="utf-8")
    monkeypatch.setattr(locks, "REQUIREMENTS", tmp_path)
    lock = next(lock for lock in locks.locks() if lock.path == tmp_path / "test.txt")
    lock.path.write_text(re.sub(r"(pytest==(?:.*\n)+?.*sha256:)[0-9a-f]{4}", r"\g<1>0000", text, count=1))
    unreachable(fault := str(locks.check(lock)))
    assert "pytest" in fault and "no file with a hash" in fault
    lock.path.write_text(text.replace("# source: ", "# source: 0"))
    assert "older than pyproject.toml" in str(locks.check(lock))


def unreachable(answer: str) -> None:
    """Skips where uv or the package index is out of reach, which in continuous integration is a failure."""
    if re.search("uv is missing|error sending request|[Ff]ailed to fetch", answer) and not os.environ.get("CI"):
        pytest.skip("uv or the package index is out of reach")
