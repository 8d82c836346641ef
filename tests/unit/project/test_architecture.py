"""The order in which modules may import one another, as docs/architecture.md draws it; no circles; small modules."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import BACKEND, ROOT

#: From the ground up. A module imports from its own level or from a lower one; the longest matching name counts.
ORDER = (
    ("makeittalk", "makeittalk.exchange"),
    (
        "makeittalk.weights.cache",
        "makeittalk.weights.files",
        "makeittalk.weights.layouts",
        "makeittalk.weights.imported",
        "makeittalk.weights.released_folder",
        "makeittalk.weights.stand_ins",
    ),
    ("makeittalk.audio", "makeittalk.images", "makeittalk.landmarks"),
    ("makeittalk.weights", "makeittalk.weights.store"),
    ("makeittalk.networks",),
    ("makeittalk.weights.released",),
    ("makeittalk.animation", "makeittalk.mesh"),
    ("makeittalk.rendering",),
    ("makeittalk.jobs",),
    ("makeittalk.cli", "makeittalk.__main__"),
    ("makeittalk_lab", "makeittalk_lab.data"),
    ("makeittalk_lab.synthetic", "makeittalk_lab.prepare"),
    ("makeittalk_lab.training", "makeittalk_lab.evaluation"),
    ("makeittalk_lab.cli",),
)
LEVELS = {name: level for level, names in enumerate(ORDER) for name in names}
MOST_LINES = 400
MEDIAN_LINES = 160


def modules() -> dict[str, Path]:
    """Every module of the backend by its dotted name; packages by theirs."""
    found: dict[str, Path] = {}
    for path in sorted(BACKEND.glob("makeittalk*/**/*.py")):
        parts = path.relative_to(BACKEND).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imported(name: str, path: Path) -> Iterator[str]:
    """The modules of the backend that a module imports, those inside functions and behind TYPE_CHECKING too."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (known for alias in node.names if (known := nearest(alias.name)))
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from (known for alias in node.names if (known := nearest(f"{stem}.{alias.name}")))


def nearest(name: str) -> str:
    """The module that a dotted name is in; empty where it is none of the backend's."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def level(name: str) -> int:
    while name not in LEVELS:
        name = name.rpartition(".")[0]
    return LEVELS[name]


IMPORTS = {name: set(imported(name, path)) - {name} for name, path in MODULES.items()}


@pytest.mark.parametrize("name", MODULES)
def test_nothing_imports_upwards(name: str) -> None:
    above = {other for other in IMPORTS[name] if level(other) > level(name)}
    assert not above, f"{name} (level {level(name)}) imports {', '.join(sorted(above))} from above it"


def test_no_module_imports_itself_by_a_detour() -> None:
    seen: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way[way.index(name) :], name))
        if name in seen:
            return
        for other in sorted(IMPORTS[name]):
            visit(other, (*way, name))
        seen.add(name)

    for name in MODULES:
        visit(name, ())


def test_the_laboratory_is_never_imported_by_what_ships() -> None:
    assert not [
        name
        for name, others in IMPORTS.items()
        if name.split(".")[0] == "makeittalk" and any(other.split(".")[0] == "makeittalk_lab" for other in others)
    ]
    # Nor found by its name in a string, as a plug-in is: that is what the entry points are for.
    for path in (BACKEND / "makeittalk").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                assert not str(node.args[0].value).startswith("makeittalk_lab."), path


def test_every_package_says_what_it_is_for_in_the_map() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    packages = [p.parent for p in BACKEND.glob("makeittalk*/*/__init__.py")] + [
        p.parent for p in (ROOT / "addon").glob("*/__init__.py")
    ]
    assert [p.name for p in packages if f"{p.name}/" not in text] == []


def test_modules_stay_small() -> None:
    sources = [*MODULES.values(), *(ROOT / "addon").rglob("*.py")]
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources if path.stat().st_size}
    assert {path.relative_to(ROOT).as_posix(): count for path, count in lines.items() if count > MOST_LINES} == {}
    assert statistics.median(lines.values()) < MEDIAN_LINES


def test_the_program_is_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "makeittalk", "--version"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(BACKEND), "PATH": ""},
    )
    assert done.returncode == 0 and done.stdout.startswith("makeittalk ")
